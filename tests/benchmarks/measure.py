"""Whole processes measured from outside: wall time, processor time and peak memory."""

import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile

from infra.deploying.stacks import ROOT

WORK = ROOT / "build/benchmark"
"""Where a benchmark keeps what it makes."""
PROJECT, PEERS = (
    next((ROOT / folder).glob("lib/python3*/site-packages"), ROOT) for folder in (".venv", ".venv/tools/bench")
)
"""The packages of the project, and those of its peers."""
BUNDLE = WORK / "bundle"
"""Where the bundles of all transformers are unpacked into one folder, as Lambda unpacks one."""
DEPLOYED = WORK / "deployed"
"""Where a bundle is unpacked as it is, as Lambda does."""
MEGABYTE = 10**6

_ENVIRONMENT = {"OPENBLAS_NUM_THREADS": "1", "RUNTIME__DLTHUB_TELEMETRY": "false", "LANG": "C.UTF-8"}
_KILOBYTE_OF_RSS = 1 if sys.platform == "darwin" else 1024
"""The unit of `ru_maxrss`, which is another on each system."""


@dataclass(frozen=True, slots=True)
class Run:
    """One process, from its start to its end.

    Attributes:
        wall: Seconds.
        cpu: Seconds of all its threads and children.
        rss: Bytes at the peak.
        printed: What it printed.
        complained: What it printed on standard error.
    """

    wall: float
    cpu: float
    rss: int
    printed: str
    complained: str


def run(command: Sequence[str | Path], **variables: str) -> Run:
    """Run a command with nothing but these variables in its environment.

    Raises:
        SystemExit: It failed; with what it complained of.
    """
    with TemporaryFile("w+") as out, TemporaryFile("w+") as err:
        began = time.perf_counter()
        process = subprocess.Popen(
            [str(part) for part in command], env={**_ENVIRONMENT, **variables}, stdout=out, stderr=err
        )
        _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        printed, complained = out.read(), err.read()
    if process.returncode:
        raise SystemExit(f"{command} failed with {process.returncode}:\n{complained[-4000:]}")
    return Run(wall, used.ru_utime + used.ru_stime, used.ru_maxrss * _KILOBYTE_OF_RSS, printed, complained)


def own_peak() -> int:
    """Bytes of memory of this process at its peak: a child's figure is never below it."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _KILOBYTE_OF_RSS


def median(values: Iterable[float]) -> float:
    """The middle of an odd number of values."""
    return statistics.median(values)


def quantile(values: Iterable[float], share: float) -> float:
    """The value that this share of the values does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table in Markdown, text to the left and numbers to the right."""
    lines = [list(row) for row in rows]
    rule = [":--" if isinstance(cell, str) and place == 0 else "--:" for place, cell in enumerate(lines[0])]
    return "".join(f"| {' | '.join(map(str, line))} |\n" for line in (head, rule, *lines))
