"""X-Ray's daemon, as far as what was sent to it can be looked at."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from aws_xray_sdk.core import xray_recorder

ROOT = "1-6925e000-000000000000000000000001"
OTHER_ROOT = "1-6925e000-000000000000000000000002"


def header(root: str = ROOT, *, parent: str = "00000000000000aa", sampled: int = 1) -> str:
    return f"Root={root};Parent={parent};Sampled={sampled}"


@dataclass
class Daemon:
    """A UDP port that the SDK sends to."""

    port: socket.socket

    def documents(self) -> list[dict[str, Any]]:
        """What came since the last look, each document without its header line."""
        found = []
        while True:
            try:
                found.append(json.loads(self.port.recv(65536).partition(b"\n")[2]))
            except BlockingIOError:
                return found

    def steps(self) -> dict[str, dict[str, Any]]:
        """All segments and subsegments that came, by their names; the last of a name."""
        return {each["name"]: each for document in self.documents() for each in flat(document)}


def flat(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield document
    for each in document.get("subsegments", ()):
        yield from flat(each)


@contextmanager
def listening() -> Iterator[Daemon]:
    """A daemon to which this process's recorder sends while it is open."""
    emitter = xray_recorder.emitter
    before = f"{emitter.ip}:{emitter.port}"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as port:
        port.bind(("127.0.0.1", 0))
        port.setblocking(False)
        emitter.set_daemon_address(f"127.0.0.1:{port.getsockname()[1]}")
        yield Daemon(port)
    emitter.set_daemon_address(before)
