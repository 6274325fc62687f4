"""Finds charts that may have been cut off: no chart file says how long it is, but the chart was longer before."""

import json
from collections.abc import Iterator, Mapping
from datetime import timedelta
from statistics import median
from typing import Final

from contracts.operations.audit import Gap
from contracts.tables import TABLES
from services.audit.comparison import FoundReceipt
from shared.lake import Place

EARLIER: Final = timedelta(weeks=5)
"""How far back charts are compared: the last four, be they weekly."""

_COMPARED: Final = 4
_SHARE: Final = 0.9
"""Of the ranks that a chart had before: charts of small countries vary by a few."""
_TO_DO: Final = "if it was longer where it was published, download and load it again; else nothing, it is as it came"


def short_charts(receipts: Mapping[Place, FoundReceipt], earlier: Mapping[Place, FoundReceipt]) -> list[Gap]:
    """Finds the charts that end before nine tenths of the ranks that the up to four before them had, by the median.

    Args:
        receipts: Of the days that are audited.
        earlier: Of the days before.
    """
    charts: dict[str, list[tuple[Place, int]]] = {}
    for place, length in _lengths({**earlier, **receipts}):
        charts.setdefault(place.key.list_id, []).append((place, length))
    gaps = []
    for of_chart in charts.values():
        before: list[int] = []
        for place, length in sorted(of_chart, key=lambda each: each[0].key.snapshot_date):
            usual = median(before[-_COMPARED:]) if before else 0
            if place in receipts and length < _SHARE * usual:
                gaps.append(_gap(place, length, usual))
            before.append(length)
    return gaps


def _lengths(receipts: Mapping[Place, FoundReceipt]) -> Iterator[tuple[Place, int]]:
    """Yields how many ranks each chart has, those that nobody knows included."""
    for place, found in receipts.items():
        if found.content and TABLES[place.table].ranked_by:
            yield place, found.content["rows"] + len(json.loads(found.content["gaps"] or "[]"))


def _gap(place: Place, length: int, usual: float) -> Gap:
    key = place.key
    return Gap(
        table=place.table,
        playlist_id=key.list_id,
        snapshot_date=key.snapshot_date,
        raw_key=key.raw,
        what=f"the chart ends at rank {length}, and those before it at {usual:g}: its file may have been cut off",
        mended_by="person",
        cause=_TO_DO,
    )
