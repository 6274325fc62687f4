"""S3, SNS and SQS in process, wired as the platform wires them."""

import json
import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from io import BytesIO, StringIO
from typing import TYPE_CHECKING, Any

import boto3
import moto.backends  # a session that was made before moto hands no call to it
import pyarrow.parquet as pq

from infra.cli.cloud import Cloud as ConsoleCloud
from infra.cli.cloud import Platform
from shared.lake import Lake, SnapshotKey
from shared.observability import _lines
from tests import quick_moto

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient

quick_moto.quicken()

BUCKET = "lake"
SESSION = boto3.Session("testing", "testing", region_name="us-east-1")
"""The session of clients that any number of mocked clouds share: to make one takes as long as a dozen calls."""
SESSION.client = cache(SESSION.client)  # type: ignore[method-assign]
UNSHARED = boto3.Session("testing", "testing", region_name="us-east-1")
"""The session of clients that a test hooks into, each of which is made anew."""
KEY = SnapshotKey(date(2026, 11, 22), "3cEYpjA9oz9GiPac4AsH4n")


@dataclass
class Context:
    """What Lambda tells a function of its invocation, as far as the functions look; a fake clock shortens its time."""

    function_name: str = "earworm-dev-songs"
    seconds_left: float = 900.0
    aws_request_id: str = "run-1"
    memory_limit_in_mb: int = 512

    @property
    def invoked_function_arn(self) -> str:
        return f"arn:aws:lambda:us-east-1:123456789012:function:{self.function_name}"

    def get_remaining_time_in_millis(self) -> int:
        return int(self.seconds_left * 1000)

    def wait(self, seconds: float) -> None:
        self.seconds_left -= seconds


@dataclass
class Cloud:
    """A bucket whose raw objects are announced through a topic to one queue with a dead-letter queue."""

    s3: "S3Client"
    sqs: "SQSClient"
    queue: str
    dead_letters: str
    lake: Lake = field(init=False)

    def __post_init__(self) -> None:
        self.lake = Lake(self.s3, BUCKET)

    def put_raw(self, document: Any, key: str = KEY.raw) -> None:
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        self.s3.put_object(Bucket=BUCKET, Key=key, Body=body, Metadata={"run-id": "run-1"})

    def deploy(self, *tables: str) -> None:
        """Tells of tables what their stacks would."""
        for table in tables:
            SESSION.client("ssm").put_parameter(
                Name=f"/earworm/dev/tables/{table}", Value=f"earworm-dev-{table}", Type="String"
            )

    def remove(self, table: str) -> None:
        SESSION.client("ssm").delete_parameter(Name=f"/earworm/dev/tables/{table}")

    def batch(self) -> dict[str, Any]:
        """The queue's messages as a Lambda function is given them."""
        messages = self.sqs.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10)["Messages"]
        return {
            "Records": [
                {**record(message["Body"], message["MessageId"]), "receiptHandle": message["ReceiptHandle"]}
                for message in messages
            ]
        }

    def seconds_hidden(self, message_id: str) -> float:
        """For how long the queue still hides a message, which moto alone tells."""
        queues = moto.backends.get_backend("sqs")["123456789012"]["us-east-1"].queues
        (message,) = (each for each in queues[self.queue.rpartition("/")[2]]._messages if each.id == message_id)
        return float(max(0.0, message.visible_at / 1000 - time.time()))

    def json_lines(self, key: str) -> list[dict[str, Any]]:
        body = self.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
        return [json.loads(line) for line in body.splitlines()]

    def rows(self, key: str) -> list[dict[str, Any]]:
        body = self.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
        return pq.read_table(BytesIO(body)).to_pylist()  # type: ignore[no-any-return]

    def keys(self, prefix: str) -> list[str]:
        return [found["Key"] for found in self.s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])]

    def etags(self) -> dict[str, str]:
        found = self.s3.list_objects_v2(Bucket=BUCKET)["Contents"]
        return {each["Key"]: each["ETag"] for each in found}

    def dead(self) -> list[Any]:
        return self.sqs.receive_message(
            QueueUrl=self.dead_letters, MaxNumberOfMessages=10, MessageAttributeNames=["All"]
        ).get("Messages", [])


def record(body: str, message_id: str = "message-1", **attributes: str) -> dict[str, Any]:
    """A message as a Lambda function is given it."""
    return {
        "messageId": message_id,
        "body": body,
        "attributes": {"ApproximateReceiveCount": "1", **attributes},
        "messageAttributes": {},
        "eventSource": "aws:sqs",
    }


@contextmanager
def written_lines(*, reworded: bool = False) -> Iterator[Callable[[], list[str]]]:
    """What tells the lines of the log since the last look, which may have other sentences than the services give."""

    def reword(line: logging.LogRecord) -> bool:
        line.msg = "other words"
        return True

    stream = StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(_lines().registered_formatter)
    if reworded:
        handler.addFilter(reword)
    _lines().addHandler(handler)

    def told() -> list[str]:
        lines = stream.getvalue().splitlines()
        stream.truncate(0)
        stream.seek(0)
        return lines

    try:
        yield told
    finally:
        _lines()._logger.removeHandler(handler)


def console_cloud(variables: Mapping[str, str] | None = None, *, is_local: bool = False) -> ConsoleCloud:
    """The environment of these clouds, as the console knows it."""
    cloud = ConsoleCloud("dev", variables or {}, is_local=is_local)
    cloud.__dict__["platform"] = Platform(BUCKET, "artifacts", "earworm_dev", "workgroup", "crawler")
    return cloud


def make_cloud() -> Cloud:
    """A cloud of its own; needs `mock_aws`."""
    s3, sns, sqs = SESSION.client("s3"), SESSION.client("sns"), SESSION.client("sqs")
    s3.create_bucket(Bucket=BUCKET)
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    topic = sns.create_topic(Name="raw-snapshots")["TopicArn"]
    queue, dead_letters = (sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("songs", "dead-letters"))
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"})
    s3.put_bucket_notification_configuration(
        Bucket=BUCKET,
        NotificationConfiguration={
            "TopicConfigurations": [
                {
                    "TopicArn": topic,
                    "Events": ["s3:ObjectCreated:*"],
                    "Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": "raw/spotify/"}]}},
                }
            ]
        },
    )
    sqs.purge_queue(QueueUrl=queue)
    return Cloud(s3, sqs, queue, dead_letters)
