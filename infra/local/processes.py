"""Detached child processes that a later command finds again and ends for certain.

A child holds a lock on a file for as long as it lives; the kernel drops it however the child ends. So a number
that another program took over in the meantime is never mistaken for the child, and never killed.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import socket
import time
from http.client import HTTPConnection, HTTPException
from typing import IO, TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

HOST: Final = "127.0.0.1"
_POLL_SECONDS: Final = 0.02
_LOOK_SECONDS: Final = 1.0
"""Far longer than `is_alive` keeps a lock to itself."""


class LocalCloudError(RuntimeError):
    """The local cloud cannot do it; the message says what happened and what to do."""


class Child(NamedTuple):
    """A process to start, or one that was started."""

    name: str
    command: list[str]
    port: int
    health_path: str
    lock: Path
    log: Path


def spawn(child: Child, environment: Mapping[str, str]) -> int:
    """Start the child in a session of its own, its output in the log, the lock in its hands.

    Returns:
        Its number, which is that of its process group too.

    Raises:
        LocalCloudError: Another child holds the lock.
    """
    for file in (child.lock, child.log):
        file.parent.mkdir(parents=True, exist_ok=True)
    with child.lock.open("w") as lock:
        _take(lock, child)
        os.set_inheritable(lock.fileno(), True)
        return os.posix_spawn(
            child.command[0],
            child.command,
            environment,
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                (os.POSIX_SPAWN_OPEN, 1, child.log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600),
                (os.POSIX_SPAWN_DUP2, 1, 2),
            ],
            setsid=True,
        )


def _take(lock: IO[str], child: Child) -> None:
    deadline = time.monotonic() + _LOOK_SECONDS
    while True:
        try:
            return fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if time.monotonic() > deadline:
                raise LocalCloudError(
                    f"An earlier {child.name} still runs and holds {child.lock}, but there is no record of it. "
                    f"End that process, then start again."
                ) from error
        time.sleep(_POLL_SECONDS)


def is_alive(lock: Path) -> bool:
    """Whether the child that was given this lock still lives."""
    try:
        with lock.open() as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def await_healthy(child: Child, pid: int, *, timeout: float) -> None:
    """Wait until the child answers HTTP requests.

    Args:
        child: What was started.
        pid: Its number.
        timeout: Seconds.

    Raises:
        LocalCloudError: It ended, or did not answer in time; with the end of its log.
    """
    deadline = time.monotonic() + timeout
    while not is_healthy(child.port, child.health_path):
        if _reap(pid) or not is_alive(child.lock):
            raise LocalCloudError(
                f"The {child.name} ended while it started. The end of {child.log}:\n{tail(child.log)}"
            )
        if time.monotonic() > deadline:
            raise LocalCloudError(
                f"The {child.name} did not answer on {HOST}:{child.port} within {timeout:g} seconds. "
                f"The end of {child.log}:\n{tail(child.log)}"
            )
        time.sleep(_POLL_SECONDS)


def is_healthy(port: int, path: str) -> bool:
    """Whether something on the port answers a request for the path with success."""
    connection = HTTPConnection(HOST, port, timeout=1)
    try:
        connection.request("GET", path)
        return connection.getresponse().status < 400
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def end_group(pid: int, lock: Path, *, grace: float) -> None:
    """End the child and everything that it started: politely, after `grace` seconds for certain.

    A child that does not live any more is left alone, since its number may be another program's.
    """
    if not is_alive(lock):
        return
    for number, patience in ((signal.SIGTERM, grace), (signal.SIGKILL, grace)):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, number)
        deadline = time.monotonic() + patience
        while is_alive(lock) and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)
    _reap(pid)


def _reap(pid: int) -> bool:
    """Take the entry of an ended child of this very process from the process table."""
    try:
        return os.waitpid(pid, os.WNOHANG)[0] == pid
    except ChildProcessError:
        return False


def free_port() -> int:
    """A loopback port that nobody listens on."""
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        port: int = listener.getsockname()[1]
        return port


def require_free(port: int, variable: str) -> int:
    """The port, if nobody listens on it.

    Raises:
        LocalCloudError: Another program has it.
    """
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, port))
        except OSError as error:
            raise LocalCloudError(
                f"Port {port}, which {variable} names, cannot be used: {error.strerror}. End the program that "
                f"listens there, name another port, or unset {variable} to take a free one."
            ) from error
    return port


@contextlib.contextmanager
def exclusive(path: Path) -> Iterator[IO[str]]:
    """Hold a lock on the file, after whoever has it now."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield file


def replace(path: Path, text: str) -> None:
    """Write a file at once, so that nobody ever reads half of it."""
    new = path.with_suffix(".new")
    new.write_text(text)
    new.replace(path)


def tail(log: Path, lines: int = 20) -> str:
    """The last lines of a log."""
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
