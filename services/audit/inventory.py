"""What the lake holds of some days, by as few calls as tell it.

Receipts are read; raw objects, Parquet files and quarantines are only listed, for a listing tells of each what the
receipt names it by. No byte of a Parquet file is parsed here: a reader that a damaged one ends would end the audit.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from typing import TYPE_CHECKING

from contracts.tables.receipts import read_receipt
from services.audit.comparison import FoundObject, FoundRaw, FoundReceipt, FoundTable, Holdings, Place
from shared.errors import PermanentError
from shared.lake import (
    CONTENT_SHA256,
    PROCESSED_PREFIX,
    QUARANTINE_PREFIX,
    QUARANTINED_VALUES_PREFIX,
    RAW_PREFIX,
    RECEIPTS_PREFIX,
    SnapshotKey,
)

if TYPE_CHECKING:
    from mypy_boto3_glue import GlueClient
    from mypy_boto3_glue.type_defs import ColumnOutputTypeDef
    from mypy_boto3_s3 import S3Client

CONCURRENCY = 16

_DAY = "year=(?P<year>[0-9]{4})/month=(?P<month>[0-9]{2})/day=(?P<day>[0-9]{2})"
_BESIDE_TABLES = re.compile(
    rf"(?:{QUARANTINE_PREFIX}|{QUARANTINED_VALUES_PREFIX}|{RECEIPTS_PREFIX}){_DAY}/(?P<table>\w+)-(?P<playlist>.+)\.json"
)
_WITHIN_TABLE = re.compile(rf"{PROCESSED_PREFIX}(?P<table>\w+)/{_DAY}/(?P<playlist>.+)\.parquet")


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
        receipts = self._receipts(self._places(RECEIPTS_PREFIX, _BESIDE_TABLES, days, strays))
        quarantine, quarantined_values = (
            self._places(prefix, _BESIDE_TABLES, days, strays)
            for prefix in (QUARANTINE_PREFIX, QUARANTINED_VALUES_PREFIX)
        )
        parquet = {
            place: found
            for table in self._tables
            for place, found in self._places(f"{PROCESSED_PREFIX}{table}/", _WITHIN_TABLE, days, strays).items()
        }
        return Holdings(self._raws(days, strays), receipts, parquet, quarantine, quarantined_values, strays)

    def newest_day(self, today: date) -> date | None:
        """The newest day, today at the latest, that has a raw object; None if no day has."""
        pages = self._s3.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=RAW_PREFIX, Delimiter="/"
        )
        folders = (folder["Prefix"] for page in pages for folder in page.get("CommonPrefixes", ()))
        days = (_day_of(folder) for folder in folders)
        return max((day for day in days if day is not None and day <= today), default=None)

    def _places(
        self, prefix: str, pattern: re.Pattern[str], days: "_Days", strays: list[str]
    ) -> dict[Place, FoundObject]:
        """The outputs below a prefix by where they belong; adds what belongs nowhere to the strays."""
        found: dict[Place, FoundObject] = {}
        pages = self._s3.get_paginator("list_objects_v2")
        for year, month in days.months():
            for page in pages.paginate(Bucket=self._bucket, Prefix=f"{prefix}year={year:04}/month={month:02}/"):
                for each in page.get("Contents", ()):
                    place = _place(each["Key"], pattern)
                    if place is None or place.table not in self._tables:
                        strays.append(each["Key"])
                    elif place.key.snapshot_date in days:
                        found[place] = FoundObject(each["ETag"].strip('"'), each["Size"])
        return found

    def _raws(self, days: "_Days", strays: list[str]) -> dict[SnapshotKey, FoundRaw]:
        found: dict[SnapshotKey, FoundRaw] = {}
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
                        found[key] = FoundRaw(version["VersionId"], version["ETag"].strip('"'), version["LastModified"])
        return found

    def _receipts(self, places: Iterable[Place]) -> dict[Place, FoundReceipt]:
        with ThreadPoolExecutor(CONCURRENCY) as pool:
            read = pool.map(lambda place: (place, self._receipt(place.key.receipt(place.table))), places)
            return {place: found for place, found in read if found is not None}

    def _receipt(self, key: str) -> FoundReceipt | None:
        """The receipt at a key; None if it was removed meanwhile."""
        try:
            got = self._s3.get_object(Bucket=self._bucket, Key=key)
        except self._s3.exceptions.NoSuchKey:
            return None
        told, body = got["Metadata"], got["Body"].read()
        try:
            content = read_receipt(body)
        except ValueError:
            content = None
        is_intact = told.get(CONTENT_SHA256) == sha256(body).hexdigest()
        return FoundReceipt(told.get("raw-version"), told.get("run-id"), is_intact, content)


def catalog(glue: "GlueClient", database: str) -> dict[str, FoundTable]:
    """The tables of a database of the catalog; none if there is no such database."""
    try:
        pages = list(glue.get_paginator("get_tables").paginate(DatabaseName=database))
    except glue.exceptions.EntityNotFoundException:
        return {}
    return {
        table["Name"]: FoundTable(
            location=table.get("StorageDescriptor", {}).get("Location", ""),
            columns=_types(table.get("StorageDescriptor", {}).get("Columns", ())),
            partition_keys=_types(table.get("PartitionKeys", ())),
        )
        for page in pages
        for table in page["TableList"]
    }


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


def _types(columns: "Sequence[ColumnOutputTypeDef]") -> Mapping[str, str]:
    return {column["Name"]: column.get("Type", "") for column in columns}


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
