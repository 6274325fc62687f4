"""Compares what the lake holds with what it should hold: pure functions over an inventory."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from reprlib import Repr
from typing import Any

from contracts.columns import columns
from contracts.operations.audit import Gap, Mending
from contracts.tables import Table, of_kind
from contracts.tables.receipts import Receipt
from shared.lake import Partition, Place, SnapshotKey, table_prefix

_REPR = Repr()
_REPR.maxstring = 80


@dataclass(frozen=True, slots=True)
class FoundRaw:
    """A raw object as it is now."""

    version: str
    etag: str
    last_modified: datetime


@dataclass(frozen=True, slots=True)
class FoundReceipt:
    """A receipt.

    Attributes:
        made_from: The raw version in its metadata; None if there is none.
        run_id: The run in its metadata, likewise.
        is_intact: Whether its bytes have the SHA-256 in its metadata.
        content: None if it cannot be read.
    """

    made_from: str | None
    run_id: str | None
    is_intact: bool
    content: Receipt | None


@dataclass(frozen=True, slots=True)
class FoundObject:
    """A Parquet file or the object of a quarantine, as listed."""

    etag: str
    bytes: int

    def __str__(self) -> str:
        return f"ETag {self.etag}, {self.bytes} bytes"


@dataclass(frozen=True, slots=True)
class Holdings:
    """The inventory of some days.

    Attributes:
        quarantine: The rejected rows.
        quarantined_values: The refused values.
        strays: Keys that belong to no snapshot.
    """

    raws: Mapping[SnapshotKey, FoundRaw]
    receipts: Mapping[Place, FoundReceipt]
    parquet: Mapping[Place, FoundObject]
    quarantine: Mapping[Place, FoundObject]
    quarantined_values: Mapping[Place, FoundObject]
    strays: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class FoundTable:
    """A table of the catalog; columns and partition keys are types by name."""

    location: str
    columns: Mapping[str, str]
    partition_keys: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Findings:
    """The result of a comparison.

    Attributes:
        checked: Snapshots that were compared.
        fresh: Snapshots that may still be in flight, and were not compared.
    """

    checked: int
    fresh: int
    gaps: Sequence[Gap]


def compare(holdings: Holdings, tables: Sequence[str], *, settled_before: datetime) -> Findings:
    """Finds whatever is missing, stale, altered, inconsistent or orphaned.

    Args:
        holdings: What the lake holds.
        tables: The tables that every snapshot of their kind should be in.
        settled_before: Raw objects that were written later may still be in flight.
    """
    settled = {key: raw for key, raw in holdings.raws.items() if raw.last_modified < settled_before}
    gaps = [
        _gap(place, what, "replay", since=raw.last_modified)
        for key, raw in sorted(settled.items(), key=lambda each: each[0].raw)
        for place in (Place(table, key) for table in of_kind(key.kind.name, tables))
        for what in _faults(place, raw, holdings)
    ]
    for name, found in (
        ("receipt", holdings.receipts),
        ("Parquet file", holdings.parquet),
        ("quarantine", holdings.quarantine),
        ("quarantine of values", holdings.quarantined_values),
    ):
        orphans = (place for place in found if place.key not in holdings.raws)
        gaps += [_gap(place, f"{name} without a raw object", "person") for place in sorted(orphans, key=by_key)]
    gaps += [_gap(None, f"{stray} belongs to no snapshot", "person") for stray in sorted(holdings.strays)]
    return Findings(len(settled), len(holdings.raws) - len(settled), gaps)


def partitions(holdings: Holdings) -> Iterator[Partition]:
    """Yields the partition of each object that a table has."""
    for places, key_of in (
        (holdings.receipts, SnapshotKey.receipt),
        (holdings.parquet, SnapshotKey.parquet),
        (holdings.quarantine, SnapshotKey.quarantine),
        (holdings.quarantined_values, SnapshotKey.quarantined_values),
    ):
        yield from filter(None, (Partition.of(key_of(place.key, place.table)) for place in places))


def compare_catalog(found: Mapping[str, FoundTable], tables: Sequence[Table[Any]], bucket: str) -> list[Gap]:
    """Finds the tables that are missing from the catalog or differ from their contracts.

    Args:
        found: The tables of the catalog by name.
        tables: The expected tables.
        bucket: The lake.
    """
    return [
        Gap(table=table.name, what=what, mended_by="catalog")
        for table in tables
        for what in _faults_of_table(table, found.get(table.name), f"s3://{bucket}/{table_prefix(table)}")
    ]


def _faults_of_table(table: Table[Any], found: FoundTable | None, location: str) -> Iterator[str]:
    if found is None:
        yield "the table is missing from the catalog"
        return
    if found.location.rstrip("/") != location.rstrip("/"):
        yield f"the catalog locates it at {_REPR.repr(found.location)}, not at {location}"
    declared = {column.name: column.glue_type for column in columns(table.row)}
    for kind, of_the_catalog, of_the_contract in (
        ("column", found.columns, declared),
        ("partition key", found.partition_keys, dict.fromkeys(table.partition_keys, "string")),
    ):
        for name in sorted({*of_the_catalog, *of_the_contract}):
            is_, should_be = of_the_catalog.get(name), of_the_contract.get(name)
            if is_ != should_be:
                yield f"the catalog's {kind} {_REPR.repr(name)} is {is_ or 'missing'}, not {should_be or 'absent'}"


def _faults(place: Place, raw: FoundRaw, holdings: Holdings) -> Iterator[str]:
    receipt = holdings.receipts.get(place)
    if receipt is None:
        yield "receipt missing"
    elif receipt.made_from != raw.version:
        yield f"receipt made from another version of the raw object ({_named(receipt.made_from)})"
    elif (content := receipt.content) is None:
        yield "receipt cannot be read"
    elif content["parquet_etag"] is None:
        yield "receipt from an older version, without the ETags of what it commits"
    elif not receipt.is_intact:
        yield "receipt altered: its bytes do not have the SHA-256 in its metadata"
    elif contradictions := list(_contradictions(place, receipt.run_id, content, raw)):
        yield f"receipt contradicts its key: {'; '.join(contradictions)}"
    else:
        yield from _sums(content)
        for name, found, prefix in (
            ("Parquet file", holdings.parquet.get(place), "parquet"),
            ("quarantine", holdings.quarantine.get(place), "quarantine"),
            ("quarantine of values", holdings.quarantined_values.get(place), "refused_values"),
        ):
            yield from _other_contents(name, found, content, prefix)


def _contradictions(place: Place, run_id: str | None, receipt: Receipt, raw: FoundRaw) -> Iterator[str]:
    """Yields each column of a receipt that differs from its key, its metadata or the raw object."""
    key = place.key
    expected: Mapping[str, str | None] = {
        "table_name": place.table,
        "playlist_id": key.list_id,
        "snapshot_date": str(key.snapshot_date),
        "run_id": run_id or None,
        "raw_key": key.raw,
        "raw_version_id": raw.version,
        "raw_etag": raw.etag,
        "parquet_key": key.parquet(place.table),
        "quarantine_key": key.quarantine(place.table) if receipt["quarantine_etag"] else None,
        "refused_values_key": key.quarantined_values(place.table) if receipt["refused_values_etag"] else None,
    }
    named: Mapping[str, Any] = {**receipt}
    for column, value in expected.items():
        if named[column] != value:
            yield f"{column} is {_REPR.repr(named[column])}, not {_REPR.repr(value)}"


def _sums(receipt: Receipt) -> Iterator[str]:
    values: Mapping[str, Any] = {**receipt}
    entries, rows, rejected, skipped = (values[name] for name in ("entries", "rows", "rejected", "skipped_entries"))
    if entries != rows + rejected + skipped:
        yield (f"receipt does not add up: {entries} entries, but {rows} rows + {rejected} rejected + {skipped} skipped")
    try:
        by_rule = sum(json.loads(receipt["skipped"]).values())
    except (ValueError, TypeError, AttributeError):
        by_rule = None
    if by_rule != skipped:
        yield f"receipt does not add up: {skipped} skipped, but by rule {_REPR.repr(receipt['skipped'])}"
    for what, kept, prefix in (
        ("rejected", rejected, "quarantine"),
        ("refused values", values["refused_values"] or 0, "refused_values"),
    ):
        quarantine = [values[f"{prefix}_{name}"] for name in ("key", "etag", "bytes")]
        if any((each is not None) != (kept > 0) for each in quarantine):
            yield f"receipt does not add up: {kept} {what}, in quarantine {_REPR.repr(quarantine)}"


def _other_contents(name: str, found: FoundObject | None, receipt: Receipt, prefix: str) -> Iterator[str]:
    values: Mapping[str, Any] = {**receipt}
    etag, size = values[f"{prefix}_etag"], values[f"{prefix}_bytes"]
    committed = FoundObject(etag, size) if etag is not None else None
    if found == committed:
        return
    if found is None:
        yield f"{name} missing"
    elif committed is None:
        yield f"{name} is not in its receipt ({found})"
    else:
        yield f"{name} differs from its receipt: {found}, not {committed}"


def _named(version: str | None) -> str:
    return _REPR.repr(version) if version else "unknown"


def _gap(place: Place | None, what: str, mended_by: Mending, since: datetime | None = None) -> Gap:
    return Gap(
        table=place and place.table,
        playlist_id=place and place.key.list_id,
        snapshot_date=place and place.key.snapshot_date,
        raw_key=place and place.key.raw,
        since=since,
        what=what,
        mended_by=mended_by,
    )


def by_key(place: Place) -> tuple[str, str]:
    """Sorts places by their raw key, and then by table."""
    return place.key.raw, place.table
