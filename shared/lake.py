"""The lake: its key layout, and how its objects are written.

Writes converge whatever the order of the workers. An output carries the version of the raw object that it was made
from. A worker that finds an output of another version checks which of the two is current: it goes on if its own is,
and starts over if not. An output is created if there is none, and else replaced or removed as the worker saw it; if it
changed since, the worker looks again.

A conditional write cannot protect an absent key, nor bytes that changed and changed back. The receipt, unique per raw
version, is written last as the commit record; each worker re-checks its outputs after it. A slower worker's change
before the receipt is thus noticed, and one that comes later finds the receipt and starts over.

The receipt also names the ETags of the other outputs, so that a listing proves later that they are unchanged. ETags
are those that S3 answered, never computed: with SSE-KMS, equal bytes may have different ETags. The re-check compares
ETags too, so it also notices another worker of the same raw version, be it of another version of the code.
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
from shared import objects
from shared.errors import PermanentError, TransientError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import PutObjectRequestTypeDef

    from contracts.tables.table import Table

Area: TypeAlias = Literal[
    "raw", "processed", "quarantine", "quarantine-values", "receipts", "compacted", "dead-letters", "reports"
]
"""The first segment of a key: the purpose of the object."""


@dataclass(frozen=True, slots=True)
class ListKind:
    """A kind of list that the lake keeps snapshots of.

    Attributes:
        name: Its name in the contracts of its tables.
        folder: The second segment of its keys, and the value of the partition `kind` in the tables of operations.
        document: The name of its raw objects.
        list_id: The form of a list's id, for messages.
        topic: The SSM parameter below `/earworm/<env>/` that names the topic of its raw snapshots.
    """

    name: Kind
    folder: str
    document: str
    list_id: str
    topic: str

    def prefix(self, area: Area) -> str:
        """Returns the prefix of the kind's objects in an area."""
        return f"{area}/{self.folder}/"

    def day_of(self, folder: str) -> date | None:
        """Returns the day of a folder of raw snapshots; None if it is another folder."""
        prefix = self.prefix("raw")
        try:
            return snapshot_day(date.fromisoformat(folder.removeprefix(prefix).removesuffix("/")))
        except ValueError:
            return None


PLAYLISTS = ListKind("playlists", "spotify", "playlist.json", "<playlist id>", "topic-arn")
CHARTS = ListKind("charts", "charts", "chart.json", "<source>-<chart id>", "charts-topic-arn")
KINDS: Mapping[Kind, ListKind] = MappingProxyType({kind.name: kind for kind in (PLAYLISTS, CHARTS)})
"""The kinds of list by name."""

WATCH_LIST = "watchlist/watchlist.csv"
"""The key of the watch list, alone in its folder, which is the location of its table."""

UNLOADED_PREFIX = "unloaded/"
"""Below which raw objects are kept that somebody took out of the lake; nobody is told of what comes there."""

LOADS_PREFIX = "loads/"
"""Below which each load of the console keeps its record."""

CONTENT_SHA256 = "content-sha256"
"""The metadata of every output that holds the SHA-256 of its bytes, in hexadecimal."""

_KIND_OF_FOLDER = {kind.folder: kind for kind in KINDS.values()}
_FOLDER = f"(?P<folder>{'|'.join(_KIND_OF_FOLDER)})"
_LIST_ID = "(?P<list_id>[A-Za-z0-9_-]{1,128})"
_PARTITION = "year=(?P<year>[0-9]{4})/month=(?P<month>[0-9]{2})/day=(?P<day>[0-9]{2})"
_RAW_KEY = re.compile(rf"raw/{_FOLDER}/(?P<date>[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}})/{_LIST_ID}/[a-z]+\.json")
_ROWS_KEY = re.compile(rf"processed/{_FOLDER}/(?P<table>\w+)/{_PARTITION}/{_LIST_ID}\.parquet")
_ROWS_FOLDER = re.compile(rf"processed/{_FOLDER}/(?P<table>\w+)/{_PARTITION}/")
_FOLDER_BESIDE_ROWS = re.compile(rf"(?P<area>quarantine|quarantine-values|receipts)/{_FOLDER}/{_PARTITION}/")
_KEY_BESIDE_ROWS = re.compile(
    rf"(?:quarantine|quarantine-values|receipts)/{_FOLDER}/{_PARTITION}/(?P<table>\w+)-{_LIST_ID}\.json"
)
_AREAS_OF_OPERATIONS: Mapping[str, Area] = {
    "receipts": "receipts",
    "rejected_rows": "quarantine",
    "rejected_values": "quarantine-values",
}
_OPERATIONS_OF_AREA: Mapping[str, str] = {area: table for table, area in _AREAS_OF_OPERATIONS.items()}
_TRANSIENT = frozenset(
    {"ConditionalRequestConflict", "OperationAborted", "409", "SlowDown", "RequestTimeout"}
    | {"InternalError", "ServiceUnavailable", "500", "502", "503", "504"}
)
"""The errors after which S3 asks to retry: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html"""


def table_prefix(table: "Table[Any]", area: Literal["processed", "compacted"] = "processed") -> str:
    """Returns the prefix of a table's objects; for a table of operations, of every kind's."""
    if table.kind is None:
        return f"{_AREAS_OF_OPERATIONS[table.name]}/"
    return f"{kind_of(table).prefix(area)}{table.name}/"


def kind_of(table: "Table[Any]") -> ListKind:
    """Returns the kind of list that a transformer's table is made from."""
    if table.kind is None:
        raise ValueError(f"{table.name} is made from every kind of list")
    return KINDS[table.kind]


def partition_of_month(first: date) -> str:
    """Returns the folder of a day's month, within the prefix of a table or an area."""
    return f"{first:year=%Y/month=%m/}"


@dataclass(frozen=True, slots=True)
class SnapshotKey:
    """A list on a day, from which every key of the lake follows."""

    snapshot_date: date
    list_id: str
    kind: ListKind = PLAYLISTS

    @classmethod
    def from_raw(cls, key: str) -> Self:
        """Reads the key of a raw object.

        Raises:
            PermanentError: It is not the key of a raw snapshot, or its day is outside the tables' days.
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

    @classmethod
    def find(cls, key: str) -> Self | None:
        """Reads the key of a raw object; None if it is another key."""
        try:
            return cls.from_raw(key)
        except PermanentError:
            return None

    @property
    def raw(self) -> str:
        """The key of the raw snapshot."""
        return f"{self.kind.prefix('raw')}{self.snapshot_date}/{self.list_id}/{self.kind.document}"

    def parquet(self, table: str) -> str:
        """Returns the key of a table's rows of the snapshot."""
        return f"{self.kind.prefix('processed')}{table}/{self._partition}/{self.list_id}.parquet"

    def quarantine(self, table: str) -> str:
        """Returns the key of a table's rejected rows of the snapshot."""
        return self._beside_rows("quarantine", table)

    def quarantined_values(self, table: str) -> str:
        """Returns the key of a table's refused values of the snapshot."""
        return self._beside_rows("quarantine-values", table)

    def receipt(self, table: str) -> str:
        """Returns the key of a table's receipt for the snapshot."""
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
    """A table and a snapshot, whose outputs belong together."""

    table: str
    key: SnapshotKey

    @classmethod
    def from_output(cls, key: str) -> Self | None:
        """Reads the key of rows, of a receipt or of a quarantine; None if it is another key."""
        parts = _ROWS_KEY.fullmatch(key) or _KEY_BESIDE_ROWS.fullmatch(key)
        if parts is None:
            return None
        try:
            day = snapshot_day(date(int(parts["year"]), int(parts["month"]), int(parts["day"])))
        except ValueError:
            return None
        return cls(parts["table"], SnapshotKey(day, parts["list_id"], _KIND_OF_FOLDER[parts["folder"]]))


class Partition(NamedTuple):
    """The folder of a table's objects of one day, or of one month if it is compacted, as the catalog knows it.

    Attributes:
        table: The table; one of operations for receipts and quarantines.
        values: The values of the table's partition keys.
        folder: The prefix of the objects.
    """

    table: str
    values: tuple[str, ...]
    folder: str

    @classmethod
    def of(cls, key: str) -> Self | None:
        """Reads the key of an output or of its folder; None if it is another key."""
        folder = key[: key.rfind("/") + 1]
        if parts := _ROWS_FOLDER.fullmatch(folder):
            return cls(parts["table"], parts.group("year", "month", "day"), folder)
        if parts := _FOLDER_BESIDE_ROWS.fullmatch(folder):
            return cls(_OPERATIONS_OF_AREA[parts["area"]], parts.group("folder", "year", "month", "day"), folder)
        return None

    @property
    def month(self) -> tuple[str, str]:
        """Year and month, as in the values."""
        year, _, month = self.folder.partition("/year=")[2].partition("/month=")
        return year, month[:2]

    @property
    def day(self) -> date:
        """The day, unless it is of a month."""
        year, month, day = map(int, self.values[-3:])
        return date(year, month, day)


def _bare(etag: str) -> str:
    """Returns an ETag without HTTP's quotes."""
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
        """Identifies this version among those of the key."""
        return self.version_id or self.etag


@dataclass(frozen=True, slots=True)
class Output:
    """An object that was made from a raw object, as S3 stored it.

    Attributes:
        etag: S3's answer to the write.
    """

    etag: str
    bytes: int


class SupersededError(TransientError):
    """There is a newer raw object: outputs of the older one must not be written."""


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
        if raw := self._find_raw(key):
            return raw
        raise PermanentError(
            f"s3://{self._bucket}/{key}", "the raw object is gone; restore an older version, or extract again"
        )

    def last_raw(self, key: SnapshotKey, *, within: timedelta) -> RawObject | None:
        """Reads a list's latest raw snapshot before a day.

        Args:
            key: The list and the day.
            within: How far to look back; each day costs a call until one is found.
        """
        for days in range(1, within.days + 1):
            earlier = replace(key, snapshot_date=key.snapshot_date - timedelta(days))
            if raw := self._find_raw(earlier.raw):
                return raw
        return None

    def put_raw(self, key: SnapshotKey, body: bytes, *, run_id: str, replaces: bool = True) -> bool:
        """Writes a raw snapshot in one PUT, and returns whether it was written.

        Errors after which S3 asks to retry are retried for up to ten seconds.

        Args:
            key: The list and the day.
            body: The snapshot.
            run_id: The run that writes it.
            replaces: Whether it replaces one of the same day, which becomes an older version; if not, an existing one
                stays and nothing is written.

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

    def _find_raw(self, key: str) -> RawObject | None:
        response = objects.get(self._s3, self._bucket, key)
        return response and RawObject(
            key=key,
            body=response["Body"].read(),
            etag=_bare(response["ETag"]),
            version_id=response.get("VersionId"),
            last_modified=response["LastModified"],
            run_id=response["Metadata"].get("run-id"),
        )

    def _put_raw_once(self, key: SnapshotKey, body: bytes, run_id: str, *, replaces: bool) -> bool:
        request: PutObjectRequestTypeDef = {
            "Bucket": self._bucket,
            "Key": key.raw,
            "Body": body,
            "ContentType": "application/json",
            "Metadata": {"run-id": run_id},
        }
        if not replaces:
            request["IfNoneMatch"] = "*"
        try:
            self._s3.put_object(**request)
        except ClientError as fault:
            if fault.response["Error"]["Code"] == "PreconditionFailed":
                return False
            raise
        return True

    def publish(
        self, key: str, body: bytes | None, *, made_from: RawObject, metadata: Mapping[str, str]
    ) -> "Output | None":
        """Writes or removes an output of a version of a raw object.

        Args:
            key: The key of the output.
            body: Its content; None removes the object.
            made_from: The version that it was made from.
            metadata: The object's metadata, in ASCII.

        Returns:
            The object as S3 stored it; None if it was removed.

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
        """Checks that outputs still are as they were published.

        A receipt needs no look: whoever replaces one confirms its own outputs after that.

        Args:
            published: The result of `publish` by key.
            made_from: The version that they were made from.

        Raises:
            SupersededError: Another worker changed one; publish them all again from the raw object as it is now.
        """
        for key, output in published.items():
            existing = self._look(key)
            found = (_bare(existing.etag), existing.made_from) if existing else None
            if found != ((output.etag, made_from.version) if output else None):
                raise SupersededError(f"s3://{self._bucket}/{key} was changed by another worker after it was published")

    def _publish_once(
        self, key: str, body: bytes | None, made_from: RawObject, metadata: Mapping[str, str]
    ) -> "Output | None":
        try:
            if body is None:
                if existing := self._existing(key, made_from):
                    self._s3.delete_object(Bucket=self._bucket, Key=key, IfMatch=existing.etag)
                return None
            complete = {
                **metadata,
                "raw-version": made_from.version,
                "raw-etag": made_from.etag,
                CONTENT_SHA256: sha256(body).hexdigest(),
            }
            # Most keys are new, and need no look before.
            if created := self._create(key, body, complete):
                return created
            existing = self._existing(key, made_from)
            if existing is None:
                raise _OvertakenError(f"s3://{self._bucket}/{key} was removed by another worker")
            answer = self._s3.put_object(
                Bucket=self._bucket, Key=key, Body=body, Metadata=complete, IfMatch=existing.etag
            )
            return Output(_bare(answer["ETag"]), len(body))
        except ClientError as fault:
            if fault.response["Error"]["Code"] in objects.OVERTAKEN:
                raise _OvertakenError(f"s3://{self._bucket}/{key} was changed by another worker") from fault
            raise

    def _create(self, key: str, body: bytes, metadata: Mapping[str, str]) -> "Output | None":
        """Writes an output; None if there is one already."""
        try:
            answer = self._s3.put_object(Bucket=self._bucket, Key=key, Body=body, Metadata=metadata, IfNoneMatch="*")
        except ClientError as fault:
            if fault.response["Error"]["Code"] == "PreconditionFailed":
                return None
            raise
        return Output(_bare(answer["ETag"]), len(body))

    def _existing(self, key: str, made_from: RawObject) -> "_Existing | None":
        """Looks at an output, which may be replaced unless it is of another version that is the current one."""
        existing = self._look(key)
        if existing is not None and existing.made_from != made_from.version and self._is_superseded(made_from):
            raise SupersededError(f"s3://{self._bucket}/{made_from.key} has a newer version than {made_from.version}")
        return existing

    def _look(self, key: str) -> "_Existing | None":
        head = objects.head(self._s3, self._bucket, key)
        return head and _Existing(head["ETag"], head["Metadata"].get("raw-version"))

    def _is_superseded(self, raw: RawObject) -> bool:
        head = objects.head(self._s3, self._bucket, raw.key)
        return head is None or (head.get("VersionId") or _bare(head["ETag"])) != raw.version


def _is_transient(fault: BaseException) -> bool:
    return isinstance(fault, ClientError) and fault.response["Error"]["Code"] in _TRANSIENT


@dataclass(frozen=True, slots=True)
class _Existing:
    etag: str
    made_from: str | None


class _OvertakenError(TransientError):
    """Another worker changed the key between the check and the write."""
