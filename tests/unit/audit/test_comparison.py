"""A lake in which everything is as it should be has no gap; whatever is removed or altered is named."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from services.audit.comparison import FoundReceipt, FoundRows, Holdings, Numbers, Place, Raw, compare
from shared.lake import SnapshotKey

TABLES = ("songs", "albums")
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
KEYS = st.builds(SnapshotKey, st.dates(date(2026, 1, 1), date(2026, 12, 31)), st.sampled_from(("one", "two-2", "3")))


@st.composite
def consistent(draw: st.DrawFn) -> Holdings:
    """Some snapshots, each in every table."""
    raws = {key: Raw(draw(st.uuids()).hex, NOON - timedelta(days=1)) for key in draw(st.sets(KEYS, max_size=4))}
    holdings = Holdings(raws, {}, {}, {})
    for key, raw in raws.items():
        for place in (Place(table, key) for table in TABLES):
            rows, rejected, skipped = (draw(st.integers(0, 3)) for _ in range(3))
            numbers = Numbers(rows + rejected + skipped, rows, rejected, skipped)
            _of(holdings, "receipts")[place] = FoundReceipt(raw.version, numbers)
            _of(holdings, "parquet")[place] = FoundRows(raw.version, rows)
            if rejected:
                _of(holdings, "quarantine")[place] = FoundRows(raw.version, rejected)
    return holdings


def _of(holdings: Holdings, kind: str) -> dict[Any, Any]:
    found = getattr(holdings, kind)
    assert isinstance(found, dict)
    return found


def gaps(holdings: Holdings) -> list[tuple[str | None, str | None, str]]:
    return [(gap["table"], gap["raw_key"], gap["what"]) for gap in compare(holdings, TABLES, settled_before=NOON).gaps]


@given(consistent())
def test_a_consistent_lake_has_no_gap(holdings: Holdings) -> None:
    found = compare(holdings, TABLES, settled_before=NOON)

    assert (found.checked, found.fresh, found.gaps) == (len(holdings.raws), 0, [])


@given(consistent().filter(lambda holdings: holdings.raws), st.data())
def test_any_single_object_that_is_removed_is_named(holdings: Holdings, data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from([kind for kind in ("receipts", "parquet", "quarantine") if _of(holdings, kind)]))
    place = data.draw(st.sampled_from(sorted(_of(holdings, kind), key=repr)))

    del _of(holdings, kind)[place]

    name = {"receipts": "receipt", "parquet": "Parquet file", "quarantine": "quarantine"}[kind]
    ((table, raw_key, what),) = gaps(holdings)
    assert (table, raw_key) == (place.table, place.key.raw)
    assert what.startswith(f"{name} missing")


@given(consistent().filter(lambda holdings: holdings.raws), st.data())
def test_any_single_output_that_is_altered_is_named(holdings: Holdings, data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from([kind for kind in ("receipts", "parquet", "quarantine") if _of(holdings, kind)]))
    place = data.draw(st.sampled_from(sorted(_of(holdings, kind), key=repr)))
    was = _of(holdings, kind)[place]
    if data.draw(st.booleans(), label="its version"):
        _of(holdings, kind)[place] = replace(was, made_from=data.draw(st.none() | st.just("another")))
    elif kind == "receipts":
        column = data.draw(st.sampled_from(("entries", "rows", "rejected", "skipped_entries")))
        numbers = replace(was.numbers, **{column: getattr(was.numbers, column) + data.draw(st.integers(1, 3))})
        _of(holdings, kind)[place] = replace(was, numbers=data.draw(st.none() | st.just(numbers)))
    else:
        _of(holdings, kind)[place] = replace(was, rows=data.draw(st.none() | st.just(was.rows + 1)))

    assert {(table, raw_key) for table, raw_key, _ in gaps(holdings)} == {(place.table, place.key.raw)}


@given(consistent().filter(lambda holdings: holdings.raws), st.data())
def test_a_raw_object_that_is_gone_leaves_orphans_for_a_person_and_a_new_version_stale_outputs(
    holdings: Holdings, data: st.DataObject
) -> None:
    key = data.draw(st.sampled_from(sorted(holdings.raws, key=repr)))
    gone = data.draw(st.booleans())
    if gone:
        del _of(holdings, "raws")[key]
    else:
        _of(holdings, "raws")[key] = replace(holdings.raws[key], version="newer")

    found = compare(holdings, TABLES, settled_before=NOON).gaps

    outputs = [
        place for kind in ("receipts", "parquet", "quarantine") for place in _of(holdings, kind) if place.key == key
    ]
    assert len(found) == len(outputs)
    assert {gap["raw_key"] for gap in found} == {key.raw}
    assert {gap["mended_by"] for gap in found} == {"hand" if gone else "replay"}


@given(consistent().filter(lambda holdings: holdings.raws), st.data())
def test_a_raw_object_that_may_still_be_on_its_way_is_fresh_and_no_gap(holdings: Holdings, data: st.DataObject) -> None:
    key = data.draw(st.sampled_from(sorted(holdings.raws, key=repr)))
    _of(holdings, "raws")[key] = Raw("newer", NOON)

    found = compare(holdings, TABLES, settled_before=NOON)

    assert (found.checked, found.fresh, found.gaps) == (len(holdings.raws) - 1, 1, [])


def test_numbers_are_told() -> None:
    key = SnapshotKey(date(2026, 11, 22), "one")
    place = Place("songs", key)
    holdings = Holdings(
        raws={key: Raw("v1", NOON - timedelta(days=1))},
        receipts={place: FoundReceipt("v1", Numbers(9, 5, 2, 1))},
        parquet={place: FoundRows("v1", 4)},
        quarantine={place: FoundRows("v1", 3)},
        strays=["raw/spotify/2026-11-22/x.json"],
    )

    found = compare(holdings, ("songs",), settled_before=NOON).gaps

    assert [gap["what"] for gap in found] == [
        "receipt does not add up: 9 entries are not 5 rows + 2 rejected + 1 skipped",
        "Parquet file holds 4 rows, the receipt says 5",
        "quarantine holds 3 rows, the receipt says 2",
        "raw/spotify/2026-11-22/x.json belongs to no snapshot",
    ]
