"""Every command in every environment: where its requests go, and that nothing else is reached."""

import json
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import unquote, urlsplit

import pytest
import requests
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import BotoCoreError, ClientError
from botocore.httpsession import URLLib3Session
from typer.core import TyperGroup
from typer.main import get_command
from typer.testing import CliRunner, Result

from infra.cli import cloud as clouds
from infra.cli.app import COMMANDS as IMPORTED
from infra.cli.app import app
from infra.cli.screen import ConsoleError
from infra.demos import recovery
from infra.deploying.build import BuildError
from infra.deploying.deploy import DeployError
from infra.local.clock import CLOCK_PATH
from infra.local.cloud import Endpoints, LocalCloudError
from infra.local.processes import free_port
from infra.local.simulated import CLIENT_ID_PREFIX
from infra.local.spotify.admin import TIER_PATH
from infra.tools import notebook

UP = Endpoints(
    aws="http://127.0.0.1:4566",
    spotify="http://127.0.0.1:4570",
    access_key_id="LOCAL0123456789ABCDEF",
    secret_access_key="the secret",
    client_id=f"{CLIENT_ID_PREFIX}0",
    client_secret="the client's secret",
    simulator_secret="the simulator's secret",
    listenbrainz="http://127.0.0.1:4571",
)
"""Where the local cloud is, if it is up."""
SIMULATOR = {name for name in UP.environment() if name.startswith(("SPOTI", "RECCOBEATS", "LISTENBRAINZ"))}
"""The variables that lead to the simulators."""
LOCAL, AWS, ELSEWHERE, NOWHERE = "local", "AWS", "other", "-"
ACCOUNT = "123456789012"

LOCAL_ONLY = {"up", "down", "tiers", "demo", "demo-recovery"}
"""What acts on the local cloud and nothing else."""
STARTING = {"up", "demo", "demo-recovery"}
WITHOUT_CLOUD = {"build", "changed"}
READING = {
    "tables", "query", "services", "report", "audit", "runs", "status", "watch list", "logs", "failures", "trace",
    "explain", "dlq", "dlq show",
}  # fmt: skip
"""What changes nothing on AWS. A command that is named nowhere here has to tell the account first."""

ARGUMENTS: Mapping[str, Sequence[str]] = {
    "backfill": ["--weeks", "1"],
    "build": ["songs"],
    "changed": ["--since", "HEAD"],
    "compact": ["--month", "2026-11"],
    "deploy": ["platform"],
    "dlq drop": ["songs", "--reason", "test", "--yes"],
    "dlq redrive": ["songs"],
    "dlq show": ["songs"],
    "explain": ["songs", "--playlist", "p", "--date", "2026-11-23"],
    "load": ["2026-11-23.json", "--yes"],
    "query": ["top_artists"],
    "remove": ["songs", "--yes"],
    "replay": ["--from", "2026-11-23", "--to", "2026-11-23"],
    "unload": ["--playlist", "p", "--date", "2026-11-23", "--yes"],
    "watch add": ["artist", "A"],
    "watch import": ["watchlist.csv", "--replace", "--yes"],
    "watch remove": ["artist", "A", "--yes"],
}
"""What a command needs to be told."""


def leaves(commands: Mapping[str, Any], path: tuple[str, ...] = ()) -> Iterator[str]:
    """The commands that there are, hidden ones too."""
    for name, command in commands.items():
        if not isinstance(command, TyperGroup) or command.invoke_without_command:
            yield " ".join((*path, name))
        if isinstance(command, TyperGroup):
            yield from leaves(command.commands, (*path, name))


COMMANDS = [*leaves({name: command.load() for name, command in IMPORTED.items()}), "audit --repair"]
"""Every command, and what an option turns from reading into writing."""


@dataclass(frozen=True)
class Environment:
    """An environment of the console.

    Attributes:
        leads: Where commands go that follow the environment.
        variables: What is set.
        local: The local cloud: `none` was started, it is `up`, or `half` of it is dead.
        region: The region that requests are signed for.
        proxy: The proxy that requests to AWS take.
        has_profiles: Whether there is a ~/.aws with a profile `default` and one `label`.
    """

    leads: str
    variables: Mapping[str, str] = field(default_factory=dict)
    local: str = "none"
    region: str = "us-east-1"
    proxy: str | None = None
    has_profiles: bool = True


WHATEVER_COUNTS = re.compile("AWS_|SPOTI|RECCOBEATS|EARWORM_|.*_proxy", re.IGNORECASE)
PROXY = "http://proxy.example:3128"
KEYS = {"AWS_ACCESS_KEY_ID": "AKIAKEYS", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_DEFAULT_REGION": "eu-central-1"}
HOSTILE = {
    "AWS_SESSION_TOKEN": "token",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "AWS_REGION": "eu-west-1",
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_CONFIG_FILE": "/nowhere/config",
    "AWS_CA_BUNDLE": "/nowhere/ca.pem",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true",
    "AWS_USE_FIPS_ENDPOINT": "true",
    "AWS_USE_DUALSTACK_ENDPOINT": "true",
    "AWS_DEFAULTS_MODE": "auto",
    **{
        f"AWS_ENDPOINT_URL_{service}": "http://elsewhere.example"
        for service in ("S3", "SSM", "CLOUDFORMATION", "LAMBDA", "STS")
    },
    **dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"), PROXY),
}
"""Whatever could lead astray and names no account."""

ENVIRONMENTS = {
    "no variables": Environment(NOWHERE, has_profiles=False),
    "default profile": Environment(NOWHERE),
    "region set": Environment(NOWHERE, {"AWS_REGION": "eu-west-1"}),
    "AWS_PROFILE": Environment(AWS, {"AWS_PROFILE": "label"}, region="eu-central-1"),
    "AWS_PROFILE and region": Environment(AWS, {"AWS_PROFILE": "label", "AWS_REGION": "eu-west-1"}, region="eu-west-1"),
    "no such profile": Environment(NOWHERE, {"AWS_PROFILE": "nonsense"}),
    "keys": Environment(AWS, KEYS, region="eu-central-1"),
    "keys and region": Environment(AWS, {**KEYS, "AWS_REGION": "eu-west-1"}, region="eu-west-1"),
    "keys and proxy": Environment(AWS, {**KEYS, "HTTPS_PROXY": PROXY}, region="eu-central-1", proxy=PROXY),
    "web identity": Environment(
        AWS,
        {
            "AWS_WEB_IDENTITY_TOKEN_FILE": "token",
            "AWS_ROLE_ARN": f"arn:aws:iam::{ACCOUNT}:role/deployer",
            "AWS_REGION": "eu-west-1",
        },
        region="eu-west-1",
    ),
    "container": Environment(
        AWS,
        {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:1338/credentials", "AWS_REGION": "eu-west-1"},
        region="eu-west-1",
        has_profiles=False,
    ),
    "endpoint": Environment(ELSEWHERE, {**KEYS, "AWS_ENDPOINT_URL": "http://cloud.example"}, region="eu-central-1"),
    "local up": Environment(LOCAL, local="up"),
    "local up, region set": Environment(LOCAL, {"AWS_REGION": "eu-west-1"}, local="up"),
    "local up, dead proxy": Environment(LOCAL, {"HTTP_PROXY": PROXY, "http_proxy": PROXY}, local="up"),
    "local up, endpoints ignored": Environment(LOCAL, {"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"}, local="up"),
    "local up, all that misleads": Environment(LOCAL, HOSTILE, local="up"),
    "local up, AWS_PROFILE": Environment(AWS, {"AWS_PROFILE": "label"}, local="up", region="eu-central-1"),
    "local up, no such profile": Environment(NOWHERE, {"AWS_PROFILE": "nonsense"}, local="up"),
    ".earworm/env was read": Environment(LOCAL, UP.environment(), local="up"),
    ".earworm/env, all that misleads": Environment(LOCAL, HOSTILE | UP.environment(), local="up"),
    ".earworm/env of an earlier one": Environment(
        NOWHERE, UP.environment() | {"AWS_ENDPOINT_URL": "http://127.0.0.1:4999"}, local="up"
    ),
    "local half dead": Environment(NOWHERE, local="half"),
    "local half dead, .earworm/env was read": Environment(NOWHERE, UP.environment(), local="half"),
    "local half dead, AWS_PROFILE": Environment(AWS, {"AWS_PROFILE": "label"}, local="half", region="eu-central-1"),
}


class FakeLocalCloud:
    """Stands in for the processes of the local cloud."""

    state: ClassVar[str] = "none"
    started_with: ClassVar[Mapping[str, str]] = {}

    def __init__(self, _: Path, environment: Mapping[str, str]) -> None:
        self._environment = environment

    def start(self) -> Endpoints:
        FakeLocalCloud.started_with = self._environment
        FakeLocalCloud.state = "up"
        return UP

    def stop(self) -> bool:
        FakeLocalCloud.state = "none"
        return True

    def endpoints(self) -> Endpoints | None:
        if self.state == "half":
            raise LocalCloudError("The Spotify simulator is gone.")
        return UP if self.state == "up" else None


@dataclass(frozen=True)
class Sent:
    """A request that was sent."""

    service: str
    place: str
    proxy: str | None
    key: str | None = None
    region: str | None = None


PLATFORM = {"bucket", "artifacts-bucket", "database", "workgroup", "crawler"}
IDENTITY = f"<GetCallerIdentityResult><Account>{ACCOUNT}</Account></GetCallerIdentityResult>"
ROLE = (
    "<AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>AKIAROLE</AccessKeyId><SecretAccessKey>s"
    "</SecretAccessKey><SessionToken>t</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials>"
    "</AssumeRoleWithWebIdentityResult>"
)
VERSIONS = (
    b"<ListVersionsResult><IsTruncated>false</IsTruncated><Version><Key>raw/spotify/2026-11-23/p/playlist.json</Key>"
    b"<VersionId>v</VersionId><IsLatest>true</IsLatest><ETag>e</ETag></Version></ListVersionsResult>"
)
CONTAINER = {"AccessKeyId": "AKIACONTAINER", "SecretAccessKey": "s", "Token": "t", "Expiration": "2099-01-01T00:00:00Z"}


class Recorder:
    """Takes every request in place of the network: tells the account and the platform, and refuses the rest."""

    def __init__(self) -> None:
        self.sent: list[Sent] = []
        self.stored: bytes | None = None

    def send(self, session: Any, request: AWSPreparedRequest) -> AWSResponse:
        url = str(request.url)
        body = _bytes(request.body)
        scope = re.search(r"Credential=(\w+)/\d+/([\w-]+)/([\w-]+)/", _text(request.headers.get("Authorization", "")))
        key, region, service = scope.groups() if scope else (None, None, urlsplit(url).path.strip("/"))
        proxy = session._proxy_config.proxy_url_for(url)
        if b"AssumeRoleWithWebIdentity" in body:
            return _answer(url, 200, f"<R>{ROLE}</R>".encode())
        if url == ENVIRONMENTS["container"].variables["AWS_CONTAINER_CREDENTIALS_FULL_URI"]:
            return _answer(url, 200, json.dumps(CONTAINER).encode())
        self.sent.append(Sent(str(service), _place(url), proxy, key, region))
        if b"GetCallerIdentity" in body:
            return _answer(url, 200, f"<R>{IDENTITY}</R>".encode())
        if self.stored and request.method == "GET" and "raw/spotify/" in unquote(url):
            body = VERSIONS if "versions" in urlsplit(url).query.split("&") else self.stored
            return _answer(url, 200, body, ETag='"e"', **{"Last-Modified": "Mon, 23 Nov 2026 06:00:00 GMT"})
        target = _text(request.headers.get("X-Amz-Target", ""))
        if target.endswith("GetParametersByPath"):
            path = json.loads(body)["Path"]
            parameters = [{"Name": f"{path}/{name}", "Value": name} for name in PLATFORM]
            return _answer(url, 200, json.dumps({"Parameters": parameters}).encode())
        error = b'{"__type": "AccessDenied"}' if target else b"<E><Error><Code>AccessDenied</Code></Error></E>"
        return _answer(url, 403, error)

    def send_to_the_simulator(self, request: requests.PreparedRequest, proxies: Any) -> requests.Response:
        url = str(request.url)
        self.sent.append(Sent("simulator", _place(url), requests.utils.select_proxy(url, proxies)))
        response = requests.Response()
        response.status_code = 200
        if url == f"{UP.spotify}{CLOCK_PATH}":
            response._content = json.dumps(json.loads(_bytes(request.body)) | {"is_set": True}).encode()
        else:
            response._content = _bytes(request.body) if url == f"{UP.spotify}{TIER_PATH}" else b"{}"
        return response


def _text(header: str | bytes) -> str:
    return header.decode() if isinstance(header, bytes) else header


def _bytes(body: Any) -> bytes:
    return body if isinstance(body, bytes) else str(body).encode()


def _place(url: str) -> str:
    if url.startswith((UP.aws, str(UP.spotify))):
        return LOCAL
    return AWS if str(urlsplit(url).hostname).endswith(".amazonaws.com") else ELSEWHERE


class _Raw(BytesIO):
    def stream(self, *_: object, **__: object) -> Iterator[bytes]:
        yield self.read()


def _answer(url: str, status: int, body: bytes, **headers: str) -> AWSResponse:
    message = HTTPHeaders()
    for name, value in headers.items():
        message[name] = value
    return AWSResponse(url, status, message, _Raw(body))


@pytest.fixture
def recorder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Recorder:
    recorder = Recorder()

    def send(session: URLLib3Session, request: AWSPreparedRequest) -> AWSResponse:
        return recorder.send(session, request)

    def send_to_the_simulator(
        _: object, request: requests.PreparedRequest, proxies: Any = None, **__: object
    ) -> requests.Response:
        return recorder.send_to_the_simulator(request, proxies)

    monkeypatch.setattr(URLLib3Session, "send", send)
    monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", send_to_the_simulator)
    monkeypatch.setattr(clouds, "LocalCloud", FakeLocalCloud)
    monkeypatch.setattr(recovery, "LocalCloud", FakeLocalCloud)
    monkeypatch.setattr("infra.deploying.build.build", _refuse_to_build)
    monkeypatch.setattr("infra.cli.authorize._Listener.callback", lambda *_: {})
    monkeypatch.setattr("infra.cli.authorize._code", lambda *_: "code")
    monkeypatch.setattr("typer.testing._get_command", cache(get_command))  # and to build the commands once
    return recorder


def _refuse_to_build(*_: object) -> None:
    raise BuildError("Nothing is built here.")


@dataclass
class Walk:
    """The console in one environment."""

    environment: Environment
    recorder: Recorder

    def run(self, command: str, *arguments: str) -> Result:
        """Runs a command with what it needs; faults that the console tells in a sentence are its result."""
        FakeLocalCloud.state = self.environment.local
        self.recorder.sent.clear()
        result = CliRunner().invoke(app, [*command.split(), *(arguments or ARGUMENTS.get(command, ()))])
        told = (BotoCoreError, BuildError, ClientError, ConsoleError, DeployError, LocalCloudError)
        if result.exception and not isinstance(result.exception, (SystemExit, *told)):
            raise result.exception
        assert result.exit_code != 2, result.stderr
        return result

    @property
    def went_to(self) -> str:
        places = {each.place for each in self.recorder.sent}
        assert len(places) <= 1, self.recorder.sent
        return places.pop() if places else NOWHERE


@pytest.fixture
def enter(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, recorder: Recorder) -> Callable[[Environment], Walk]:
    def entered(environment: Environment) -> Walk:
        for name in filter(WHATEVER_COUNTS.match, list(os.environ)):
            monkeypatch.delenv(name)
        for name, value in environment.variables.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("SPOTIPY_REDIRECT_URI", f"http://127.0.0.1:{free_port()}/callback")
        monkeypatch.setenv("HOME", str(tmp_path))
        monkeypatch.chdir(tmp_path)
        (tmp_path / "token").write_text("token")
        (tmp_path / "2026-11-23.json").write_text('{"id": "p", "type": "playlist", "tracks": {"items": []}}')
        (tmp_path / "watchlist.csv").write_text("type,value\nartist,A\n")
        if environment.has_profiles:
            (tmp_path / ".aws").mkdir()
            (tmp_path / ".aws/config").write_text(
                "[default]\nregion = us-west-2\naws_access_key_id = AKIADEFAULT\naws_secret_access_key = s\n"
                "[profile label]\nregion = eu-central-1\naws_access_key_id = AKIALABEL\naws_secret_access_key = s\n"
            )
        return Walk(environment, recorder)

    return entered


def expected(command: str, environment: Environment) -> str:
    """Where the requests of a command must go."""
    if command in WITHOUT_CLOUD | {"up", "down"}:
        return NOWHERE
    if command in STARTING:
        return LOCAL
    if command in LOCAL_ONLY:
        return LOCAL if environment.local == "up" else NOWHERE
    return environment.leads


@pytest.mark.slow
@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_every_command_acts_where_the_environment_says_and_tells_so_first(
    enter: Callable[[Environment], Walk], name: str
) -> None:
    environment = ENVIRONMENTS[name]
    console = enter(environment)
    found = {}
    for command in COMMANDS:
        # when a command runs
        result = console.run(command)
        found[command] = console.went_to

        # then its requests carry what belongs there
        for each in console.recorder.sent:
            if each.place == LOCAL:
                assert each.proxy is None
                assert (each.key, each.region) in {
                    (UP.environment()["AWS_ACCESS_KEY_ID"], UP.environment()["AWS_REGION"]), (None, None)
                }  # fmt: skip
            else:
                assert (each.region, each.proxy) == (environment.region, environment.proxy)
                assert each.key != "AKIADEFAULT"

        # and it said where it acts, on AWS with the account before anything is written
        if found[command] == LOCAL:
            assert f"dev at the local cloud {UP.aws}\n" in result.stderr
        elif found[command] in {AWS, ELSEWHERE}:
            services = [each.service for each in console.recorder.sent]
            assert (services[0] == "sts") == (command not in READING)
            assert len(services) > 1 or command in READING
            where = "AWS" if found[command] == AWS else environment.variables["AWS_ENDPOINT_URL"]
            whose = "(profile label|by AWS_[A-Z_]+)" if command in READING else f"account {ACCOUNT}"
            assert re.search(rf"^dev at {where} {environment.region}, {whose}$", result.stderr, re.MULTILINE)
        # or it failed with a sentence
        elif command not in WITHOUT_CLOUD | {"up", "down"}:
            assert isinstance(result.exception, ConsoleError | LocalCloudError)

    assert found == {command: expected(command, environment) for command in COMMANDS}
    places = [
        f"{place}: {', '.join(each for each in found if found[each] == place)}" for place in sorted({*found.values()})
    ]
    print(f"\n| {name} | {' | '.join(places)} |")  # noqa: T201 - the walk as a table, with --capture=no


@pytest.mark.parametrize("name", ["no variables", "default profile", "local half dead"])
def test_without_a_cloud_the_fault_says_what_to_do(enter: Callable[[Environment], Walk], name: str) -> None:
    result = enter(ENVIRONMENTS[name]).run("tables")

    sentence = "simulator is gone" if "half" in name else "`earworm up`, .* `export AWS_PROFILE=default`"
    assert re.search(sentence, str(result.exception))


@pytest.mark.parametrize(
    "arguments",
    [
        ["--env", "prod", "dlq", "drop", "songs", "--reason", "test"],
        ["dlq", "--env", "prod", "drop", "songs", "--reason", "test"],
        ["dlq", "drop", "songs", "--reason", "test", "--env", "prod"],
        ["--env", "prod", "dlq", "--env", "prod", "drop", "songs", "--env", "prod", "--reason", "test"],
    ],
)
@pytest.mark.parametrize("variable", [None, "dev"])
def test_the_environment_means_the_same_wherever_it_stands(
    enter: Callable[[Environment], Walk],
    monkeypatch: pytest.MonkeyPatch,
    arguments: Sequence[str],
    variable: str | None,
) -> None:
    console = enter(ENVIRONMENTS["local up"])
    if variable:
        monkeypatch.setenv("EARWORM_ENV", variable)

    result = console.run("", *arguments)

    assert result.stderr.startswith("prod at the local cloud")


def test_an_environment_may_have_any_name_that_fits_into_those_of_its_resources(
    enter: Callable[[Environment], Walk],
) -> None:
    console = enter(ENVIRONMENTS["local up"])

    assert console.run("tables --env staging2").stderr.startswith("staging2 at the local cloud")


def test_the_variable_names_the_environment_of_a_command_and_of_a_group(
    enter: Callable[[Environment], Walk], monkeypatch: pytest.MonkeyPatch
) -> None:
    console = enter(ENVIRONMENTS["local up"])
    monkeypatch.setenv("EARWORM_ENV", "prod")

    assert console.run("tables").stderr.startswith("prod at")
    assert console.run("dlq").stderr.startswith("prod at")
    assert console.run("dlq show").stderr.startswith("prod at")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--env", "prod", "tables", "--env", "dev"], "it is dev here and prod before"),
        (["dlq", "--env", "dev", "show", "songs", "--env", "prod"], "it is prod here and dev before"),
        (["tables", "--env", "production-of-the-label"], "'production-of-the-label' is not the name of an environment"),
        (["tables", "--env", "Prod"], "12 lower-case letters and digits at most"),
        (["--env", "../prod", "tables"], "'../prod' is not the name of an environment"),
    ],
)
def test_an_environment_that_contradicts_or_is_none_is_refused(
    enter: Callable[[Environment], Walk], arguments: Sequence[str], sentence: str
) -> None:
    enter(ENVIRONMENTS["local up"])

    result = CliRunner().invoke(app, arguments)

    assert result.exit_code == 2
    assert sentence in " ".join(result.stderr.replace("│", " ").split())


QUESTIONS = {
    "dlq drop songs --reason test": "Drop dead letters of songs in dev at AWS eu-central-1, account 123456789012?",
    "load 2026-11-23.json": (
        "Replace raw/spotify/2026-11-23/p/playlist.json in dev at AWS eu-central-1, account 123456789012?"
    ),
    "watch remove artist A": ("Remove artist A from the watch list of dev at AWS eu-central-1, account 123456789012?"),
}


@pytest.mark.parametrize("command", QUESTIONS)
def test_what_drops_or_replaces_asks_on_aws(enter: Callable[[Environment], Walk], command: str) -> None:
    console = enter(ENVIRONMENTS["keys"])
    console.recorder.stored = b"another document"

    result = console.run("", *command.split())

    assert str(result.exception) == f"{QUESTIONS[command]} There is no terminal to ask: add --yes."
    # and nothing but what is there was looked at: which versions, and one document
    asked = [each.service for each in console.recorder.sent if each.service in {"lambda", "s3"}]
    assert asked in ([], ["s3", "s3"])


@pytest.mark.parametrize("command", QUESTIONS)
@pytest.mark.parametrize(("name", "answer"), [("keys", ["--yes"]), ("local up", [])])
def test_it_goes_on_with_a_yes_and_on_the_local_cloud(
    enter: Callable[[Environment], Walk], command: str, name: str, answer: Sequence[str]
) -> None:
    console = enter(ENVIRONMENTS[name])
    console.recorder.stored = b"another document"

    result = console.run("", *command.split(), *answer)

    assert not isinstance(result.exception, ConsoleError)


def test_a_question_is_asked_on_a_terminal_unless_it_was_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("typer.confirm", lambda question, **_: asked.append(question))

    clouds.confirm("Drop these?", yes=True)
    with pytest.raises(ConsoleError, match=r"Nothing was done\."):
        clouds.confirm("Drop those?", yes=False)

    assert asked == ["Drop those?"]


def test_a_shell_that_has_read_the_variables_still_has_the_simulator(
    enter: Callable[[Environment], Walk],
) -> None:
    console = enter(Environment(LOCAL, UP.environment()))

    console.run("up")
    console.run("demo-recovery")

    assert FakeLocalCloud.started_with.keys() & SIMULATOR == set()


def test_the_users_own_spotify_counts_even_so(enter: Callable[[Environment], Walk]) -> None:
    own = {"SPOTIPY_CLIENT_ID": "mine", "SPOTIPY_CLIENT_SECRET": "mine too"}
    console = enter(Environment(LOCAL, UP.environment() | own))

    console.run("up")

    assert own.items() <= FakeLocalCloud.started_with.items()
    assert "SPOTIFY_API_URL" not in FakeLocalCloud.started_with


def test_the_simulator_is_never_told_to_aws(enter: Callable[[Environment], Walk]) -> None:
    enter(Environment(AWS, {**UP.environment(), **KEYS, "AWS_ENDPOINT_URL": ""}))

    assert clouds.find_cloud("dev").variables.keys() & SIMULATOR == set()


@pytest.mark.parametrize("name", ["local up, all that misleads", "keys and region"])
def test_jupyter_meets_the_cloud_that_the_console_meets(
    enter: Callable[[Environment], Walk], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    environment = ENVIRONMENTS[name]
    enter(environment)
    FakeLocalCloud.state = environment.local
    variables: dict[str, str] = {}
    monkeypatch.setattr("os.execve", lambda _path, _arguments, given: variables.update(given))

    notebook.main("open", "prod")

    assert variables["EARWORM_ENV"] == "prod"
    assert variables["AWS_DEFAULT_REGION"] == environment.region
    if environment.leads == LOCAL:
        assert UP.environment().items() <= variables.items()
        assert {each for each in variables if each.startswith("AWS_")} - UP.environment().keys() == {
            "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE",
        }  # fmt: skip
        assert "127.0.0.1" in variables["no_proxy"]


def test_advice_names_the_environment_that_it_is_about() -> None:
    assert clouds.Cloud("dev", {}).command("deploy songs") == "earworm deploy songs"
    assert clouds.Cloud("prod", {}).command("deploy songs") == "earworm --env prod deploy songs"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AWS_ENDPOINT_URL", "nonsense"),
        ("AWS_ENDPOINT_URL", "http://["),
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:99999"),
        ("AWS_MAX_ATTEMPTS", "many"),
        ("AWS_REGION", "Frankfurt!"),
    ],
)
def test_an_invalid_setting_of_the_sdk_is_told_before_anything_is_asked(
    enter: Callable[[Environment], Walk], monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    enter(Environment("aws", KEYS))
    monkeypatch.setenv(name, value)

    with pytest.raises(ConsoleError, match=r"^A setting of AWS's SDK cannot be used: .*\. Correct it among the variab"):
        clouds.find_cloud("dev").client("ssm")


def test_a_long_invocation_keeps_its_connection_alive_and_is_never_repeated() -> None:
    config: Any = clouds.Cloud("dev", {"AWS_DEFAULT_REGION": "eu-west-1"}).client("lambda").meta.config

    assert config.tcp_keepalive is True
    assert config.read_timeout > 900
    assert config.retries["total_max_attempts"] == 1
