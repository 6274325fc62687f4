"""Forks the functions' processes from one that has loaded the libraries that they share.

ministack starts an interpreter for each, and to import the same libraries again is most of what that costs. Nothing of
the project is loaded before: each function has the code of its own bundle.

Two things are other than with an interpreter for each: variables that Python reads when it starts, such as
PYTHONWARNINGS, do nothing, and a function can start no process by multiprocessing.
"""

from __future__ import annotations

import os
import runpy
import subprocess
import sys
import time
from multiprocessing import get_context
from types import SimpleNamespace
from typing import IO, TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from multiprocessing.connection import Connection

_LIBRARIES: Final = (
    "aws_lambda_powertools.logging", "aws_lambda_powertools.metrics", "boto3", "fastparquet", "msgspec", "pydantic",
    "tenacity",
)  # fmt: skip
"""Those of the transformers, which are most of the processes. The X-Ray SDK is none of them: it reads where it runs
while it is imported."""

_context: Final = get_context("forkserver")
_context.set_forkserver_preload(list(_LIBRARIES))


def install() -> None:
    """Let ministack fork its Python workers. On macOS a process that has loaded system libraries cannot be forked.

    Raises:
        AttributeError: ministack has no such hook any more.
    """
    if sys.platform == "darwin":
        return
    from ministack.core import lambda_runtime  # noqa: PLC0415 - a function's process comes by here, and needs none of it

    lambda_runtime.subprocess.Popen  # noqa: B018 - raises AttributeError
    os.environ["OPENBLAS_NUM_THREADS"] = "1"  # threads do not survive a fork
    lambda_runtime.subprocess = SimpleNamespace(**{**vars(subprocess), "Popen": _start})


def _start(command: Sequence[str], **options: Any) -> Any:
    if command[0] != sys.executable:
        return subprocess.Popen(command, **options)  # noqa: S603 - ministack's own command
    return ForkedProcess(command[1], folder=options["cwd"], environment=options["env"])


class ForkedProcess:
    """A process that runs a script, with what ministack uses of subprocess.Popen.

    Args:
        script: Its path.
        folder: Where it runs.
        environment: All of its variables.
    """

    def __init__(self, script: str, *, folder: str, environment: Mapping[str, str]) -> None:
        given_stdin, stdin = _context.Pipe(duplex=False)
        stdout, given_stdout = _context.Pipe(duplex=False)
        stderr, given_stderr = _context.Pipe(duplex=False)
        given = (given_stdin, given_stdout, given_stderr)
        self._process = _context.Process(target=_run, args=(script, folder, dict(environment), given), daemon=True)
        self._process.start()
        for end in given:
            end.close()
        self.stdin: Final = _opened(stdin, "w")
        self.stdout: Final = _opened(stdout, "r")
        self.stderr: Final = _opened(stderr, "r")

    def poll(self) -> int | None:
        """Returns the code that it ended with, None if it runs."""
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        """Returns the code that it ended with.

        Raises:
            TimeoutExpired: It ran for so many seconds more.
        """
        self._process.join(timeout)
        if (code := self._process.exitcode) is None:
            raise subprocess.TimeoutExpired(self._process.name, timeout or 0)
        return code

    def terminate(self) -> None:
        """Ask it to end."""
        self._process.terminate()

    def kill(self) -> None:
        """End it."""
        self._process.kill()


def _opened(end: Connection[Any, Any], mode: str) -> IO[str]:
    with end:
        return os.fdopen(os.dup(end.fileno()), mode, buffering=1)


def _run(script: str, folder: str, environment: Mapping[str, str], streams: Sequence[Connection[Any, Any]]) -> None:
    for number, stream in enumerate(streams):
        with stream:
            os.dup2(stream.fileno(), number)
    sys.stdin = os.fdopen(0, closefd=False)
    os.environ.clear()
    os.environ |= environment
    time.tzset()
    os.chdir(folder)
    runpy.run_path(script, run_name="__main__")
