"""Loads as runs: the record that each leaves in the lake, as no service logs of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final
from uuid import uuid4

from pydantic import ValidationError

from contracts.operations.loading import NOT_OVER, Load, LoadedDocument
from contracts.tables import of_kind
from infra.cli.archive import Document
from infra.cli.cloud import Cloud
from infra.cli.collect import Landed
from infra.cli.screen import ConsoleError
from shared import objects
from shared.deployed import deployed_tables
from shared.errors import sentence_of
from shared.lake import LOADS_PREFIX, Place, SnapshotKey

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

LOAD: Final = "load"
"""What a load is called where a service is named; its ids begin so."""


@dataclass(frozen=True, slots=True)
class FoundLoad:
    """A record as listed.

    Attributes:
        written: When it was written last.
    """

    run_id: str
    written: datetime


def begin(cloud: Cloud, documents: Sequence[Document]) -> Load:
    """Writes the record of a load that is about to store documents."""
    tables = deployed_tables(cloud.client("ssm"), cloud.environment)
    load = Load(
        run_id=f"{LOAD}-{uuid4()}",
        began=datetime.now(UTC),
        documents=tuple(
            LoadedDocument(
                outcome=NOT_OVER,
                key=each.key.raw,
                entries=each.entries,
                file=_short(each.name),
                day=each.key.snapshot_date,
            )
            for each in documents
        ),
        expected=sum(len(of_kind(each.key.kind.name, tables)) for each in documents),
    )
    _put(cloud, load)
    return load


def end(cloud: Cloud, load: Load, outcomes: Mapping[SnapshotKey, str], landed: Mapping[Place, Landed]) -> None:
    """Writes the record of a load that is over.

    Args:
        cloud: Where it loaded.
        load: The record that it began with.
        outcomes: What became of each snapshot.
        landed: The snapshots that are in tables.
    """
    by_key = {key.raw: outcome for key, outcome in outcomes.items()}
    ours = {each.key for each in load.documents}
    complete = [found for place, found in landed.items() if place.key.raw in ours]
    ended = {
        "ended": datetime.now(UTC),
        "documents": tuple(
            each.model_copy(update={"outcome": by_key.get(each.key or "", each.outcome)}) for each in load.documents
        ),
        "complete": len(complete),
        "rows": sum(each.rows for each in complete),
        "rejected": sum(each.rejected for each in complete),
    }
    _put(cloud, load.model_copy(update=ended))


def find_load(s3: "S3Client", bucket: str, run_id: str) -> Load | None:
    """Reads the record of a load; None if there is none.

    Raises:
        ConsoleError: It cannot be read.
    """
    found = objects.get(s3, bucket, _key(run_id))
    if found is None:
        return None
    try:
        return Load.model_validate_json(found["Body"].read())
    except ValidationError as fault:
        raise ConsoleError(
            f"s3://{bucket}/{_key(run_id)} is not the record of a load: {sentence_of(fault)}. Remove it, or bring its "
            "older version back."
        ) from None


def find_loads(cloud: Cloud, *, days: int) -> list[FoundLoad]:
    """Lists the loads of the last days, the newest first."""
    since = datetime.now(UTC) - timedelta(days=days)
    found = [
        FoundLoad(each["Key"].removeprefix(LOADS_PREFIX).removesuffix(".json"), each["LastModified"])
        for each in objects.listed(cloud.client("s3"), cloud.platform.bucket, f"{LOADS_PREFIX}{LOAD}-")
        if each["LastModified"] >= since
    ]
    return sorted(found, key=lambda each: each.written, reverse=True)


def _short(file: str) -> str:
    """A file's name and the two folders that it is in: whole paths tell of somebody's machine."""
    return "/".join(PurePosixPath(file).parts[-3:])


def _put(cloud: Cloud, load: Load) -> None:
    cloud.client("s3").put_object(
        Bucket=cloud.platform.bucket,
        Key=_key(load.run_id),
        Body=load.model_dump_json().encode(),
        ContentType="application/json",
    )


def _key(run_id: str) -> str:
    return f"{LOADS_PREFIX}{run_id}.json"
