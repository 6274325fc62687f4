"""The console as a process, in shells that could lead it astray: a proxy records whatever leaves the machine."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from infra.local.cloud import LocalCloud
from tests.waiting import eventually

pytestmark = pytest.mark.slow


class RecordingProxy(ThreadingHTTPServer):
    """A proxy that leads nowhere, and remembers where it should have led."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Refusal)
        self.asked: set[str] = set()

    @property
    def variables(self) -> dict[str, str]:
        address = f"http://127.0.0.1:{self.server_port}"
        return {name: address for each in ("http_proxy", "https_proxy") for name in (each, each.upper())}


class _Refusal(BaseHTTPRequestHandler):
    server: RecordingProxy

    def do_CONNECT(self) -> None:
        self.server.asked.add(self.path)
        self.send_error(502)

    do_GET = do_POST = do_PUT = do_HEAD = do_DELETE = do_CONNECT  # noqa: N815 - as http.server names them

    def log_message(self, *_: object) -> None:
        pass


@dataclass
class Shell:
    """A shell whose home has a profile `default` and one `label`, behind the proxy.

    Attributes:
        folder: Its home, with the state of its local cloud.
        proxy: What it takes for a proxy.
    """

    folder: Path
    proxy: RecordingProxy
    local: LocalCloud = field(init=False)

    def __post_init__(self) -> None:
        self.local = LocalCloud(self.folder / "state", {})
        (self.folder / ".aws").mkdir()
        (self.folder / ".aws/config").write_text(
            "".join(
                f"[{name}]\nregion = eu-central-1\naws_access_key_id = AKIA\naws_secret_access_key = secret\n"
                for name in ("default", "profile label")
            )
        )

    def earworm(self, *arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
        own = {"PATH": os.environ["PATH"], "HOME": str(self.folder), "EARWORM_STATE": str(self.folder / "state")}
        return subprocess.run(
            [sys.executable, "-m", "infra.cli", *arguments],
            env={**own, **self.proxy.variables, **variables, "COLUMNS": "200"},
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    with RecordingProxy() as proxy:
        Thread(target=proxy.serve_forever, args=(0.01,), daemon=True).start()
        shell = Shell(tmp_path, proxy)
        yield shell
        shell.local.stop()
        proxy.shutdown()


def test_no_process_of_the_console_goes_astray(shell: Shell) -> None:
    # given nothing but a default profile: nothing is asked
    result = shell.earworm("tables")
    assert (result.returncode, shell.proxy.asked) == (1, set())
    assert "`earworm up`" in result.stderr

    # when the local cloud is started in a shell that names AWS, and asked in one that names a region
    assert shell.earworm("up", AWS_PROFILE="nonsense", AWS_REGION="eu-west-1").returncode == 0
    result = shell.earworm("tables", AWS_REGION="eu-west-1", AWS_IGNORE_CONFIGURED_ENDPOINT_URLS="true")

    # then it is there, past the proxy
    assert "The platform of dev is not deployed at the local cloud http://127.0.0.1:" in result.stderr
    result = shell.earworm("tiers", AWS_PROFILE="label")
    assert "dev at the local cloud http://127.0.0.1:" in result.stderr
    assert "There is no schedule earworm-dev-weekly at the local cloud" in result.stderr
    assert shell.proxy.asked == set()

    # and AWS is asked where it is named
    result = shell.earworm("tables", AWS_PROFILE="label", AWS_REGION="eu-west-1", AWS_MAX_ATTEMPTS="1")
    assert "dev at AWS eu-west-1, profile label" in result.stderr
    assert shell.proxy.asked == {"ssm.eu-west-1.amazonaws.com:443"}

    # and when half of the local cloud dies, nobody else is asked in its place
    shell.proxy.asked.clear()
    simulator = next(each for each in shell.local.status() if each.name == "Spotify simulator")
    os.kill(simulator.pid, signal.SIGKILL)
    eventually(lambda: not next(each for each in shell.local.status() if each.name == "Spotify simulator").running)
    for command in (["tables"], ["remove", "songs", "--yes"], ["dlq", "drop", "songs", "--reason", "x"], ["tiers"]):
        result = shell.earworm(*command)
        assert (result.returncode, shell.proxy.asked) == (1, set())
        assert "Spotify simulator of the local cloud (process" in " ".join(result.stderr.split())
