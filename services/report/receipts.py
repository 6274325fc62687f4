"""Finds out what a page is made from, and whether the tables have all of it, by listings alone."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import product
from typing import TYPE_CHECKING

from contracts.tables import of_kind
from shared import objects
from shared.lake import KINDS, WATCH_LIST, ListKind, SnapshotKey

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@dataclass(frozen=True, slots=True)
class ListedReceipt:
    """A receipt as listed."""

    etag: str
    last_modified: datetime


@dataclass(frozen=True, slots=True)
class WeekReceipts:
    """The raw snapshots and receipts of some days, and the watch list.

    Attributes:
        raws: When each raw snapshot was written last.
        receipts: The receipts by key.
        tables: The tables that are deployed.
        watch_list: The ETag of the watch list; None without one.
    """

    raws: Mapping[SnapshotKey, datetime]
    receipts: Mapping[str, ListedReceipt]
    tables: Sequence[str]
    watch_list: str | None

    @property
    def missing(self) -> list[str]:
        """Keys of the receipts that are missing, or older than their raw snapshot and so not made from it."""
        return [
            key.receipt(table)
            for key, written in sorted(self.raws.items(), key=lambda each: each[0].raw)
            for table in of_kind(key.kind.name, self.tables)
            if (found := self.receipts.get(key.receipt(table))) is None or found.last_modified < written
        ]

    def fingerprint(self, service_version: str) -> str:
        """Returns a hash that is equal for pages of the same code from the same receipts and watch list alone.

        A receipt names the version of its raw snapshot and that of the code that read it, so that its ETag changes
        with either.
        """
        listed = sorted(f"{key} {receipt.etag}" for key, receipt in self.receipts.items())
        return hashlib.sha256("\n".join([service_version, self.watch_list or "", *listed]).encode()).hexdigest()


def holdings(s3: "S3Client", bucket: str, days: Iterable[date], tables: Sequence[str]) -> WeekReceipts:
    """Lists the watch list, and raw snapshots and receipts of some days in some tables; other keys are passed over."""
    raws: dict[SnapshotKey, datetime] = {}
    receipts: dict[str, ListedReceipt] = {}
    for day, kind in product(days, KINDS.values()):
        of_the_day = _raws(s3, bucket, day, kind)
        wanted = {key.receipt(table) for key in of_the_day for table in of_kind(kind.name, tables)}
        for folder in {key.rpartition("/")[0] for key in wanted}:
            receipts |= {
                found["Key"]: ListedReceipt(found["ETag"], found["LastModified"])
                for found in objects.listed(s3, bucket, f"{folder}/")
                if found["Key"] in wanted
            }
        raws |= of_the_day
    watch_lists = (found["ETag"] for found in objects.listed(s3, bucket, WATCH_LIST) if found["Key"] == WATCH_LIST)
    return WeekReceipts(raws, receipts, tables, next(watch_lists, None))


def _raws(s3: "S3Client", bucket: str, day: date, kind: ListKind) -> dict[SnapshotKey, datetime]:
    found = objects.listed(s3, bucket, f"{kind.prefix('raw')}{day}/")
    return {key: each["LastModified"] for each in found if (key := SnapshotKey.find(each["Key"]))}
