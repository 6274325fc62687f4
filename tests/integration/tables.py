"""Every table of a lake in process: its transformer, its place in the catalog, how its objects are damaged."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from functools import cache
from hashlib import sha256
from typing import Any

import moto.backends
import pytest
from moto import mock_aws

from contracts.tables import TABLES, of_kind
from infra.catalog import declared_tables
from infra.deploying.stacks import CATALOG, template
from services import transform_of
from shared.catalog import Catalog
from shared.dead_letters import DeadLetterQueue
from shared.lake import SnapshotKey
from shared.queue import Queue
from shared.worker import Worker
from tests.integration.cloud import BUCKET, KEY, SESSION, Cloud, make_cloud, record

DATABASE = "earworm_dev"
ALARM_TOPIC = "arn:aws:sns:us-east-1:123456789012:earworm-dev-alarms"
OF_THE_AUDIT: Mapping[str, str] = {
    "S3_BUCKET": BUCKET,
    "SERVICE_VERSION": "1.0.0",
    "GRACE_MINUTES": "15",
    "GLUE_DATABASE": DATABASE,
    "EARWORM_ENV": "dev",
    "ALARM_TOPIC_ARN": ALARM_TOPIC,
    "LEAST_SHARES": "{}",
    "MOST_DAYS_WITHOUT_SNAPSHOT": "7",
}
"""The environment of an audit."""


@cache
def declared_by(component: str) -> Mapping[str, Any]:
    """The tables that a component's template declares."""
    values = {"Environment": "dev", "Bucket": BUCKET, "Database": DATABASE}
    return declared_tables(template(component).read_text(), values)


def declare_tables() -> None:
    """Makes the catalog that the templates declare."""
    glue = SESSION.client("glue")
    glue.create_database(DatabaseInput={"Name": DATABASE})
    for table in declared_by(CATALOG).values():
        glue.create_table(DatabaseName=DATABASE, TableInput=table)


@contextmanager
def audited_cloud(**environment: str) -> Iterator[Cloud]:
    """A cloud with every table deployed and nothing in it, in the environment of an audit."""
    with pytest.MonkeyPatch.context() as patch, mock_aws():
        for name, value in {**OF_THE_AUDIT, **environment}.items():
            patch.setenv(name, value)
        declare_tables()
        cloud = make_cloud()
        cloud.deploy(*TABLES)
        yield cloud


@contextmanager
def transforming_cloud() -> Iterator[Cloud]:
    """A cloud with the catalog's tables and nothing in it, in the environment of a transformer of its queue."""
    with pytest.MonkeyPatch.context() as patch, mock_aws():
        declare_tables()
        cloud = make_cloud()
        for name, value in {
            "S3_BUCKET": BUCKET,
            "QUEUE_URL": cloud.queue,
            "DEAD_LETTER_QUEUE_URL": cloud.dead_letters,
            "SERVICE_VERSION": "1.0.0",
            "GLUE_DATABASE": DATABASE,
        }.items():
            patch.setenv(name, value)
        yield cloud


def make_queues(cloud: Cloud) -> None:
    """Makes the queues of every table, as the stacks of their services do."""
    for table in TABLES:
        for suffix in ("", "-dead-letters"):
            cloud.sqs.create_queue(QueueName=f"earworm-dev-{table.replace('_', '-')}{suffix}")


@contextmanager
def undone(cloud: Cloud) -> Iterator[None]:
    """Takes back afterwards what becomes of the lake and its catalog."""
    catalog = moto.backends.get_backend("glue")["123456789012"]["us-east-1"]
    versions, databases = _versions(cloud), deepcopy(catalog.databases)
    yield
    for key, version in _versions(cloud) - versions:
        cloud.s3.delete_object(Bucket=BUCKET, Key=key, VersionId=version)
    catalog.databases = databases


def _versions(cloud: Cloud) -> set[tuple[str, str]]:
    """Of objects and of what marks their deletion."""
    pages = cloud.s3.get_paginator("list_object_versions").paginate(Bucket=BUCKET)
    found = (each for page in pages for each in (*page.get("Versions", []), *page.get("DeleteMarkers", [])))
    return {(each["Key"], each["VersionId"]) for each in found}


def worker(cloud: Cloud, name: str) -> Worker[Any]:
    """The transformer of a table."""
    return Worker(
        table=TABLES[name],
        transform=transform_of(name),
        lake=cloud.lake,
        catalog=Catalog(SESSION.client("glue"), DATABASE, BUCKET),
        queue=Queue(cloud.sqs, cloud.queue),
        dead_letters=DeadLetterQueue(cloud.sqs, cloud.dead_letters),
        service_version="1.0.0",
    )


def complete(cloud: Cloud, key: SnapshotKey = KEY, *, without: str = "") -> None:
    """What all transformers of a snapshot's kind but one do with its announcement."""
    for name in {*of_kind(key.kind.name)} - {without}:
        replay(cloud, name, key)


def replay(cloud: Cloud, table: str, key: SnapshotKey = KEY) -> None:
    """What the transformer of a table does with the announcement of a snapshot."""
    worker(cloud, table).process(record(json.dumps({"Records": [{"s3": {"object": {"key": key.raw}}}]})))


def alter(cloud: Cloud, key: str, body: bytes | None = None, **metadata: str) -> None:
    """Replaces an object's body or what it tells of itself."""
    had = cloud.s3.get_object(Bucket=BUCKET, Key=key)
    told = had["Metadata"] | {name.replace("_", "-"): value for name, value in metadata.items()}
    cloud.s3.put_object(Bucket=BUCKET, Key=key, Body=had["Body"].read() if body is None else body, Metadata=told)


def copy(cloud: Cloud, source: str, target: str) -> None:
    """Puts what one key holds under another, with its metadata."""
    cloud.s3.copy_object(Bucket=BUCKET, Key=target, CopySource={"Bucket": BUCKET, "Key": source})


def flip(cloud: Cloud, key: str, place: int) -> None:
    """Damages one byte of an object."""
    body = bytearray(cloud.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read())
    body[place] ^= 0xFF
    alter(cloud, key, bytes(body))


def receipt_with(cloud: Cloud, table: str, **fields: Any) -> bytes:
    """A receipt as it is but for some fields."""
    return json.dumps(cloud.json_lines(KEY.receipt(table))[0] | fields).encode()


def forge(cloud: Cloud, table: str, **fields: Any) -> None:
    """Replaces fields of a receipt, and the SHA-256 that its metadata name."""
    body = receipt_with(cloud, table, **fields)
    alter(cloud, KEY.receipt(table), body, content_sha256=sha256(body).hexdigest())
