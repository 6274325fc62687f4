"""Detached child processes that a later command finds again and ends for certain.

A child holds a lock on a file, which tells its number, for as long as it lives; the kernel drops it however the child
ends. So a number that another program took over in the meantime is never mistaken for the child, and never killed.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import socket
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final, NamedTuple

from infra.waiting import poll

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

HOST: Final = "127.0.0.1"
_POLL_SECONDS: Final = 0.02
_STDERR: Final = 2
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
    """Start the child in a session of its own, its output in the log, the lock with its number in its hands.

    Returns:
        Its number, which is that of its process group too.

    Raises:
        LocalCloudError: Another child holds the lock.
    """
    for file in (child.lock, child.log):
        file.parent.mkdir(parents=True, exist_ok=True)
    with child.lock.open("a") as lock:
        if not _acquire(lock, _LOOK_SECONDS):
            raise LocalCloudError(
                f"Another {child.name} runs and holds {child.lock}: run `earworm down`, which ends it."
            )
        strangers = _inheritable()
        os.set_inheritable(lock.fileno(), True)
        pid = os.posix_spawn(
            child.command[0],
            child.command,
            environment,
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                (os.POSIX_SPAWN_OPEN, 1, child.log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600),
                (os.POSIX_SPAWN_DUP2, 1, 2),
                *((os.POSIX_SPAWN_CLOSE, descriptor) for descriptor in strangers),
            ],
            setsid=True,
        )
        _note(lock, str(pid))
        return pid


def _inheritable() -> list[int]:
    """Files that this process was given to pass on, as `flock` around a command does with its lock."""
    found = []
    for descriptor in (int(path.name) for path in Path("/dev/fd").iterdir()):
        with contextlib.suppress(OSError):  # that of the listing itself
            if descriptor > _STDERR and os.get_inheritable(descriptor):
                found.append(descriptor)
    return found


def _acquire(lock: IO[str], patience: float) -> bool:
    """Returns whether the lock was free within so many seconds; then it is held until the file is closed."""

    def takes() -> bool:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    return poll(takes, pause=_POLL_SECONDS, patience=patience)


def _note(lock: IO[str], text: str) -> None:
    lock.truncate(0)
    lock.write(text)
    lock.flush()


def number(lock: Path) -> int:
    """Returns the number of the child that was given this lock last, 0 if it is not known."""
    text = lock.read_text() if lock.exists() else ""
    return int(text) if text.isdecimal() else 0


def is_alive(lock: Path) -> bool:
    """Returns whether the child that was given this lock still lives."""
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
        child: The name of the process.
        pid: Its number.
        timeout: Seconds.

    Raises:
        LocalCloudError: It ended, or did not answer in time; with the end of its log.
    """

    def answers() -> bool:
        if is_healthy(child.port, child.health_path):
            return True
        if _reap(pid) or not is_alive(child.lock):
            raise LocalCloudError(
                f"The {child.name} ended while it started. The end of {child.log}:\n{_tail(child.log)}"
            )
        return False

    if not poll(answers, pause=_POLL_SECONDS, patience=timeout):
        raise LocalCloudError(
            f"The {child.name} did not answer on {HOST}:{child.port} within {timeout:g} seconds. "
            f"The end of {child.log}:\n{_tail(child.log)}"
        )


def is_healthy(port: int, path: str) -> bool:
    """Returns whether something on the port answers a request for the path with success."""
    connection = HTTPConnection(HOST, port, timeout=1)
    try:
        connection.request("GET", path)
        return connection.getresponse().status < 400
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def end_group(lock: Path, *, grace: float) -> bool:
    """End the child that holds a lock and everything that it started: politely, after `grace` seconds for certain.

    A child that does not live any more is left alone, since its number may be another program's.

    Returns:
        Whether it still lived.

    Raises:
        LocalCloudError: It lives, but the lock does not contain its number.
    """
    if not is_alive(lock):
        return False
    pid = number(lock)
    if not pid:
        raise LocalCloudError(f"A process holds {lock}, which does not contain its number: end it by hand.")
    for signal_number, patience in ((signal.SIGTERM, grace), (signal.SIGKILL, grace)):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, signal_number)
        poll(lambda: not is_alive(lock), pause=_POLL_SECONDS, patience=patience)
    _reap(pid)
    return True


def _reap(pid: int) -> bool:
    """Take the entry of an ended child of this very process from the process table."""
    try:
        return os.waitpid(pid, os.WNOHANG)[0] == pid
    except ChildProcessError:
        return False


def free_port() -> int:
    """Returns a free loopback port."""
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        port: int = listener.getsockname()[1]
        return port


def require_free(port: int, advice: str) -> int:
    """Returns the port, if it is free.

    Args:
        port: The one that is wanted.
        advice: What else to do than to end the program that listens there, as the end of a sentence.

    Raises:
        LocalCloudError: Another program has it.
    """
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, port))
        except OSError as error:
            raise LocalCloudError(
                f"Port {port} cannot be used: {error.strerror}. End the program that listens there, or {advice}."
            ) from error
    return port


@contextlib.contextmanager
def exclusive(
    path: Path, *, note: str = "", told: Callable[[str], None] | None = None, patience: float = 0
) -> Iterator[None]:
    """Hold a lock on the file, after waiting for its current holder.

    Args:
        path: The file; it is made if it is not there.
        note: Who holds the lock, for those who wait for it.
        told: Receives the current holder's note before a longer wait.
        patience: How many seconds to wait without telling.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        if not _acquire(file, patience):
            if told:
                told(path.read_text())
            fcntl.flock(file, fcntl.LOCK_EX)
        _note(file, note)
        yield


def replace(path: Path, text: str) -> None:
    """Write a file atomically that only its owner may read."""
    new = path.with_suffix(".new")
    new.unlink(missing_ok=True)
    new.touch(0o600, exist_ok=False)
    try:
        new.write_text(text)
        new.replace(path)
    except BaseException:
        new.unlink(missing_ok=True)
        raise


def _tail(log: Path) -> str:
    """Returns the last lines of a log."""
    return "\n".join(log.read_text(errors="replace").splitlines()[-20:])
