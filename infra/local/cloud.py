"""The embedded cloud: an AWS emulator and simulators of its sources on loopback ports, up until it is stopped.

Its data lives in memory: `stop` forgets the lake. A state on disk could be restored only after an orderly end,
and half a state is worse than none, when everything is deployed and extracted again within seconds.

It is its owner's: keys are drawn at every start and kept in files that nobody else may read, and its processes take
requests that carry them alone. IAM decides on every call: functions act in their roles, and who uses the keys is the
account's root. The decisions are kept in `logs/iam.jsonl` until the next start.
"""

from __future__ import annotations

import logging
import os
import secrets
import shutil
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from infra.local.loopback import HEALTH_PATH
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
    number,
    replace,
    require_free,
    spawn,
)
from infra.local.simulated import CLIENT_ID_PREFIX, CONTACT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

__all__ = ["Endpoints", "LocalCloud", "LocalCloudError", "ProcessStatus"]

_REGION: Final = "us-east-1"
_START_SECONDS: Final = 120.0
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
    """Where the cloud is, and the keys that open it.

    Attributes:
        aws: Address of the AWS emulator.
        spotify: Address of the Spotify simulator; None when the real Spotify is used.
        listenbrainz: Address of the ListenBrainz simulator; None when the real ListenBrainz is used.
        access_key_id: That of the account's root.
        secret_access_key: Likewise.
        client_id: That of the application which is registered with the simulator.
        client_secret: Likewise.
        simulator_secret: The secret for the simulators' own routes.
    """

    aws: str
    spotify: str | None
    access_key_id: str
    secret_access_key: str = field(repr=False)
    client_id: str = ""
    client_secret: str = field(default="", repr=False)
    simulator_secret: str = field(default="", repr=False)
    listenbrainz: str | None = None

    def environment(self) -> dict[str, str]:
        """Returns the variables that lead the console and what it starts to this cloud."""
        return self.environment_of_aws() | self._environment_of_spotify() | self._environment_of_listenbrainz()

    def _environment_of_spotify(self) -> dict[str, str]:
        if not self.spotify:
            return {}
        return {
            "SPOTIFY_API_URL": f"{self.spotify}/v1/",
            "SPOTIFY_TOKEN_URL": f"{self.spotify}/api/token",
            "SPOTIFY_AUTHORIZE_URL": f"{self.spotify}/authorize",
            "SPOTIFY_SIMULATOR_URL": self.spotify,
            "SPOTIFY_SIMULATOR_SECRET": self.simulator_secret,
            "RECCOBEATS_API_URL": f"{self.spotify}/reccobeats/v1/",
            "SPOTIPY_CLIENT_ID": self.client_id,
            "SPOTIPY_CLIENT_SECRET": self.client_secret,
        }

    def _environment_of_listenbrainz(self) -> dict[str, str]:
        if not self.listenbrainz:
            return {}
        return {
            "LISTENBRAINZ_API_URL": f"{self.listenbrainz}/1/",
            "LISTENBRAINZ_CONTACT": CONTACT,
            "LISTENBRAINZ_SIMULATOR_URL": self.listenbrainz,
            "LISTENBRAINZ_SIMULATOR_SECRET": self.simulator_secret,
        }

    def environment_of_aws(self) -> dict[str, str]:
        """Returns the variables that lead AWS's own tools to this cloud, and name no Spotify."""
        return {
            "AWS_ENDPOINT_URL": self.aws,
            "AWS_ACCESS_KEY_ID": self.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.secret_access_key,
            "AWS_DEFAULT_REGION": _REGION,
            "AWS_REGION": _REGION,
            "EARWORM_LAMBDA_TARGET": "local",
            "EARWORM_MAXIMUM_CONCURRENCY": "2",
        }


@dataclass(frozen=True, slots=True)
class ProcessStatus:
    """One of the cloud's processes."""

    name: str
    running: bool
    healthy: bool
    pid: int
    port: int
    log: Path


class _Record(BaseModel):
    """The content of `cloud.json`: the ports and keys of a cloud that was started."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    aws_port: int
    spotify_port: int | None
    listenbrainz_port: int | None
    access_key_id: str
    secret_access_key: str
    client_id: str
    client_secret: str
    simulator_secret: str

    @classmethod
    def drawn(cls, ports: Mapping[str, int]) -> Self:
        """Returns the record of a new cloud, with random keys."""
        return cls(
            aws_port=ports[_AWS],
            spotify_port=ports.get(_SPOTIFY),
            listenbrainz_port=ports.get(_LISTENBRAINZ),
            access_key_id=f"LOCAL{secrets.token_hex(8).upper()}",
            secret_access_key=secrets.token_urlsafe(),
            client_id=f"{CLIENT_ID_PREFIX}{secrets.token_hex(8)}",
            client_secret=secrets.token_hex(16),
            simulator_secret=secrets.token_urlsafe(),
        )

    @property
    def ports(self) -> dict[str, int]:
        """By the names of processes."""
        ports = {_AWS: self.aws_port, _SPOTIFY: self.spotify_port, _LISTENBRAINZ: self.listenbrainz_port}
        return {name: port for name, port in ports.items() if port}

    def endpoints(self) -> Endpoints:
        keys = self.model_dump(exclude={"aws_port", "spotify_port", "listenbrainz_port"})
        urls = {name: f"http://{HOST}:{port}" for name, port in self.ports.items()}
        return Endpoints(aws=urls[_AWS], spotify=urls.get(_SPOTIFY), listenbrainz=urls.get(_LISTENBRAINZ), **keys)


_AWS: Final = "AWS emulator"
_SPOTIFY: Final = "Spotify simulator"
_LISTENBRAINZ: Final = "ListenBrainz simulator"
_PORT_VARIABLES: Final = {
    _AWS: "EARWORM_AWS_PORT",
    _SPOTIFY: "EARWORM_SPOTIFY_PORT",
    _LISTENBRAINZ: "EARWORM_LISTENBRAINZ_PORT",
}
_FILE_NAMES: Final = {_AWS: "aws", _SPOTIFY: "spotify", _LISTENBRAINZ: "listenbrainz"}
_KEYS: Final = {
    _AWS: ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
    _SPOTIFY: ("SPOTIPY_CLIENT_ID", "SPOTIPY_CLIENT_SECRET", "SPOTIFY_SIMULATOR_SECRET"),
    _LISTENBRAINZ: ("LISTENBRAINZ_SIMULATOR_SECRET",),
}
"""The variables that each process takes its keys from."""
_OWN_FILES: Final = frozenset(
    {"charts", "cloud.json", "env", "lock", "logs", "proved", "recovery", "replays", "simulator.lock", "tmp"}
    | {f"{name}.lock" for name in _FILE_NAMES.values()}
)
_LOST: Final = (
    "%s had ended, and with it ended the lake, which it kept in memory: every stack, raw snapshot and table. An empty "
    "cloud takes its place. `earworm deploy` and `earworm backfill` bring back what the simulator tells; what you "
    "loaded from files must be loaded again."
)
_log: Final = logging.getLogger(__name__)


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
        """Start the cloud and wait until it answers; leave what is up as it is.

        A simulator that has ended is started again as it was. If the emulator has ended, its data are lost,
        which is logged as a warning before a new cloud is started.

        With SPOTIPY_CLIENT_ID and SPOTIPY_CLIENT_SECRET in the environment the real Spotify takes the place of
        its simulator, and neither goes to the disk; with LISTENBRAINZ_CONTACT the real ListenBrainz does.

        Raises:
            LocalCloudError: A process did not come up, a port that it must have is taken, or a cloud is up that
                was started for something else.
        """
        names = self._wanted()
        self._make_private()
        with exclusive(self._state / "lock"):
            record = self._record()
            gone = self._gone(record) if record else []
            if record is None:
                self._require_nothing_left()
                record = self._start(names)
            elif _AWS in gone:
                _log.warning(_LOST, self._description(_AWS))
                self._end()
                record = self._start(names)
            elif set(record.ports) != set(names):
                raise LocalCloudError(
                    "The local cloud is up, but with another choice of sources (simulated or real). "
                    "Stop it first; that forgets its data."
                )
            elif gone:
                for name in gone:
                    _log.warning("%s had ended and is started again; the lake is as it was.", self._description(name))
                    require_free(record.ports[name], "give the lake up: run `earworm down`, then `earworm up`")
                self._spawn(gone, record)
            if not self.environment_file.exists():
                self._write_variables(record)
            return record.endpoints()

    def stop(self) -> bool:
        """End every process of the cloud, with its functions, and remove its files but the logs.

        Returns:
            Whether any process was still there.
        """
        with exclusive(self._state / "lock"):
            return self._end()

    def endpoints(self) -> Endpoints | None:
        """Where the cloud is; None when none was started, or it was stopped.

        Raises:
            LocalCloudError: It was started, but a part of it has ended; says which, and what to do.
        """
        if not self._record_path.exists():
            return None
        with exclusive(self._state / "lock"):  # after whoever starts or stops it
            record = self._record()
            gone = self._gone(record) if record else []
            if _AWS in gone:
                raise LocalCloudError(
                    f"{self._description(_AWS)} has ended, and the lake, which it kept in memory, with it. "
                    "Run `earworm up` to start an empty cloud, or `earworm down` to have none."
                )
            if gone:
                raise LocalCloudError(
                    f"{self._description(gone[0])} has ended. Run `earworm up`, which starts it again and keeps the "
                    "lake."
                )
            return record.endpoints() if record else None

    def status(self) -> list[ProcessStatus]:
        """Returns the processes of the cloud that was started last; none after `stop`."""
        return list(self._statuses(self._record()))

    def _wanted(self) -> list[str]:
        credentials = [bool(self._environment.get(f"SPOTIPY_CLIENT_{part}")) for part in ("ID", "SECRET")]
        if any(credentials) and not all(credentials):
            raise LocalCloudError(
                "Only one of SPOTIPY_CLIENT_ID and SPOTIPY_CLIENT_SECRET is set. Set both to use the real "
                "Spotify, or none to use the simulator."
            )
        real = {_SPOTIFY: all(credentials), _LISTENBRAINZ: bool(self._environment.get("LISTENBRAINZ_CONTACT"))}
        return [_AWS, *(name for name, is_real in real.items() if not is_real)]

    def _require_nothing_left(self) -> None:
        for name in _FILE_NAMES:
            if is_alive(self._lock(name)):
                raise LocalCloudError(
                    f"An earlier {name} still runs (process {number(self._lock(name))}), but there is no record of it "
                    f"in {self._state}. Run `earworm down`, which ends it, then start again."
                )

    def _make_private(self) -> None:
        """Keep others of this machine out of the folder, which holds keys.

        Raises:
            LocalCloudError: It is open to them, and holds what is not the cloud's.
        """
        self._state.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not self._state.stat().st_mode & 0o077:
            return
        if others := sorted({path.name for path in self._state.iterdir()} - _OWN_FILES):
            raise LocalCloudError(
                f"The folder {self._state} is not the local cloud's alone: it holds {others[0]}. Let EARWORM_STATE "
                "name another one, or a folder that is not there yet."
            )
        self._state.chmod(0o700)

    def _start(self, names: list[str]) -> _Record:
        record = _Record.drawn({name: self._port(name) for name in names})
        try:
            replace(self._record_path, record.model_dump_json(indent=2) + "\n")
            self._spawn(names, record)
            self._write_variables(record)
        except BaseException:
            self._end()
            raise
        return record

    def _write_variables(self, record: _Record) -> None:
        variables = record.endpoints().environment_of_aws()
        replace(self.environment_file, "".join(f"{name}={value}\n" for name, value in variables.items()))

    def _spawn(self, names: Iterable[str], record: _Record) -> None:
        endpoints = record.endpoints()
        children = [self._child(name, record.ports[name]) for name in names]
        pids = [spawn(child, self._child_environment(child.name, endpoints)) for child in children]
        for child, pid in zip(children, pids, strict=True):
            await_healthy(child, pid, timeout=_START_SECONDS)

    def _end(self) -> bool:
        ended = [end_group(self._lock(name), grace=_GRACE_SECONDS) for name in _FILE_NAMES]
        for file in (self._record_path, self.environment_file):
            file.unlink(missing_ok=True)
        shutil.rmtree(self._state / "tmp", ignore_errors=True)
        return any(ended)

    def _record(self) -> _Record | None:
        try:
            return _Record.model_validate_json(self._record_path.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValidationError) as error:
            raise LocalCloudError(
                f"{self._record_path}, which holds ports and keys of the local cloud, cannot be read: "
                f"{error.strerror if isinstance(error, OSError) else error.errors()[0]['msg']}. "
                "Run `earworm down`, which ends what is left of the cloud, then `earworm up`."
            ) from error

    def _gone(self, record: _Record) -> list[str]:
        return [name for name in record.ports if not is_alive(self._lock(name))]

    def _description(self, name: str) -> str:
        return f"The {name} of the local cloud (process {number(self._lock(name))}, log {self._log(name)})"

    def _statuses(self, record: _Record | None) -> Iterator[ProcessStatus]:
        for name, port in (record.ports if record else {}).items():
            running = is_alive(self._lock(name))
            healthy = running and is_healthy(port, HEALTH_PATH)
            yield ProcessStatus(name, running, healthy, number(self._lock(name)), port, self._log(name))

    def _port(self, name: str) -> int:
        variable = _PORT_VARIABLES[name]
        given = self._environment.get(variable)
        if not given:
            return free_port()
        if not given.isdecimal() or not 0 < int(given) < 65536:
            raise LocalCloudError(f"{variable} must be a port, 1 to 65535, not '{given}'.")
        return require_free(int(given), f"name another port in {variable}, or unset it to take a free one")

    def _child(self, name: str, port: int) -> Child:
        command = [sys.executable, "-m"]
        if name == _AWS:
            command += ["infra.local.emulator", "--port", str(port), "--state", str(self._state)]
        else:
            command += [f"infra.local.{_FILE_NAMES[name]}", "--port", str(port)]
        return Child(name, command, port, HEALTH_PATH, self._lock(name), self._log(name))

    def _child_environment(self, name: str, endpoints: Endpoints) -> dict[str, str]:
        """Returns a child's environment, with its keys: everybody can read the arguments of a process."""
        inherited = {name: self._environment[name] for name in _INHERITED if name in self._environment}
        loopback = f"{HOST},localhost"
        keys = {key: value for key, value in endpoints.environment().items() if key in _KEYS[name]}
        return inherited | keys | {"NO_PROXY": loopback, "no_proxy": loopback}

    def _lock(self, name: str) -> Path:
        return self._state / f"{_FILE_NAMES[name]}.lock"

    def _log(self, name: str) -> Path:
        return self._state / "logs" / f"{_FILE_NAMES[name]}.log"
