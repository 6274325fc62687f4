"""What the lake holds of some days, by as few calls to S3 as tell it.

Raw objects are only listed. A receipt and a quarantine object are read; of a Parquet file only its end is.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, TypeVar

from botocore.exceptions import ClientError
from pydantic import TypeAdapter, ValidationError

from contracts.tables.receipts import Receipt
from services.audit.comparison import FoundReceipt, FoundRows, Holdings, Numbers, Place, Raw
from shared.errors import PermanentError
from shared.lake import PROCESSED_PREFIX, QUARANTINE_PREFIX, RAW_PREFIX, RECEIPTS_PREFIX, SnapshotKey
from shared.parquet import UnreadableParquetError, count_rows

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

CONCURRENCY = 16

_DAY = "year=(?P<year>[0-9]{4})/month=(?P<month>[0-9]{2})/day=(?P<day>[0-9]{2})"
_BESIDE_TABLES = re.compile(rf"(?:{QUARANTINE_PREFIX}|{RECEIPTS_PREFIX}){_DAY}/(?P<table>\w+)-(?P<playlist>.+)\.json")
_WITHIN_TABLE = re.compile(rf"{PROCESSED_PREFIX}(?P<table>\w+)/{_DAY}/(?P<playlist>.+)\.parquet")
_PARQUET_END = 64 * 1024
"""Bytes of a Parquet file that hold its footer many times over: that of the widest table has a few thousand."""

_RECEIPT: TypeAdapter[Receipt] = TypeAdapter(Receipt)
_Found = TypeVar("_Found")


class Inventory:
    """Finds out what a bucket holds.

    Args:
        s3: A client that may be used by `CONCURRENCY` threads at once.
        bucket: The lake.
        tables: The tables whose Parquet files are looked for.
    """

    def __init__(self, s3: "S3Client", bucket: str, tables: Sequence[str]) -> None:
        self._s3 = s3
        self._bucket = bucket
        self._tables = tables

    def take(self, first: date, last: date) -> Holdings:
        """What the bucket holds of some days, the first and the last among them.

        Raw objects are listed after all else: one that changes while outputs are read is then young, and is not
        compared with outputs of its predecessor.
        """
        days = _Days(first, last)
        strays: list[str] = []
        with ThreadPoolExecutor(CONCURRENCY) as pool:
            receipts = self._read_all(pool, self._places(RECEIPTS_PREFIX, _BESIDE_TABLES, days, strays), self._receipt)
            quarantine = self._read_all(
                pool, self._places(QUARANTINE_PREFIX, _BESIDE_TABLES, days, strays), self._quarantine
            )
            files = {
                place: key
                for table in self._tables
                for place, key in self._places(f"{PROCESSED_PREFIX}{table}/", _WITHIN_TABLE, days, strays).items()
            }
            parquet = self._read_all(pool, files, self._parquet)
        return Holdings(self._raws(days, strays), receipts, parquet, quarantine, strays)

    def newest_day(self, today: date) -> date | None:
        """The newest day, today at the latest, that has a raw object; None if no day has."""
        pages = self._s3.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=RAW_PREFIX, Delimiter="/"
        )
        folders = (folder["Prefix"] for page in pages for folder in page.get("CommonPrefixes", ()))
        days = (_day_of(folder) for folder in folders)
        return max((day for day in days if day is not None and day <= today), default=None)

    def _places(self, prefix: str, pattern: re.Pattern[str], days: "_Days", strays: list[str]) -> dict[Place, str]:
        """Where the outputs below a prefix belong, with their keys; adds what belongs nowhere to the strays."""
        found: dict[Place, str] = {}
        pages = self._s3.get_paginator("list_objects_v2")
        for year, month in days.months():
            for page in pages.paginate(Bucket=self._bucket, Prefix=f"{prefix}year={year:04}/month={month:02}/"):
                for key in (each["Key"] for each in page.get("Contents", ())):
                    place = _place(key, pattern)
                    if place is None or place.table not in self._tables:
                        strays.append(key)
                    elif place.key.snapshot_date in days:
                        found[place] = key
        return found

    def _raws(self, days: "_Days", strays: list[str]) -> dict[SnapshotKey, Raw]:
        found: dict[SnapshotKey, Raw] = {}
        pages = self._s3.get_paginator("list_object_versions")
        for year, month in days.months():
            for page in pages.paginate(Bucket=self._bucket, Prefix=f"{RAW_PREFIX}{year:04}-{month:02}-"):
                for version in (each for each in page.get("Versions", ()) if each["IsLatest"]):
                    try:
                        key = SnapshotKey.from_raw(version["Key"])
                    except PermanentError:
                        strays.append(version["Key"])
                        continue
                    if key.snapshot_date in days:
                        found[key] = Raw(version["VersionId"], version["LastModified"])
        return found

    def _read_all(
        self, pool: ThreadPoolExecutor, keys: dict[Place, str], read: Callable[[str], _Found | None]
    ) -> dict[Place, _Found]:
        found = zip(keys, pool.map(read, keys.values()), strict=True)
        return {place: each for place, each in found if each is not None}

    def _receipt(self, key: str) -> FoundReceipt | None:
        got = self._get(key)
        if got is None:
            return None
        made_from, body = got
        try:
            told = _RECEIPT.validate_json(body)
        except ValidationError:
            return FoundReceipt(made_from, None)
        return FoundReceipt(
            made_from, Numbers(told["entries"], told["rows"], told["rejected"], told["skipped_entries"])
        )

    def _quarantine(self, key: str) -> FoundRows | None:
        got = self._get(key)
        return got and FoundRows(got[0], len(got[1].splitlines()))

    def _parquet(self, key: str) -> FoundRows | None:
        got = self._get(key, f"bytes=-{_PARQUET_END}")
        if got is None:
            return None
        made_from, end = got
        try:
            return FoundRows(made_from, count_rows(end))
        except UnreadableParquetError:
            return FoundRows(made_from, None)

    def _get(self, key: str, part: str = "bytes=0-") -> tuple[str | None, bytes] | None:
        """The raw version that an object names, and its body or a part of it; None if it was removed meanwhile."""
        try:
            got = self._s3.get_object(Bucket=self._bucket, Key=key, Range=part)
        except self._s3.exceptions.NoSuchKey:
            return None
        except ClientError as fault:
            if fault.response["Error"]["Code"] == "InvalidRange":  # of nothing there is no part
                return None, b""
            raise
        return got["Metadata"].get("raw-version"), got["Body"].read()


@dataclass(frozen=True, slots=True)
class _Days:
    first: date
    last: date

    def __contains__(self, day: date) -> bool:
        return self.first <= day <= self.last

    def months(self) -> Iterator[tuple[int, int]]:
        """The year and number of every month that has one of the days."""
        for month in range(self.first.year * 12 + self.first.month - 1, self.last.year * 12 + self.last.month):
            yield month // 12, month % 12 + 1


def _day_of(folder: str) -> date | None:
    try:
        return date.fromisoformat(folder.removeprefix(RAW_PREFIX).removesuffix("/"))
    except ValueError:
        return None


def _place(key: str, pattern: re.Pattern[str]) -> Place | None:
    parts = pattern.fullmatch(key)
    if parts is None:
        return None
    try:
        day = date(int(parts["year"]), int(parts["month"]), int(parts["day"]))
    except ValueError:
        return None
    return Place(parts["table"], SnapshotKey(day, parts["playlist"]))
