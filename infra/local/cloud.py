"""The embedded cloud: an AWS emulator and a Spotify simulator on loopback ports, up until it is stopped.

Its data lives in memory: `stop` forgets the lake. A state on disk could be restored only after an orderly end,
and half a state is worse than none, when everything is deployed and extracted again within seconds.

IAM decides on every call: functions act in their roles, and who uses the variables of the environment is the
account's root. The decisions are kept in `logs/iam.jsonl` until the next start.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final

from infra.local.processes import (
    HOST,
    Child,
    LocalCloudError,
    await_healthy,
    end_group,
    exclusive,
    free_port,
    is_alive,
    is_healthy,
    replace,
    require_free,
    spawn,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

__all__ = ["Endpoints", "LocalCloud", "LocalCloudError", "ProcessStatus"]

_REGION: Final = "us-east-1"
_START_SECONDS: Final = 30.0
_GRACE_SECONDS: Final = 5.0
_INHERITED: Final = (
    "PATH", "HOME", "LANG", "LC_ALL", "TZ", "PYTHONPATH",
    "HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy",
    "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE",
)  # fmt: skip
"""All that the children take over from the user's environment: the functions of the lake inherit it from the
emulator, and in AWS they would see nothing of it either. The last two lines lead to the real Spotify."""


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where the cloud is. `spotify` is None when the real Spotify is used."""

    aws: str
    spotify: str | None

    def environment(self) -> dict[str, str]:
        """The variables that lead AWS's tools, and the deployment, to this cloud."""
        variables = {
            "AWS_ENDPOINT_URL": self.aws,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": _REGION,
            "AWS_REGION": _REGION,
            "EARWORM_LAMBDA_TARGET": "host",
        }
        if self.spotify:
            variables |= {
                "SPOTIFY_API_URL": f"{self.spotify}/v1/",
                "SPOTIFY_TOKEN_URL": f"{self.spotify}/api/token",
                "SPOTIFY_AUTHORIZE_URL": f"{self.spotify}/authorize",
                "SPOTIFY_SIMULATOR_URL": self.spotify,
                "RECCOBEATS_API_URL": f"{self.spotify}/reccobeats/v1/",
                "SPOTIPY_CLIENT_ID": "earworm-simulator",
                "SPOTIPY_CLIENT_SECRET": "not-a-secret",
            }
        return variables


@dataclass(frozen=True, slots=True)
class ProcessStatus:
    """One of the cloud's processes."""

    name: str
    running: bool
    healthy: bool
    pid: int
    port: int
    log: Path


@dataclass(frozen=True, slots=True)
class _Record:
    """What `cloud.json` keeps of a running cloud, pids and ports by the name of the process."""

    pids: dict[str, int]
    ports: dict[str, int]

    def endpoints(self) -> Endpoints:
        urls = {name: f"http://{HOST}:{port}" for name, port in self.ports.items()}
        return Endpoints(aws=urls[_AWS], spotify=urls.get(_SPOTIFY))


_AWS: Final = "AWS emulator"
_SPOTIFY: Final = "Spotify simulator"
_PORT_VARIABLES: Final = {_AWS: "EARWORM_AWS_PORT", _SPOTIFY: "EARWORM_SPOTIFY_PORT"}
_FILE_NAMES: Final = {_AWS: "aws", _SPOTIFY: "spotify"}
_HEALTH_PATHS: Final = {_AWS: "/_ministack/health", _SPOTIFY: "/_simulator"}


class LocalCloud:
    """The cloud of one state folder. Any process may start, find and stop it.

    Args:
        state_dir: Holds `cloud.json`, `env`, logs and all temporary files; made if absent.
        environment: The user's, for ports, credentials of Spotify and proxies; by default that of the process.
    """

    def __init__(self, state_dir: Path, environment: Mapping[str, str] | None = None) -> None:
        self._state = state_dir.absolute()
        self._environment = os.environ if environment is None else environment
        self._record_path = self._state / "cloud.json"

    @property
    def environment_file(self) -> Path:
        """KEY=value lines that lead AWS's tools to the running cloud."""
        return self._state / "env"

    def start(self) -> Endpoints:
        """Start the cloud and wait until it answers; leave one that is up as it is.

        With SPOTIPY_CLIENT_ID and SPOTIPY_CLIENT_SECRET in the environment the real Spotify takes the place of
        the simulator, and neither goes to the disk.

        Raises:
            LocalCloudError: A process did not come up, a port that the user named is taken, or a cloud is up
                that was started for something else.
        """
        names = self._wanted()
        with exclusive(self._state / "lock"):
            if running := self._running():
                if set(running.ports) != set(names):
                    raise LocalCloudError(
                        "The local cloud is up, but with another choice of Spotify (simulator or real). "
                        "Stop it first; that forgets its data."
                    )
                return running.endpoints()
            self._end(self._record())
            return self._start(names).endpoints()

    def stop(self) -> bool:
        """End every process of the cloud, with its functions, and remove its files but the logs.

        Returns:
            Whether any process was still there.
        """
        with exclusive(self._state / "lock"):
            return self._end(self._record())

    def endpoints(self) -> Endpoints | None:
        """Where the cloud is; None when none was started, or it was stopped.

        Raises:
            LocalCloudError: It was started, and a process of it is gone.
        """
        record = self._record()
        gone = [name for name in (record.pids if record else {}) if not is_alive(self._lock(name))]
        if gone:
            raise LocalCloudError(
                f"The local cloud was started, but its {' and its '.join(gone)} is gone. `earworm up` starts it anew."
            )
        return record.endpoints() if record else None

    def status(self) -> list[ProcessStatus]:
        """The processes of the cloud that was started last; none after `stop`."""
        return list(self._statuses(self._record()))

    def _wanted(self) -> list[str]:
        credentials = [bool(self._environment.get(f"SPOTIPY_CLIENT_{part}")) for part in ("ID", "SECRET")]
        if all(credentials):
            return [_AWS]
        if any(credentials):
            raise LocalCloudError(
                "Only one of SPOTIPY_CLIENT_ID and SPOTIPY_CLIENT_SECRET is set. Set both to use the real "
                "Spotify, or none to use the simulator."
            )
        return [_AWS, _SPOTIFY]

    def _start(self, names: list[str]) -> _Record:
        environment = self._children_environment()
        children = [self._child(name, self._port(name)) for name in names]
        record = _Record({}, {})
        try:
            for child in children:
                record.pids[child.name] = spawn(child, environment)
                record.ports[child.name] = child.port
                replace(self._record_path, json.dumps(asdict(record), indent=2) + "\n")
            for child in children:
                await_healthy(child, record.pids[child.name], timeout=_START_SECONDS)
        except BaseException:
            self._end(record)
            raise
        variables = record.endpoints().environment()
        replace(self.environment_file, "".join(f"{name}={value}\n" for name, value in variables.items()))
        return record

    def _end(self, record: _Record | None) -> bool:
        found = False
        for name, pid in (record.pids if record else {}).items():
            found |= is_alive(self._lock(name))
            end_group(pid, self._lock(name), grace=_GRACE_SECONDS)
        for file in (self._record_path, self.environment_file):
            file.unlink(missing_ok=True)
        shutil.rmtree(self._state / "tmp", ignore_errors=True)
        return found

    def _record(self) -> _Record | None:
        try:
            return _Record(**json.loads(self._record_path.read_text()))
        except FileNotFoundError:
            return None

    def _running(self) -> _Record | None:
        record = self._record()
        alive = record and all(is_alive(self._lock(name)) for name in record.pids)
        return record if alive else None

    def _statuses(self, record: _Record | None) -> Iterator[ProcessStatus]:
        for name, pid in (record.pids if record else {}).items():
            port = record.ports[name] if record else 0
            running = is_alive(self._lock(name))
            healthy = running and is_healthy(port, _HEALTH_PATHS[name])
            yield ProcessStatus(name, running, healthy, pid, port, self._log(name))

    def _port(self, name: str) -> int:
        variable = _PORT_VARIABLES[name]
        given = self._environment.get(variable)
        if not given:
            return free_port()
        if not given.isdecimal() or not 0 < int(given) < 65536:
            raise LocalCloudError(f"{variable} must be a port, 1 to 65535, not '{given}'.")
        return require_free(int(given), variable)

    def _child(self, name: str, port: int) -> Child:
        command = [sys.executable, "-m"]
        if name == _AWS:
            command += ["infra.local.emulator", "--port", str(port), "--state", str(self._state)]
        else:
            command += ["infra.local.spotify", "--port", str(port)]
        return Child(name, command, port, _HEALTH_PATHS[name], self._lock(name), self._log(name))

    def _children_environment(self) -> dict[str, str]:
        inherited = {name: self._environment[name] for name in _INHERITED if name in self._environment}
        loopback = f"{HOST},localhost"
        return inherited | {"NO_PROXY": loopback, "no_proxy": loopback}

    def _lock(self, name: str) -> Path:
        return self._state / f"{_FILE_NAMES[name]}.lock"

    def _log(self, name: str) -> Path:
        return self._state / "logs" / f"{_FILE_NAMES[name]}.log"
