# ruff: noqa: SLF001 - it hooks into what ministack keeps private
"""Forks the functions' processes, and keeps all of their logs.

ministack starts an interpreter for each, and to import the same libraries again is most of what that costs. Nothing of
the project is loaded before: each function has the code of its own bundle.
"""

from __future__ import annotations

import os
import subprocess
import sys
from multiprocessing import forkserver
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from ministack.core import lambda_runtime

from infra.local.emulator.forked import ForkedProcess, Log

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def install() -> None:
    """Let ministack fork its Python workers. On macOS a process that has loaded system libraries cannot be forked.

    Raises:
        AttributeError: ministack has no such hook any more.
    """
    if sys.platform == "darwin":
        return
    lambda_runtime.subprocess.Popen  # noqa: B018 - raises AttributeError
    os.environ["OPENBLAS_NUM_THREADS"] = "1"  # threads do not survive a fork
    forkserver.ensure_running()  # it loads the libraries while services are deployed
    lambda_runtime.subprocess = SimpleNamespace(**{**vars(subprocess), "Popen": _start})
    choose = lambda_runtime._worker_class_for

    def worker_class(config: Mapping[str, Any]) -> type:
        chosen: type = _Worker if config["Runtime"].startswith("python") else choose(config)
        return chosen

    lambda_runtime._worker_class_for = worker_class


def _start(command: Sequence[str], **options: Any) -> Any:
    if command[0] != sys.executable:
        return subprocess.Popen(command, **options)  # noqa: S603 - ministack's own command
    return ForkedProcess(command[1], folder=options["cwd"], environment=options["env"])


class _Worker(lambda_runtime.Worker):  # type: ignore[misc]
    """ministack's, with all of a function's log.

    ministack reads it in a thread, and takes what has come once nothing more came for 5 ms: on a busy machine its end
    is missing.
    """

    _process: ForkedProcess | None = None
    _log: Log | None = None

    @property
    def _proc(self) -> ForkedProcess | None:
        return self._process

    @_proc.setter
    def _proc(self, process: ForkedProcess | None) -> None:
        self._process = process
        if process:
            self._log = process.stderr

    def _read_stderr(self) -> None:
        """Leave it to be read once the function has answered."""

    def _drain_stderr(self) -> str:
        return self._log.read() if self._log else ""

    def _drain_stderr_bounded(self) -> str:
        return self._drain_stderr()
