"""A process forked from one that has loaded the libraries that functions share.

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
from multiprocessing.connection import Connection
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_LIBRARIES: Final = (
    "aws_lambda_powertools.logging", "aws_lambda_powertools.metrics", "boto3", "fastparquet", "msgspec",
    "pydantic.type_adapter", "tenacity", "wrapt",
)  # fmt: skip
"""Those of the transformers, which are most of the processes. The X-Ray SDK is none of them: it reads where it runs
while it is imported."""

_context: Final = get_context("forkserver")
_context.set_forkserver_preload(list(_LIBRARIES))


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
        self.stderr: Final = Log()
        given = (given_stdin, given_stdout, self.stderr.end())
        self._process = _context.Process(target=_run, args=(script, folder, dict(environment), given), daemon=True)
        self._process.start()
        for end in given:
            end.close()
        self.stdin: Final = _opened(stdin, "w")
        self.stdout: Final = _opened(stdout, "r")

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


class Log:
    """What a process writes, in a file: all that it wrote is there at once, however busy the machine is."""

    def __init__(self) -> None:
        self._file = TemporaryFile("a+b")  # noqa: SIM115 - it stays open as long as the process may write
        self._was_read = 0

    def end(self) -> Connection[Any, Any]:
        """Returns an end for the process to write to."""
        return Connection(os.dup(self._file.fileno()), readable=False)

    def read(self, _: int = -1) -> str:
        """Returns what was written since the last time."""
        written = os.fstat(self._file.fileno()).st_size
        text = os.pread(self._file.fileno(), written - self._was_read, self._was_read)
        self._was_read = written
        return text.decode(errors="replace")

    def close(self) -> None:
        """Forget it."""
        self._file.close()


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
