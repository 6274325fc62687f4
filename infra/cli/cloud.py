"""Finds the cloud that a command acts on: AWS if the environment names it, else the local one.

A profile called `default` in `~/.aws` names nothing by itself, so that no command reaches an account because a
variable, or a process of the local cloud, is missing. What belongs to the local cloud goes there whatever the
environment holds: its clients ask neither variables nor files for a profile, a region, an endpoint or a proxy.
"""

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, overload
from urllib.parse import urlsplit

import typer
from rich.markup import escape

from analytics.athena import Athena
from contracts.tables import TABLES
from infra.cli.screen import ConsoleError, err
from infra.deploying.stacks import ROOT
from infra.local.cloud import Endpoints, LocalCloud
from infra.local.simulated import CLIENT_ID_PREFIX, CONTACT
from shared.deployed import deployed_tables

if TYPE_CHECKING:
    from botocore.session import Session
    from mypy_boto3_athena import AthenaClient
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_glue import GlueClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_scheduler import EventBridgeSchedulerClient
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_ssm import SSMClient
    from mypy_boto3_sts import STSClient
    from mypy_boto3_xray import XRayClient

STATE = Path(os.environ.get("EARWORM_STATE", ROOT / ".earworm"))
"""Where the local cloud keeps its state; another folder is another cloud."""
CONNECTIONS: Final = 10
"""Calls of one client at once: as many as it keeps connections."""
_LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")
_NAMES_AWS: Final = (
    "AWS_DEFAULT_PROFILE",
    "AWS_PROFILE",
    "AWS_ACCESS_KEY_ID",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_ENDPOINT_URL",
)
"""The variables any of which names an account of AWS, or another cloud that speaks its protocols."""
_NEITHER: Final = (
    "The environment names no cloud, and no local one is up: start that with `earworm up`, or name an account of AWS, "
    "as in `export AWS_PROFILE=default`."
)
_BOUND: Final[ContextVar[LocalCloud | None]] = ContextVar("_BOUND", default=None)


@dataclass(frozen=True, slots=True)
class Platform:
    """The parameters of the platform's stack."""

    bucket: str
    artifacts_bucket: str
    database: str
    workgroup: str
    crawler: str


@dataclass(frozen=True)
class Cloud:
    """An environment of Earworm in one account and region.

    Attributes:
        environment: Its name, such as `dev`.
        variables: The settings for deployments, and all that a child process needs to act on the same cloud.
        is_local: Whether it is the local cloud.
        account: The AWS account, if a command that writes has looked it up.
    """

    environment: str
    variables: Mapping[str, str]
    is_local: bool = False
    account: str | None = None

    @cached_property
    def platform(self) -> Platform:
        """The resources that all services share.

        Raises:
            ConsoleError: The platform is not deployed.
        """
        # Without a trailing slash, as in the policies: IAM compares the path literally.
        path = f"/earworm/{self.environment}"
        pages = self.client("ssm").get_paginator("get_parameters_by_path").paginate(Path=path)
        values = {each["Name"].removeprefix(f"{path}/"): each["Value"] for page in pages for each in page["Parameters"]}
        try:
            return Platform(**{name: values[name.replace("_", "-")] for name in Platform.__dataclass_fields__})
        except KeyError as missing:
            raise ConsoleError(
                f"The platform of {self.environment} is not deployed at {self.address}: there is no SSM parameter "
                f"{path}/{missing.args[0]}. Run `{self.command('deploy')}`."
            ) from None

    def tables(self) -> tuple[str, ...]:
        """Returns the deployed tables; prints a line for each declared one that is not."""
        deployed = deployed_tables(self.client("ssm"), self.environment)
        for table in TABLES:
            if table not in deployed:
                err.print(f"[yellow]{table}: not deployed[/]")
        return deployed

    @cached_property
    def athena(self) -> Athena:
        """The client for queries of the tables.

        Raises:
            ConsoleError: The platform is not deployed.
        """
        return Athena(self.client("athena"), self.platform.database, self.platform.workgroup)

    @cached_property
    def session(self) -> "Session":
        """The session of all clients.

        Raises:
            ConsoleError: The environment names an unknown profile, or no region.
        """
        # AWS's SDK takes longer to import than the rest of the console; help and completion do without.
        from infra.cli import sessions  # noqa: PLC0415

        if self.is_local:
            return sessions.of_the_local_cloud(self.variables)
        try:
            session = sessions.of_the_environment(self.variables)
        except sessions.SessionError as fault:
            raise ConsoleError(f"{' and '.join(_naming())} cannot be used: {fault}.") from fault
        if session.get_config_variable("region") is None:
            raise ConsoleError(
                f"{' and '.join(_naming())} names a cloud, but nothing names its region: `export AWS_REGION=…`."
            )
        return session

    def command(self, words: str) -> str:
        """Returns a command of the console as it is to be typed to act on this environment."""
        return f"earworm {words}" if self.environment == "dev" else f"earworm --env {self.environment} {words}"

    @property
    def address(self) -> str:
        """The cloud's address, for people."""
        endpoint = self.variables.get("AWS_ENDPOINT_URL")
        if self.is_local:
            return f"the local cloud {endpoint}"
        account = f", account {self.account}" if self.account else ""
        return f"{endpoint or 'AWS'} {self.session.get_config_variable('region')}{account}"

    @overload
    def client(self, service: Literal["athena"]) -> "AthenaClient": ...
    @overload
    def client(self, service: Literal["cloudformation"]) -> "CloudFormationClient": ...
    @overload
    def client(self, service: Literal["glue"]) -> "GlueClient": ...
    @overload
    def client(self, service: Literal["lambda"]) -> "LambdaClient": ...
    @overload
    def client(self, service: Literal["logs"]) -> "CloudWatchLogsClient": ...
    @overload
    def client(self, service: Literal["s3"]) -> "S3Client": ...
    @overload
    def client(self, service: Literal["scheduler"]) -> "EventBridgeSchedulerClient": ...
    @overload
    def client(self, service: Literal["secretsmanager"]) -> "SecretsManagerClient": ...
    @overload
    def client(self, service: Literal["sns"]) -> "SNSClient": ...
    @overload
    def client(self, service: Literal["sqs"]) -> "SQSClient": ...
    @overload
    def client(self, service: Literal["ssm"]) -> "SSMClient": ...
    @overload
    def client(self, service: Literal["sts"]) -> "STSClient": ...
    @overload
    def client(self, service: Literal["xray"]) -> "XRayClient": ...
    def client(self, service: str) -> object:
        """Returns a client; Lambda's waits as long as the longest invocation and never retries one.

        Raises:
            ConsoleError: A setting of AWS's SDK in the environment or its files is invalid.
        """
        from infra.cli import sessions  # noqa: PLC0415 - as above

        endpoint = self.variables.get("AWS_ENDPOINT_URL") or None
        try:
            return sessions.client(self.session, service, endpoint, is_local=self.is_local)
        except ValueError as fault:
            raise _invalid_setting(fault) from fault


def _invalid_setting(fault: ValueError) -> ConsoleError:
    told = str(fault).removesuffix(".")
    return ConsoleError(
        f"A setting of AWS's SDK cannot be used: {told}. Correct it among the variables AWS_… or in ~/.aws."
    )


def _host(endpoint: str) -> str | None:
    try:
        parts = urlsplit(endpoint)
        _ = parts.port  # which the SDK reads only when it signs a request
    except ValueError as fault:
        raise _invalid_setting(fault) from fault
    return parts.hostname


def find_cloud(environment: str, *, writes: bool = False) -> Cloud:
    """Returns the cloud that the environment names, or else the local one; prints its address on standard error.

    A shell that has read `.earworm/env` names the local cloud by its address.

    Args:
        environment: Its name, such as `dev`.
        writes: Whether the command changes anything there: then the AWS account is looked up first.

    Raises:
        ConsoleError: The environment names no cloud, or one that does not exist, and no local one is up.
        LocalCloudError: The local cloud was started, but a part of it has ended.
        ClientError: AWS refuses the credentials.
    """
    named = [] if _BOUND.get() else _naming()
    endpoint = os.environ.get("AWS_ENDPOINT_URL", "")
    if not named or _host(endpoint) in _LOOPBACK:
        endpoints = local().endpoints()
        if endpoints and (not named or endpoints.aws == endpoint):
            return _announced(_on(endpoints, environment))
        if named and "EARWORM_LAMBDA_TARGET" in os.environ:
            raise ConsoleError(
                f"This shell has the variables of a local cloud at {endpoint}, which is no longer running: read "
                f"{os.path.relpath(STATE / 'env')} again after `earworm up`, or open another shell."
            )
    if not named:
        raise ConsoleError(_NEITHER)
    cloud = Cloud(environment, variables_of_the_user() | _region())
    if writes:
        cloud = replace(cloud, account=cloud.client("sts").get_caller_identity()["Account"])
    return _announced(cloud)


def local_cloud(environment: str) -> Cloud:
    """Returns the local cloud, whatever the environment names; prints its address on standard error.

    Raises:
        ConsoleError: It is not up.
        LocalCloudError: It was started, but a part of it has ended.
    """
    endpoints = local().endpoints()
    if endpoints is None:
        raise ConsoleError("The local cloud is not up: start it with `earworm up`.")
    return _announced(_on(endpoints, environment))


def local() -> LocalCloud:
    """Returns the local cloud as such, to be started and stopped."""
    return _BOUND.get() or LocalCloud(STATE, variables_of_the_user())


def variables_of_the_user() -> dict[str, str]:
    """Returns the environment without the variables of simulators.

    The local cloud sets them itself: in a shell with its variables, simulators would count as the real services.
    """
    simulators = tuple(filter(None, map(os.environ.get, ("SPOTIFY_SIMULATOR_URL", "LISTENBRAINZ_SIMULATOR_URL"))))
    has_its_credentials = os.environ.get("SPOTIPY_CLIENT_ID", "").startswith(CLIENT_ID_PREFIX)
    return {
        name: value
        for name, value in os.environ.items()
        if not (has_its_credentials and name in {"SPOTIPY_CLIENT_ID", "SPOTIPY_CLIENT_SECRET"})
        and not (name.startswith(("SPOTIFY_", "RECCOBEATS_", "LISTENBRAINZ_")) and value.startswith(simulators))
        and (name, value) != ("LISTENBRAINZ_CONTACT", CONTACT)
        and name not in {"SPOTIFY_SIMULATOR_SECRET", "LISTENBRAINZ_SIMULATOR_SECRET"}
    }


@contextmanager
def bound_to(cloud: LocalCloud) -> Iterator[None]:
    """Makes every command act on one local cloud, whatever the environment names."""
    token = _BOUND.set(cloud)
    try:
        yield
    finally:
        _BOUND.reset(token)


def confirm(question: str, *, yes: bool) -> None:
    """Ask on the terminal, unless `--yes` was given.

    Raises:
        ConsoleError: The answer is no, or there is no terminal.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise ConsoleError(f"{question} There is no terminal to ask: add --yes.")
    if not typer.confirm(question, err=True):
        raise ConsoleError("Nothing was done.")


def _naming() -> list[str]:
    return [name for name in _NAMES_AWS if os.environ.get(name)]


def _on(endpoints: Endpoints, environment: str) -> Cloud:
    own = {name: value for name, value in variables_of_the_user().items() if not name.startswith("AWS_")}
    no_proxy = ",".join([*filter(None, [own.get("no_proxy") or own.get("NO_PROXY")]), *_LOOPBACK])
    apart = {
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "NO_PROXY": no_proxy,
        "no_proxy": no_proxy,
    }
    return Cloud(environment, own | endpoints.environment() | apart, is_local=True)


def _region() -> dict[str, str]:
    region = os.environ.get("AWS_REGION")
    return {"AWS_DEFAULT_REGION": region} if region else {}


def _announced(cloud: Cloud) -> Cloud:
    by = f", {_credentials()}" if not cloud.is_local and cloud.account is None else ""
    err.print(f"[dim]{cloud.environment} at {escape(cloud.address + by)}[/]", soft_wrap=True)
    return cloud


def _credentials() -> str:
    """Returns the source of the credentials: keys in the environment take precedence over a profile."""
    name = next(each for each in ("AWS_ACCESS_KEY_ID", *_naming()) if os.environ.get(each))
    return f"profile {os.environ[name]}" if name.endswith("PROFILE") else f"by {name}"
