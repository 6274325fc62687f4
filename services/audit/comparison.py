"""What the lake holds against what it should hold: pure, over what was found."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple

from typing_extensions import TypedDict

from shared.lake import SnapshotKey


class Place(NamedTuple):
    """A table's outputs of a snapshot."""

    table: str
    key: SnapshotKey


@dataclass(frozen=True, slots=True)
class Raw:
    """A raw object as it is now."""

    version: str
    last_modified: datetime


@dataclass(frozen=True, slots=True)
class Numbers:
    """What a receipt claims."""

    entries: int
    rows: int
    rejected: int
    skipped_entries: int


@dataclass(frozen=True, slots=True)
class FoundReceipt:
    """A receipt.

    Attributes:
        made_from: The raw version that it names, None if it names none.
        numbers: None if it cannot be read.
    """

    made_from: str | None
    numbers: Numbers | None


@dataclass(frozen=True, slots=True)
class FoundRows:
    """A Parquet file or a quarantine object.

    Attributes:
        made_from: The raw version that it names, None if it names none.
        rows: How many it holds, None if it cannot be read.
    """

    made_from: str | None
    rows: int | None


@dataclass(frozen=True, slots=True)
class Holdings:
    """What was found of some days.

    Attributes:
        strays: Keys that belong to no snapshot.
    """

    raws: Mapping[SnapshotKey, Raw]
    receipts: Mapping[Place, FoundReceipt]
    parquet: Mapping[Place, FoundRows]
    quarantine: Mapping[Place, FoundRows]
    strays: Sequence[str] = ()


class Gap(TypedDict):
    """Something that is not as it should be.

    Attributes:
        table: None for a key that belongs to no snapshot, as are the next three.
        what: What is wrong, with the numbers.
        mended_by: `replay` of the raw object through the table's queue; `hand` where there is no raw object.
    """

    table: str | None
    playlist_id: str | None
    snapshot_date: str | None
    raw_key: str | None
    what: str
    mended_by: Literal["replay", "hand"]


@dataclass(frozen=True, slots=True)
class Findings:
    """The result of a comparison.

    Attributes:
        checked: Snapshots that were compared.
        fresh: Snapshots that may still be on their way, and were not.
    """

    checked: int
    fresh: int
    gaps: Sequence[Gap]


def compare(holdings: Holdings, tables: Sequence[str], *, settled_before: datetime) -> Findings:
    """Finds whatever is missing, stale, does not add up, or belongs to nothing.

    Args:
        holdings: What the lake holds.
        tables: The tables that every snapshot should be in.
        settled_before: Raw objects that were written later may still be on their way.
    """
    settled = {key: raw for key, raw in holdings.raws.items() if raw.last_modified < settled_before}
    gaps = [
        _gap(place, what, "replay")
        for key, raw in sorted(settled.items(), key=lambda each: each[0].raw)
        for place in (Place(table, key) for table in tables)
        for what in _faults(place, raw, holdings)
    ]
    for name, found in (
        ("receipt", holdings.receipts),
        ("Parquet file", holdings.parquet),
        ("quarantine", holdings.quarantine),
    ):
        orphans = (place for place in found if place.key not in holdings.raws)
        gaps += [_gap(place, f"{name} without a raw object", "hand") for place in sorted(orphans, key=_by_key)]
    gaps += [
        Gap(
            table=None,
            playlist_id=None,
            snapshot_date=None,
            raw_key=None,
            what=f"{stray} belongs to no snapshot",
            mended_by="hand",
        )
        for stray in sorted(holdings.strays)
    ]
    return Findings(len(settled), len(holdings.raws) - len(settled), gaps)


def _faults(place: Place, raw: Raw, holdings: Holdings) -> Iterator[str]:
    receipt = holdings.receipts.get(place)
    parquet = holdings.parquet.get(place)
    quarantine = holdings.quarantine.get(place)
    numbers = receipt.numbers if receipt else None
    if receipt is None:
        yield "receipt missing"
    else:
        yield from _stale("receipt", receipt.made_from, raw)
        if numbers is None:
            yield "receipt cannot be read"
        elif numbers.entries != numbers.rows + numbers.rejected + numbers.skipped_entries:
            yield (
                f"receipt does not add up: {numbers.entries} entries are not {numbers.rows} rows + "
                f"{numbers.rejected} rejected + {numbers.skipped_entries} skipped"
            )
    if parquet is None:
        yield "Parquet file missing"
    else:
        yield from _stale("Parquet file", parquet.made_from, raw)
        yield from _miscounted("Parquet file", parquet, numbers.rows if numbers else None)
    if quarantine is not None:
        yield from _stale("quarantine", quarantine.made_from, raw)
        yield from _miscounted("quarantine", quarantine, numbers.rejected if numbers else None)
    elif numbers and numbers.rejected:
        yield f"quarantine missing: the receipt says {numbers.rejected} rejected"


def _stale(name: str, made_from: str | None, raw: Raw) -> Iterator[str]:
    if made_from != raw.version:
        yield f"{name} made from another version of the raw object ({made_from or 'it does not say which'})"


def _miscounted(name: str, found: FoundRows, claimed: int | None) -> Iterator[str]:
    if found.rows is None:
        yield f"{name} cannot be read"
    elif claimed is not None and found.rows != claimed:
        yield f"{name} holds {found.rows} rows, the receipt says {claimed}"


def _gap(place: Place, what: str, mended_by: Literal["replay", "hand"]) -> Gap:
    return Gap(
        table=place.table,
        playlist_id=place.key.playlist_id,
        snapshot_date=str(place.key.snapshot_date),
        raw_key=place.key.raw,
        what=what,
        mended_by=mended_by,
    )


def _by_key(place: Place) -> tuple[str, str]:
    return place.key.raw, place.table
