"""The lake: which key holds what, and how an object comes to be there.

Writes converge whatever the order of the workers. An output carries the version of the raw object that it was made
from. A worker that meets an output of another version asks the raw object which of the two is current: it goes on
if its own is, and starts over if not. Every write is conditional on what the worker saw, so whoever was overtaken
between the look and the write looks again.

That leaves what no condition can guard: an output that shall be absent, and one whose bytes came back after a change.
So the last output, whose bytes no other version has, commits the others, and each worker confirms them after it: a
slower one that changed any of them before will be seen, and one that does so later meets the commit and starts over.

The last output also names the ETags of the others, so that a listing proves later that they still hold what it commits.
An ETag is what S3 answered and never computed: under a key of KMS, equal bytes need not have equal ETags. There another
worker of the same version changes them as well, and the confirmation sees it, for it compares ETags too; so it does
where two versions of the code meet over one version of the raw object.
Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-requests.html
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from hashlib import sha256
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Self, TypeAlias

from botocore.exceptions import ClientError
from tenacity import (
    Retrying,
    retry_if_exception,
    retry_if_exception_type,
    stop_after_attempt,
    stop_after_delay,
    wait_random_exponential,
)

from contracts.days import snapshot_day
from contracts.kinds import Kind
from shared.errors import PermanentError, TransientError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

    from contracts.tables.table import Table

Area: TypeAlias = Literal[
    "raw", "processed", "quarantine", "quarantine-values", "receipts", "compacted", "dead-letters", "reports"
]
"""What stands first in a key: what the object is for."""


@dataclass(frozen=True, slots=True)
class ListKind:
    """A kind of list that the lake keeps snapshots of.

    Attributes:
        name: As the contracts of its tables name it.
        folder: What stands second in each of its keys, and in the partition `kind` of the tables of operations.
        document: The name of its raw objects.
        list_id: What the id of a list is made of.
        topic: The SSM parameter below `/earworm/<env>/` that names the topic of its raw snapshots.
    """

    name: Kind
    folder: str
    document: str
    list_id: str
    topic: str

    def prefix(self, area: Area) -> str:
        """Below which prefix the kind has its objects of an area."""
        return f"{area}/{self.folder}/"

    def day_of(self, folder: str) -> date | None:
        """The day whose raw snapshots are in a folder; None if it is no such folder."""
        prefix = self.prefix("raw")
        try:
            return date.fromisoformat(folder.removeprefix(prefix).removesuffix("/"))
        except ValueError:
            return None


PLAYLISTS = ListKind("playlists", "spotify", "playlist.json", "<playlist id>", "topic-arn")
CHARTS = ListKind("charts", "charts", "chart.json", "<source>-<chart id>", "charts-topic-arn")
KINDS: Mapping[Kind, ListKind] = MappingProxyType({kind.name: kind for kind in (PLAYLISTS, CHARTS)})
"""Every kind of list by its name."""

UNLOADED_PREFIX = "unloaded/"
"""Below which raw objects are kept that somebody took out of the lake; nobody is told of what comes there."""

CONTENT_SHA256 = "content-sha256"
"""Metadata of every output: the SHA-256 of its bytes, in hexadecimal."""

_KIND_OF_FOLDER = {kind.folder: kind for kind in KINDS.values()}
_FOLDER = f"(?P<folder>{'|'.join(_KIND_OF_FOLDER)})"
_LIST_ID = "(?P<list_id>[A-Za-z0-9_-]{1,128})"
_PARTITION = "year=(?P<year>[0-9]{4})/month=(?P<month>[0-9]{2})/day=(?P<day>[0-9]{2})"
_RAW_KEY = re.compile(rf"raw/{_FOLDER}/(?P<date>[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}})/{_LIST_ID}/[a-z]+\.json")
_ROWS_KEY = re.compile(rf"processed/{_FOLDER}/(?P<table>\w+)/{_PARTITION}/{_LIST_ID}\.parquet")
_KEY_BESIDE_ROWS = re.compile(
    rf"(?:quarantine|quarantine-values|receipts)/{_FOLDER}/{_PARTITION}/(?P<table>\w+)-{_LIST_ID}\.json"
)
_AREAS_OF_OPERATIONS: Mapping[str, Area] = {
    "receipts": "receipts",
    "rejected_rows": "quarantine",
    "rejected_values": "quarantine-values",
}
_OVERTAKEN = frozenset({"PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey", "404", "412", "409"})
_TRANSIENT = frozenset(
    {"ConditionalRequestConflict", "OperationAborted", "409", "SlowDown", "RequestTimeout"}
    | {"InternalError", "ServiceUnavailable", "500", "502", "503", "504"}
)
"""What S3 asks to repeat: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html"""


def table_prefix(table: "Table[Any]", area: Literal["processed", "compacted"] = "processed") -> str:
    """Below which prefix a table of the catalog has its objects; a table of operations, those of every kind."""
    if table.kind is None:
        return f"{_AREAS_OF_OPERATIONS[table.name]}/"
    return f"{kind_of(table).prefix(area)}{table.name}/"


def kind_of(table: "Table[Any]") -> ListKind:
    """The kind of list whose snapshots a table that a transformer writes is made of."""
    if table.kind is None:
        raise ValueError(f"{table.name} is of every kind of list")
    return KINDS[table.kind]


def partition_of_month(first: date) -> str:
    """Below which folder, within a table's or an area's prefix, everything of a day's month is."""
    return f"{first:year=%Y/month=%m/}"


@dataclass(frozen=True, slots=True)
class SnapshotKey:
    """A list on a day: what every key of the lake is a function of."""

    snapshot_date: date
    list_id: str
    kind: ListKind = PLAYLISTS

    @classmethod
    def from_raw(cls, key: str) -> Self:
        """Reads the key of a raw object.

        Raises:
            PermanentError: It is not the key of a raw snapshot, or its day is none that the tables have.
        """
        problem = "not the key of a raw snapshot"
        if parts := _RAW_KEY.fullmatch(key):
            try:
                day = snapshot_day(date.fromisoformat(parts["date"]))
            except ValueError as fault:
                problem = f"{problem}, for {fault}"
            else:
                found = cls(day, parts["list_id"], _KIND_OF_FOLDER[parts["folder"]])
                if found.raw == key:
                    return found
        places = (f"{kind.prefix('raw')}<YYYY-MM-DD>/{kind.list_id}/{kind.document}" for kind in KINDS.values())
        raise PermanentError(f"key {key!r}", f"{problem}; raw snapshots are at {' and '.join(places)}")

    @property
    def raw(self) -> str:
        """Where the raw snapshot is."""
        return f"{self.kind.prefix('raw')}{self.snapshot_date}/{self.list_id}/{self.kind.document}"

    def parquet(self, table: str) -> str:
        """Where a table's rows of the snapshot are."""
        return f"{self.kind.prefix('processed')}{table}/{self._partition}/{self.list_id}.parquet"

    def quarantine(self, table: str) -> str:
        """Where a table's rejected rows of the snapshot are."""
        return self._beside_rows("quarantine", table)

    def quarantined_values(self, table: str) -> str:
        """Where the values are that a table's rows of the snapshot are kept without."""
        return self._beside_rows("quarantine-values", table)

    def receipt(self, table: str) -> str:
        """Where the receipt is that a table is complete for the snapshot."""
        return self._beside_rows("receipts", table)

    def _beside_rows(self, area: Area, table: str) -> str:
        return f"{self.kind.prefix(area)}{self._partition}/{table}-{self.list_id}.json"

    def outputs(self, table: str) -> tuple[str, ...]:
        """All that a table may have of the snapshot, the receipt first."""
        return self.receipt(table), self.parquet(table), self.quarantine(table), self.quarantined_values(table)

    @property
    def unloaded(self) -> str:
        """Where the raw snapshot is once somebody took it out of the lake."""
        return f"{UNLOADED_PREFIX}{self.raw}"

    @property
    def _partition(self) -> str:
        return f"{self.snapshot_date:year=%Y/month=%m/day=%d}"


class Place(NamedTuple):
    """A table's outputs of a snapshot."""

    table: str
    key: SnapshotKey

    @classmethod
    def from_output(cls, key: str) -> Self | None:
        """Reads the key of rows, of a receipt or of a quarantine; None if it is none of these."""
        parts = _ROWS_KEY.fullmatch(key) or _KEY_BESIDE_ROWS.fullmatch(key)
        if parts is None:
            return None
        try:
            day = snapshot_day(date(int(parts["year"]), int(parts["month"]), int(parts["day"])))
        except ValueError:
            return None
        return cls(parts["table"], SnapshotKey(day, parts["list_id"], _KIND_OF_FOLDER[parts["folder"]]))


def _bare(etag: str) -> str:
    """An ETag without the quotes that HTTP puts around it."""
    return etag.strip('"')


@dataclass(frozen=True, slots=True)
class RawObject:
    """A raw object as it was when it was read."""

    key: str
    body: bytes
    etag: str
    version_id: str | None
    last_modified: datetime
    run_id: str | None

    @property
    def version(self) -> str:
        """What tells this version from the key's other ones."""
        return self.version_id or self.etag


@dataclass(frozen=True, slots=True)
class Output:
    """An object that was made from a raw object, as S3 took it.

    Attributes:
        etag: What S3 calls its bytes.
    """

    etag: str
    bytes: int


class SupersededError(TransientError):
    """A newer raw object has come: what was made of the older one must not be written."""


class Lake:
    """The bucket of the lake."""

    def __init__(self, s3: "S3Client", bucket: str) -> None:
        self._s3 = s3
        self._bucket = bucket

    def read_raw(self, key: str) -> RawObject:
        """Reads a raw object as it is now.

        Raises:
            PermanentError: There is none.
        """
        try:
            return self._get_raw(key)
        except self._s3.exceptions.NoSuchKey:
            raise PermanentError(
                f"s3://{self._bucket}/{key}",
                "the raw object is gone; restore it from an older version, or extract again",
            ) from None

    def last_raw(self, key: SnapshotKey, *, within: timedelta) -> RawObject | None:
        """Reads the raw snapshot that a list had last before a day.

        Args:
            key: The list and the day.
            within: How long before the day it may be; each day of that costs a call until one is found.
        """
        for days in range(1, within.days + 1):
            earlier = replace(key, snapshot_date=key.snapshot_date - timedelta(days))
            try:
                return self._get_raw(earlier.raw)
            except self._s3.exceptions.NoSuchKey:
                continue
        return None

    def put_raw(self, key: SnapshotKey, body: bytes, *, run_id: str, replaces: bool = True) -> bool:
        """Writes a raw snapshot in one piece, and tells whether it was written.

        What S3 asks to repeat is repeated for some seconds.

        Args:
            key: Whose snapshot it is.
            body: The snapshot.
            run_id: The run that writes it.
            replaces: Whether it takes the place of one of the same day, which becomes an older version; otherwise that
                one stays and nothing is written.

        Raises:
            ClientError: S3 refuses.
        """
        retrying = Retrying(
            retry=retry_if_exception(_is_transient),
            stop=stop_after_attempt(5) | stop_after_delay(10),
            wait=wait_random_exponential(multiplier=0.2, max=2),
            reraise=True,
        )
        return retrying(self._put_raw_once, key, body, run_id, replaces=replaces)

    def _get_raw(self, key: str) -> RawObject:
        response = self._s3.get_object(Bucket=self._bucket, Key=key)
        return RawObject(
            key=key,
            body=response["Body"].read(),
            etag=_bare(response["ETag"]),
            version_id=response.get("VersionId"),
            last_modified=response["LastModified"],
            run_id=response["Metadata"].get("run-id"),
        )

    def _put_raw_once(self, key: SnapshotKey, body: bytes, run_id: str, *, replaces: bool) -> bool:
        told = {"run-id": run_id}
        try:
            if replaces:
                self._s3.put_object(
                    Bucket=self._bucket, Key=key.raw, Body=body, ContentType="application/json", Metadata=told
                )
            else:
                self._s3.put_object(
                    Bucket=self._bucket,
                    Key=key.raw,
                    Body=body,
                    ContentType="application/json",
                    Metadata=told,
                    IfNoneMatch="*",
                )
        except ClientError as fault:
            if fault.response["Error"]["Code"] == "PreconditionFailed":
                return False
            raise
        return True

    def publish(
        self, key: str, body: bytes | None, *, made_from: RawObject, metadata: Mapping[str, str]
    ) -> "Output | None":
        """Makes a key hold what was made from a version of a raw object.

        Args:
            key: The key of the output.
            body: What it shall hold; None if there shall be no object.
            made_from: The version that it was made from.
            metadata: What the object tells of itself, in ASCII.

        Returns:
            The object as S3 took it; None if there shall be none.

        Raises:
            SupersededError: The raw object has a newer version by now, and nothing was written.
            TransientError: Other workers kept changing the key.
        """
        retrying = Retrying(
            retry=retry_if_exception_type(_OvertakenError),
            stop=stop_after_attempt(8),
            wait=wait_random_exponential(multiplier=0.05, max=1),
            reraise=True,
        )
        return retrying(self._publish_once, key, body, made_from, metadata)

    def confirm(self, published: "Mapping[str, Output | None]", *, made_from: RawObject) -> None:
        """Makes sure that outputs still are as they were published.

        Args:
            published: What `publish` returned for each key.
            made_from: The version that they were made from.

        Raises:
            SupersededError: Another worker changed one since; publish them all again from the raw object as it is now.
        """
        for key, output in published.items():
            standing = self._look(key)
            found = (_bare(standing.etag), standing.made_from) if standing else None
            if found != ((output.etag, made_from.version) if output else None):
                raise SupersededError(f"s3://{self._bucket}/{key} was changed by another worker after it was published")

    def _publish_once(
        self, key: str, body: bytes | None, made_from: RawObject, metadata: Mapping[str, str]
    ) -> "Output | None":
        standing = self._look(key)
        if standing is not None and standing.made_from != made_from.version and self._is_superseded(made_from):
            raise SupersededError(f"s3://{self._bucket}/{made_from.key} has a newer version than {made_from.version}")
        try:
            if body is None:
                if standing is not None:
                    self._s3.delete_object(Bucket=self._bucket, Key=key, IfMatch=standing.etag)
                return None
            told = {
                **metadata,
                "raw-version": made_from.version,
                "raw-etag": made_from.etag,
                CONTENT_SHA256: sha256(body).hexdigest(),
            }
            if standing is None:
                answer = self._s3.put_object(Bucket=self._bucket, Key=key, Body=body, Metadata=told, IfNoneMatch="*")
            else:
                answer = self._s3.put_object(
                    Bucket=self._bucket, Key=key, Body=body, Metadata=told, IfMatch=standing.etag
                )
            return Output(_bare(answer["ETag"]), len(body))
        except ClientError as fault:
            if fault.response["Error"]["Code"] in _OVERTAKEN:
                raise _OvertakenError(f"s3://{self._bucket}/{key} was changed by another worker") from fault
            raise

    def _look(self, key: str) -> "_Standing | None":
        try:
            head = self._s3.head_object(Bucket=self._bucket, Key=key)
        except ClientError as fault:
            if fault.response["Error"]["Code"] in {"404", "NoSuchKey"}:
                return None
            raise
        return _Standing(head["ETag"], head["Metadata"].get("raw-version"))

    def _is_superseded(self, raw: RawObject) -> bool:
        try:
            head = self._s3.head_object(Bucket=self._bucket, Key=raw.key)
        except ClientError as fault:
            if fault.response["Error"]["Code"] in {"404", "NoSuchKey"}:
                return True
            raise
        return (head.get("VersionId") or _bare(head["ETag"])) != raw.version


def _is_transient(fault: BaseException) -> bool:
    return isinstance(fault, ClientError) and fault.response["Error"]["Code"] in _TRANSIENT


@dataclass(frozen=True, slots=True)
class _Standing:
    etag: str
    made_from: str | None


class _OvertakenError(TransientError):
    """Another worker changed the key between the look and the write."""
