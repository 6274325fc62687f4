"""What collectors need of AWS, in process."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

import boto3
import pytest
from moto import mock_aws

from tests.integration.cloud import BUCKET

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_scheduler import EventBridgeSchedulerClient
    from mypy_boto3_secretsmanager import SecretsManagerClient


@dataclass
class Cloud:
    """A bucket that keeps versions, secrets, and schedules."""

    s3: "S3Client"
    secrets: "SecretsManagerClient"
    scheduler: "EventBridgeSchedulerClient"

    def keys(self) -> list[str]:
        return [found["Key"] for found in self.s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])]

    def deferred(self) -> list[tuple[dict[str, Any], datetime]]:
        """The events of the runs that are left to a later time, and when they start."""
        names = [each["Name"] for each in self.scheduler.list_schedules()["Schedules"]]
        schedules = [self.scheduler.get_schedule(Name=name) for name in names]
        return [
            (
                json.loads(each["Target"]["Input"]),
                datetime.fromisoformat(each["ScheduleExpression"].removeprefix("at(")[:-1]).replace(tzinfo=UTC),
            )
            for each in schedules
        ]


CloudT = TypeVar("CloudT", bound=Cloud)


@contextmanager
def collecting(cloud: type[CloudT], environment: Mapping[str, str]) -> Iterator[CloudT]:
    """A cloud with nothing in it, in the environment of a collector."""
    with pytest.MonkeyPatch.context() as patch, mock_aws():
        for name, value in environment.items():
            patch.setenv(name, value)
        made = cloud(boto3.client("s3"), boto3.client("secretsmanager"), boto3.client("scheduler"))
        made.s3.create_bucket(Bucket=BUCKET)
        made.s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        yield made
