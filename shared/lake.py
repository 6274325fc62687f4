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
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Self

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
from shared.errors import PermanentError, TransientError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

RAW_PREFIX = "raw/spotify/"
PROCESSED_PREFIX = "processed/spotify/"
QUARANTINE_PREFIX = "quarantine/spotify/"
QUARANTINED_VALUES_PREFIX = "quarantine-values/spotify/"
RECEIPTS_PREFIX = "receipts/spotify/"
UNLOADED_PREFIX = "unloaded/"
"""Below which raw objects are kept that somebody took out of the lake; nobody is told of what comes there."""

CONTENT_SHA256 = "content-sha256"
"""Metadata of every output: the SHA-256 of its bytes, in hexadecimal."""

_RAW_KEY = re.compile(rf"{RAW_PREFIX}(\d{{4}}-\d{{2}}-\d{{2}})/([A-Za-z0-9_-]{{1,128}})/playlist\.json")
_OVERTAKEN = frozenset({"PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey", "404", "412", "409"})
_TRANSIENT = frozenset(
    {"ConditionalRequestConflict", "OperationAborted", "409", "SlowDown", "RequestTimeout"}
    | {"InternalError", "ServiceUnavailable", "500", "502", "503", "504"}
)
"""What S3 asks to repeat: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html"""


def table_prefix(table: str) -> str:
    """Below which prefix a table of the catalog has its objects."""
    beside = {
        "receipts": RECEIPTS_PREFIX,
        "rejected_rows": QUARANTINE_PREFIX,
        "rejected_values": QUARANTINED_VALUES_PREFIX,
    }
    return beside.get(table, f"{PROCESSED_PREFIX}{table}/")


@dataclass(frozen=True, slots=True)
class SnapshotKey:
    """A playlist on a day: what every key of the lake is a function of."""

    snapshot_date: date
    playlist_id: str

    @classmethod
    def from_raw(cls, key: str) -> Self:
        """Reads the key of a raw object.

        Raises:
            PermanentError: It is not the key of a raw snapshot, or its day is none that the tables have.
        """
        try:
            if parts := _RAW_KEY.fullmatch(key):
                return cls(snapshot_day(date.fromisoformat(parts[1])), parts[2])
            problem = "not the key of a raw snapshot"
        except ValueError as fault:
            problem = f"not the key of a raw snapshot, for {fault}"
        raise PermanentError(
            f"key {key!r}",
            f"{problem}; raw snapshots are at {RAW_PREFIX}<YYYY-MM-DD>/<playlist id>/playlist.json",
        )

    @property
    def raw(self) -> str:
        """Where the raw snapshot is."""
        return f"{RAW_PREFIX}{self.snapshot_date}/{self.playlist_id}/playlist.json"

    def parquet(self, table: str) -> str:
        """Where a table's rows of the snapshot are."""
        return f"{table_prefix(table)}{self._partition}/{self.playlist_id}.parquet"

    def quarantine(self, table: str) -> str:
        """Where a table's rejected rows of the snapshot are."""
        return f"{QUARANTINE_PREFIX}{self._partition}/{table}-{self.playlist_id}.json"

    def quarantined_values(self, table: str) -> str:
        """Where the values are that a table's rows of the snapshot are kept without."""
        return f"{QUARANTINED_VALUES_PREFIX}{self._partition}/{table}-{self.playlist_id}.json"

    def receipt(self, table: str) -> str:
        """Where the receipt is that a table is complete for the snapshot."""
        return f"{RECEIPTS_PREFIX}{self._partition}/{table}-{self.playlist_id}.json"

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
        """Reads the raw snapshot that a playlist had last before a day.

        Args:
            key: The playlist and the day.
            within: How long before the day it may be; each day of that costs a call until one is found.
        """
        for days in range(1, within.days + 1):
            earlier = SnapshotKey(key.snapshot_date - timedelta(days), key.playlist_id)
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
