"""The cloud that the console talks to, found by the environment alone."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal, overload

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError

from analytics.athena import Athena
from infra.cli.screen import ConsoleError
from infra.deploying.stacks import ROOT
from infra.local.cloud import LocalCloud

if TYPE_CHECKING:
    from mypy_boto3_athena import AthenaClient
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_glue import GlueClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_scheduler import EventBridgeSchedulerClient
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_ssm import SSMClient
    from mypy_boto3_xray import XRayClient

STATE = Path(os.environ.get("EARWORM_STATE", ROOT / ".earworm"))
"""Where the local cloud keeps its state; another folder is another cloud."""
_LONGEST_INVOCATION = 910
_CHOICE_OF_CLOUD = ("AWS_ENDPOINT_URL", "AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_WEB_IDENTITY_TOKEN_FILE")


@dataclass(frozen=True, slots=True)
class Platform:
    """What the platform's stack tells of itself."""

    bucket: str
    artifacts_bucket: str
    database: str
    workgroup: str
    crawler: str


@dataclass(frozen=True)
class Cloud:
    """An environment of Earworm in one account and region.

    Attributes:
        environment: `dev` or `prod`.
        variables: The variables that lead there, and the settings for what is deployed.
    """

    environment: str
    variables: Mapping[str, str]

    @cached_property
    def platform(self) -> Platform:
        """Where the platform keeps what all share.

        Raises:
            ConsoleError: The platform is not deployed.
        """
        path = f"/earworm/{self.environment}/"
        pages = self.client("ssm").get_paginator("get_parameters_by_path").paginate(Path=path)
        told = {each["Name"].removeprefix(path): each["Value"] for page in pages for each in page["Parameters"]}
        try:
            return Platform(**{name: told[name.replace("_", "-")] for name in Platform.__dataclass_fields__})
        except KeyError as missing:
            raise ConsoleError(
                f"The platform of {self.environment} is not deployed at {self.address}: there is no SSM parameter "
                f"{path}{missing.args[0]}. Run `earworm deploy`, or `earworm up` first for the local cloud."
            ) from None

    @cached_property
    def athena(self) -> Athena:
        """Whom to ask about the tables.

        Raises:
            ConsoleError: The platform is not deployed.
        """
        return Athena(self.client("athena"), self.platform.database, self.platform.workgroup)

    @cached_property
    def session(self) -> boto3.Session:
        """The session of all clients."""
        return boto3.Session()

    @property
    def address(self) -> str:
        """Where the cloud is, for a person."""
        endpoint = self.variables.get("AWS_ENDPOINT_URL")
        return f"the local cloud {endpoint}" if endpoint else f"AWS {self.session.region_name}"

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
    def client(self, service: Literal["sqs"]) -> "SQSClient": ...
    @overload
    def client(self, service: Literal["ssm"]) -> "SSMClient": ...
    @overload
    def client(self, service: Literal["xray"]) -> "XRayClient": ...
    def client(self, service: str) -> object:
        """A client; those of Lambda wait as long as the longest invocation and never invoke twice.

        Raises:
            ConsoleError: The environment names no region.
        """
        config = Config(
            read_timeout=_LONGEST_INVOCATION if service == "lambda" else 60,
            retries={"total_max_attempts": 1} if service == "lambda" else {"mode": "standard"},
        )
        try:
            return self.session.client(service, config=config)  # type: ignore[call-overload]  # the overloads narrow it
        except BotoCoreError as fault:
            raise ConsoleError(
                f"The environment leads to no cloud: {fault} Set AWS_PROFILE, or run `earworm up`."
            ) from fault


def find_cloud(environment: str) -> Cloud:
    """The cloud that the environment names; the local one if it names none and that is up."""
    endpoints = None if any(os.environ.get(name) for name in _CHOICE_OF_CLOUD) else LocalCloud(STATE).endpoints()
    if endpoints:
        for name, value in endpoints.environment().items():
            os.environ.setdefault(name, value)
    return Cloud(environment, dict(os.environ))
