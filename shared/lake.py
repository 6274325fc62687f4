"""The lake: which key holds what, and how an object comes to be there.

Writes converge whatever the order of the workers. An output carries the version of the raw object that it was made
from. A worker that meets an output of another version asks the raw object which of the two is current: it goes on
if its own is, and starts over if not. Every write is conditional on what the worker saw, so whoever was overtaken
between the look and the write looks again.

That leaves what no condition can guard: an output that shall be absent, and one whose bytes came back after a change.
So the last output, whose bytes no other version has, commits the others, and each worker confirms them after it: a
slower one that changed any of them before will be seen, and one that does so later meets the commit and starts over.
Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-requests.html
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, NoReturn, Self

from botocore.exceptions import ClientError
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from shared.errors import PermanentError, TransientError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

RAW_PREFIX = "raw/spotify/"
PROCESSED_PREFIX = "processed/spotify/"
QUARANTINE_PREFIX = "quarantine/spotify/"
QUARANTINED_VALUES_PREFIX = "quarantine-values/spotify/"
RECEIPTS_PREFIX = "receipts/spotify/"

_RAW_KEY = re.compile(rf"{RAW_PREFIX}(\d{{4}}-\d{{2}}-\d{{2}})/([A-Za-z0-9_-]{{1,128}})/playlist\.json")
_OVERTAKEN = frozenset({"PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey", "404", "412", "409"})


@dataclass(frozen=True, slots=True)
class SnapshotKey:
    """A playlist on a day: what every key of the lake is a function of."""

    snapshot_date: date
    playlist_id: str

    @classmethod
    def from_raw(cls, key: str) -> Self:
        """Reads the key of a raw object.

        Raises:
            PermanentError: It is no key of a raw snapshot.
        """
        parts = _RAW_KEY.fullmatch(key)
        try:
            return cls(date.fromisoformat(parts[1]), parts[2]) if parts else _refuse(key)
        except ValueError:
            _refuse(key)

    @property
    def raw(self) -> str:
        """Where the raw snapshot is."""
        return f"{RAW_PREFIX}{self.snapshot_date}/{self.playlist_id}/playlist.json"

    def parquet(self, table: str) -> str:
        """Where a table's rows of the snapshot are."""
        return f"{PROCESSED_PREFIX}{table}/{self._partition}/{self.playlist_id}.parquet"

    def quarantine(self, table: str) -> str:
        """Where a table's rejected rows of the snapshot are."""
        return f"{QUARANTINE_PREFIX}{self._partition}/{table}-{self.playlist_id}.json"

    def quarantined_values(self, table: str) -> str:
        """Where the values are that a table's rows of the snapshot are kept without."""
        return f"{QUARANTINED_VALUES_PREFIX}{self._partition}/{table}-{self.playlist_id}.json"

    def receipt(self, table: str) -> str:
        """Where the receipt is that a table is complete for the snapshot."""
        return f"{RECEIPTS_PREFIX}{self._partition}/{table}-{self.playlist_id}.json"

    @property
    def _partition(self) -> str:
        return f"{self.snapshot_date:year=%Y/month=%m/day=%d}"


def _refuse(key: str) -> NoReturn:
    raise PermanentError(
        f"key {key!r}",
        f"no key of a raw snapshot; raw snapshots live at {RAW_PREFIX}<YYYY-MM-DD>/<playlist id>/playlist.json",
    )


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
            response = self._s3.get_object(Bucket=self._bucket, Key=key)
        except self._s3.exceptions.NoSuchKey:
            raise PermanentError(
                f"s3://{self._bucket}/{key}",
                "the raw object is gone; restore it from an older version, or extract again",
            ) from None
        return RawObject(
            key=key,
            body=response["Body"].read(),
            etag=response["ETag"].strip('"'),
            version_id=response.get("VersionId"),
            last_modified=response["LastModified"],
            run_id=response["Metadata"].get("run-id"),
        )

    def put_raw(self, key: SnapshotKey, body: bytes, *, run_id: str, replaces: bool = True) -> bool:
        """Writes a raw snapshot in one piece, and tells whether it was written.

        Args:
            key: Whose snapshot it is.
            body: The snapshot.
            run_id: The run that writes it.
            replaces: Whether it takes the place of one of the same day, which becomes an older version; otherwise that
                one stays and nothing is written.
        """
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

    def publish(self, key: str, body: bytes | None, *, made_from: RawObject, metadata: Mapping[str, str]) -> None:
        """Makes a key hold what was made from a version of a raw object.

        Args:
            key: The key of the output.
            body: What it shall hold; None if there shall be no object.
            made_from: The version that it was made from.
            metadata: What the object tells of itself, in ASCII.

        Raises:
            SupersededError: The raw object has a newer version by now, and nothing was written.
            TransientError: Other workers kept changing the key.
        """
        for attempt in Retrying(
            retry=retry_if_exception_type(_OvertakenError),
            stop=stop_after_attempt(8),
            wait=wait_random_exponential(multiplier=0.05, max=1),
            reraise=True,
        ):
            with attempt:
                self._publish_once(key, body, made_from, metadata)

    def confirm(self, outputs: Mapping[str, bytes | None], *, made_from: RawObject) -> None:
        """Makes sure that outputs still are as they were published.

        Raises:
            SupersededError: Another worker changed one since; publish them all again from the raw object as it is now.
        """
        for key, body in outputs.items():
            standing = self._look(key)
            if (standing.made_from if standing else None) != (None if body is None else made_from.version):
                raise SupersededError(f"s3://{self._bucket}/{key} was changed by another worker after it was published")

    def _publish_once(self, key: str, body: bytes | None, made_from: RawObject, metadata: Mapping[str, str]) -> None:
        standing = self._look(key)
        if standing is not None and standing.made_from != made_from.version and self._is_superseded(made_from):
            raise SupersededError(f"s3://{self._bucket}/{made_from.key} has a newer version than {made_from.version}")
        told = {**metadata, "raw-version": made_from.version, "raw-etag": made_from.etag}
        try:
            match body, standing:
                case None, None:
                    pass
                case None, _Standing(etag=etag):
                    self._s3.delete_object(Bucket=self._bucket, Key=key, IfMatch=etag)
                case bytes(), None:
                    self._s3.put_object(Bucket=self._bucket, Key=key, Body=body, Metadata=told, IfNoneMatch="*")
                case bytes(), _Standing(etag=etag):
                    self._s3.put_object(Bucket=self._bucket, Key=key, Body=body, Metadata=told, IfMatch=etag)
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
        return (head.get("VersionId") or head["ETag"].strip('"')) != raw.version


@dataclass(frozen=True, slots=True)
class _Standing:
    etag: str
    made_from: str | None


class _OvertakenError(TransientError):
    """Another worker changed the key between the look and the write."""
