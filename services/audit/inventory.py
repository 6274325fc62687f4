"""Takes the inventory of the lake for some days, in as few calls as possible.

Receipts are read; raw objects, Parquet files and quarantines are only listed, as a listing has the ETag and size that
the receipt names. No Parquet file is parsed: a damaged one can crash its reader, and with it the audit.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from typing import TYPE_CHECKING

from contracts.tables import TABLES
from contracts.tables.receipts import read_receipt
from services.audit.comparison import FoundObject, FoundRaw, FoundReceipt, FoundTable, Holdings
from shared import objects
from shared.lake import (
    CONTENT_SHA256,
    KINDS,
    PLAYLISTS,
    Area,
    Place,
    SnapshotKey,
    kind_of,
    partition_of_month,
    table_prefix,
)

if TYPE_CHECKING:
    from mypy_boto3_glue import GlueClient
    from mypy_boto3_glue.type_defs import ColumnOutputTypeDef
    from mypy_boto3_s3 import S3Client

CONCURRENCY = 16


class Inventory:
    """Takes the inventory of a bucket.

    Args:
        s3: A client that may be used by `CONCURRENCY` threads at once.
        bucket: The lake.
        tables: The tables whose Parquet files are listed.
    """

    def __init__(self, s3: "S3Client", bucket: str, tables: Sequence[str]) -> None:
        self._s3 = s3
        self._bucket = bucket
        self._tables = tables

    def take(self, first: date, last: date) -> Holdings:
        """Takes the inventory of some days, the first and the last included.

        Raw objects are listed last: one that changes while outputs are read is then fresh, and is not compared with
        outputs of its predecessor.
        """
        days = _Days(first, last)
        strays: list[str] = []
        receipts = self._receipts(self._beside_rows("receipts", days, strays))
        quarantine = self._beside_rows("quarantine", days, strays)
        quarantined_values = self._beside_rows("quarantine-values", days, strays)
        rows = (table_prefix(TABLES[table]) for table in self._tables)
        parquet = self._places(rows, days, strays)
        return Holdings(self._raws(days, strays), receipts, parquet, quarantine, quarantined_values, strays)

    def receipts(self, table: str, first: date, last: date) -> dict[Place, FoundReceipt]:
        """Returns the receipts of a table of some days."""
        listed = self._places([kind_of(TABLES[table]).prefix("receipts")], _Days(first, last), [])
        return self._receipts(place for place in listed if place.table == table)

    def newest_day(self, today: date) -> date | None:
        """Returns the newest day up to today with a raw object of a playlist; None if there is none."""
        days = map(PLAYLISTS.day_of, objects.folders(self._s3, self._bucket, PLAYLISTS.prefix("raw")))
        return max((day for day in days if day is not None and day <= today), default=None)

    def _beside_rows(self, area: Area, days: "_Days", strays: list[str]) -> dict[Place, FoundObject]:
        return self._places((kind.prefix(area) for kind in KINDS.values()), days, strays)

    def _places(self, prefixes: Iterable[str], days: "_Days", strays: list[str]) -> dict[Place, FoundObject]:
        """Returns the outputs below prefixes by table and snapshot; adds other keys to the strays."""
        found: dict[Place, FoundObject] = {}
        for month in (f"{prefix}{partition_of_month(first)}" for prefix in prefixes for first in days.months()):
            for each in objects.listed(self._s3, self._bucket, month):
                place = Place.from_output(each["Key"])
                if place is None or not self._has(place):
                    strays.append(each["Key"])
                elif place.key.snapshot_date in days:
                    found[place] = FoundObject(each["ETag"].strip('"'), each["Size"])
        return found

    def _has(self, place: Place) -> bool:
        return place.table in self._tables and TABLES[place.table].kind == place.key.kind.name

    def _raws(self, days: "_Days", strays: list[str]) -> dict[SnapshotKey, FoundRaw]:
        found: dict[SnapshotKey, FoundRaw] = {}
        raws = (kind.prefix("raw") for kind in KINDS.values())
        for month in (f"{prefix}{first:%Y-%m-}" for prefix in raws for first in days.months()):
            for page in self._s3.get_paginator("list_object_versions").paginate(Bucket=self._bucket, Prefix=month):
                for version in (each for each in page.get("Versions", ()) if each["IsLatest"]):
                    key = SnapshotKey.find(version["Key"])
                    if key is None:
                        strays.append(version["Key"])
                    elif key.snapshot_date in days:
                        found[key] = FoundRaw(version["VersionId"], version["ETag"].strip('"'), version["LastModified"])
        return found

    def _receipts(self, places: Iterable[Place]) -> dict[Place, FoundReceipt]:
        with ThreadPoolExecutor(CONCURRENCY) as pool:
            read = pool.map(lambda place: (place, self._receipt(place.key.receipt(place.table))), places)
            return {place: found for place, found in read if found is not None}

    def _receipt(self, key: str) -> FoundReceipt | None:
        """Returns the receipt at a key; None if it has been removed since."""
        got = objects.get(self._s3, self._bucket, key)
        if got is None:
            return None
        metadata, body = got["Metadata"], got["Body"].read()
        try:
            content = read_receipt(body)
        except ValueError:
            content = None
        is_intact = metadata.get(CONTENT_SHA256) == sha256(body).hexdigest()
        return FoundReceipt(metadata.get("raw-version"), metadata.get("run-id"), is_intact, content)


def catalog(glue: "GlueClient", database: str) -> dict[str, FoundTable]:
    """Returns the tables of a database of the catalog; none if it does not exist."""
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

    def months(self) -> Iterator[date]:
        """Yields the first day of every month that has one of the days."""
        for month in range(self.first.year * 12 + self.first.month - 1, self.last.year * 12 + self.last.month):
            yield date(month // 12, month % 12 + 1, 1)


def _types(columns: "Sequence[ColumnOutputTypeDef]") -> Mapping[str, str]:
    return {column["Name"]: column.get("Type", "") for column in columns}
