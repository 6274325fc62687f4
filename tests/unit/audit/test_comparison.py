"""A lake in which everything is as it should be has no gap; whatever is removed or altered is named."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from contracts.columns import columns
from contracts.tables import OPERATIONS, TABLES
from contracts.tables.receipts import Receipt
from services.audit.comparison import (
    FoundObject,
    FoundRaw,
    FoundReceipt,
    FoundTable,
    Holdings,
    compare,
    compare_catalog,
)
from shared.lake import CHARTS, Place, SnapshotKey, table_prefix

NAMES = ("songs", "albums")
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
KEYS = st.builds(SnapshotKey, st.dates(date(2026, 1, 1), date(2026, 12, 31)), st.sampled_from(("one", "two-2", "3")))
UNCHECKED = {"extracted_at", "gaps", "shares", "refused_values", "service_version", "contract_version"}
"""Columns that nothing else tells; the SHA-256 of the receipt covers them."""
ETAGS = st.uuids().map(lambda each: each.hex)


KINDS = {
    "receipts": "receipt",
    "parquet": "Parquet file",
    "quarantine": "quarantine",
    "quarantined_values": "quarantine of values",
}


def receipt(
    place: Place,
    raw: FoundRaw,
    parquet: FoundObject,
    kept: FoundObject | None,
    values: FoundObject | None = None,
    *,
    refused: int = 0,
    **numbers: int,
) -> Receipt:
    """A receipt that says how it is."""
    told: Receipt = {
        "snapshot_date": str(place.key.snapshot_date),
        "playlist_id": place.key.list_id,
        "run_id": "run-1",
        "extracted_at": None,
        "table_name": place.table,
        "entries": sum(numbers.values()),
        "rows": numbers["rows"],
        "rejected": numbers["rejected"],
        "refused_values": refused,
        "skipped_entries": numbers["skipped"],
        "gaps": None,
        "shares": None,
        "skipped": f'{{"episode": {numbers["skipped"]}}}' if numbers["skipped"] else "{}",
        "raw_key": place.key.raw,
        "raw_etag": raw.etag,
        "raw_version_id": raw.version,
        "parquet_key": place.key.parquet(place.table),
        "parquet_etag": parquet.etag,
        "parquet_bytes": parquet.bytes,
        "quarantine_key": place.key.quarantine(place.table) if kept else None,
        "quarantine_etag": kept.etag if kept else None,
        "quarantine_bytes": kept.bytes if kept else None,
        "refused_values_key": place.key.quarantined_values(place.table) if values else None,
        "refused_values_etag": values.etag if values else None,
        "refused_values_bytes": values.bytes if values else None,
        "service_version": "1",
        "contract_version": 1,
    }
    return told


@st.composite
def consistent(draw: st.DrawFn, fewest: int = 0) -> Holdings:
    """Some snapshots, each in every table."""
    found = st.builds(FoundObject, ETAGS, st.integers(0, 9))
    raws = {
        key: FoundRaw(draw(ETAGS), draw(ETAGS), NOON - timedelta(days=1))
        for key in draw(st.sets(KEYS, min_size=fewest, max_size=4))
    }
    holdings = Holdings(raws, {}, {}, {}, {})
    for key, raw in raws.items():
        for place in (Place(table, key) for table in NAMES):
            numbers = {name: draw(st.integers(0, 3)) for name in ("rows", "rejected", "skipped")}
            parquet, quarantine = draw(found), draw(found) if numbers["rejected"] else None
            refused = draw(st.integers(0, 2))
            values = draw(found) if refused else None
            content = receipt(place, raw, parquet, quarantine, values, refused=refused, **numbers)
            _of(holdings, "receipts")[place] = FoundReceipt(raw.version, "run-1", is_intact=True, content=content)
            _of(holdings, "parquet")[place] = parquet
            if quarantine:
                _of(holdings, "quarantine")[place] = quarantine
            if values:
                _of(holdings, "quarantined_values")[place] = values
    return holdings


def _of(holdings: Holdings, kind: str) -> dict[Any, Any]:
    found = getattr(holdings, kind)
    assert isinstance(found, dict)
    return found


def gaps(holdings: Holdings) -> list[tuple[str | None, str | None, str]]:
    return [(gap.table, gap.raw_key, gap.what) for gap in compare(holdings, NAMES, settled_before=NOON).gaps]


@given(consistent())
def test_a_consistent_lake_has_no_gap(holdings: Holdings) -> None:
    found = compare(holdings, NAMES, settled_before=NOON)

    assert (found.checked, found.fresh, found.gaps) == (len(holdings.raws), 0, [])


@given(consistent(fewest=1), st.data())
def test_any_single_object_that_is_removed_is_named(holdings: Holdings, data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from([kind for kind in KINDS if _of(holdings, kind)]))
    place = data.draw(st.sampled_from(sorted(_of(holdings, kind), key=repr)))

    del _of(holdings, kind)[place]

    ((table, raw_key, what),) = gaps(holdings)
    assert (table, raw_key) == (place.table, place.key.raw)
    assert what.startswith(f"{KINDS[kind]} missing")


@given(consistent(fewest=1), st.data())
def test_any_single_output_that_is_altered_is_named(holdings: Holdings, data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from([kind for kind in KINDS if _of(holdings, kind)]))
    place = data.draw(st.sampled_from(sorted(_of(holdings, kind), key=repr)))
    was = _of(holdings, kind)[place]
    if kind != "receipts":
        other = data.draw(st.sampled_from((replace(was, etag="another"), replace(was, bytes=was.bytes + 1))))
    elif data.draw(st.booleans(), label="one of its columns"):
        column = data.draw(st.sampled_from(sorted(was.content.keys() - UNCHECKED)))
        value = was.content[column]
        other_value = value + 1 if isinstance(value, int) else f"{value}?"
        other = replace(was, content=was.content | {column: other_value})
    else:
        others = {"made_from": None, "run_id": "run-2", "is_intact": False, "content": None}
        name = data.draw(st.sampled_from(sorted(others)))
        other = replace(was, **{name: others[name]})
    _of(holdings, kind)[place] = other

    assert {(table, raw_key) for table, raw_key, _ in gaps(holdings)} == {(place.table, place.key.raw)}


@given(consistent(fewest=1), st.data())
def test_a_raw_object_that_is_gone_leaves_orphans_for_a_person_and_a_new_version_stale_receipts(
    holdings: Holdings, data: st.DataObject
) -> None:
    key = data.draw(st.sampled_from(sorted(holdings.raws, key=repr)))
    gone = data.draw(st.booleans())
    if gone:
        del _of(holdings, "raws")[key]
    else:
        _of(holdings, "raws")[key] = replace(holdings.raws[key], version="newer")

    found = compare(holdings, NAMES, settled_before=NOON).gaps

    kinds = tuple(KINDS) if gone else ("receipts",)
    outputs = [place for kind in kinds for place in _of(holdings, kind) if place.key == key]
    assert len(found) == len(outputs)
    assert {gap.raw_key for gap in found} == {key.raw}
    assert {gap.mended_by for gap in found} == {"person" if gone else "replay"}


@given(consistent(fewest=1), st.data())
def test_a_raw_object_that_may_still_be_on_its_way_is_fresh_and_no_gap(holdings: Holdings, data: st.DataObject) -> None:
    key = data.draw(st.sampled_from(sorted(holdings.raws, key=repr)))
    _of(holdings, "raws")[key] = FoundRaw("newer", "another", NOON)

    found = compare(holdings, NAMES, settled_before=NOON)

    assert (found.checked, found.fresh, found.gaps) == (len(holdings.raws) - 1, 1, [])


def test_numbers_are_told() -> None:
    key = SnapshotKey(date(2026, 11, 22), "one")
    place, raw = Place("songs", key), FoundRaw("v1", "e1", NOON - timedelta(days=1))
    parquet, kept, values = FoundObject("e2", 5), FoundObject("e3", 6), FoundObject("e5", 7)
    content = receipt(place, raw, parquet, kept, values, refused=1, rows=5, rejected=2, skipped=1)
    content["entries"] = 9
    holdings = Holdings(
        raws={key: raw},
        receipts={place: FoundReceipt("v1", "run-1", is_intact=True, content=content)},
        parquet={place: FoundObject("e2", 4)},
        quarantine={place: FoundObject("e4", 6)},
        quarantined_values={place: FoundObject("e5", 8)},
        strays=["raw/spotify/2026-11-22/x.json"],
    )

    found = compare(holdings, ("songs",), settled_before=NOON).gaps

    assert [gap.what for gap in found] == [
        "receipt does not add up: 9 entries, but 5 rows + 2 rejected + 1 skipped",
        "Parquet file differs from its receipt: ETag e2, 4 bytes, not ETag e2, 5 bytes",
        "quarantine differs from its receipt: ETag e4, 6 bytes, not ETag e3, 6 bytes",
        "quarantine of values differs from its receipt: ETag e5, 8 bytes, not ETag e5, 7 bytes",
        "raw/spotify/2026-11-22/x.json belongs to no snapshot",
    ]


def test_a_catalog_that_has_every_table_as_its_contract_is_without_gap() -> None:
    tables = [*TABLES.values(), *OPERATIONS.values()]
    found = {
        table.name: FoundTable(
            f"s3://lake/{table_prefix(table)}",
            {column.name: column.glue_type for column in columns(table.row)},
            dict.fromkeys(table.partition_keys, "string"),
        )
        for table in tables
    }

    assert compare_catalog(found, tables, "lake") == []
    assert [gap.table for gap in compare_catalog({}, tables, "lake")] == [*TABLES, *OPERATIONS]


def test_a_chart_is_in_no_table_of_playlists() -> None:
    chart = SnapshotKey(date(2026, 11, 22), "listenbrainz-sitewide", CHARTS)
    holdings = Holdings({chart: FoundRaw("v1", "e1", NOON)}, {}, {}, {}, {})

    found = compare(holdings, NAMES, settled_before=NOON + timedelta(hours=1))

    assert (found.checked, found.gaps) == (1, [])
