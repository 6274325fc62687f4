"""A chart that ends well before the ranks that it had before may have been cut off."""

import json
from collections.abc import Mapping
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, cast

import pytest

from services.audit.comparison import FoundReceipt
from services.audit.lengths import short_charts
from shared.lake import CHARTS, Place, SnapshotKey

if TYPE_CHECKING:
    from contracts.tables.receipts import Receipt

LAST = date(2026, 11, 26)
GERMAN = "spotify_charts-regional-de-weekly"


def charts(*lengths: int, chart: str = GERMAN, gaps: tuple[int, ...] = ()) -> dict[Place, FoundReceipt]:
    """Receipts of weekly charts, the last one of the last day."""
    found: dict[Place, FoundReceipt] = {}
    for back, length in enumerate(reversed(lengths)):
        content: Any = {"rows": length - len(gaps), "gaps": json.dumps(gaps)}
        place = Place("charts", SnapshotKey(LAST - timedelta(weeks=back), chart, CHARTS))
        found[place] = FoundReceipt("v1", "load-1", is_intact=True, content=cast("Receipt", content))
    return found


def audited(found: Mapping[Place, FoundReceipt], days: int = 1) -> list[tuple[date | None, str]]:
    """What is found where only the last charts are audited."""
    first = LAST - timedelta(weeks=days - 1)
    receipts = {place: each for place, each in found.items() if place.key.snapshot_date >= first}
    earlier = {place: each for place, each in found.items() if place not in receipts}
    gaps = short_charts(receipts, earlier)
    assert all((gap.table, gap.mended_by) == ("charts", "person") and gap.cause for gap in gaps)
    return [(gap.snapshot_date, gap.what) for gap in gaps]


def test_a_chart_of_150_ranks_that_had_200_before_is_named_with_both_numbers() -> None:
    what = "the chart ends at rank 150, and those before it at 200: its file may have been cut off"

    assert audited(charts(200, 200, 200, 150)) == [(LAST, what)]


@pytest.mark.parametrize(
    "lengths",
    [(150,), (200, 200), (150, 200), (64, 60, 71, 66, 62)],
    ids=["the first one", "as before", "longer", "a small country"],
)
def test_nothing_is_said_of_a_chart_that_is_as_long_as_it_was(lengths: tuple[int, ...]) -> None:
    assert audited(charts(*lengths)) == []


def test_ranks_that_are_missing_before_the_last_one_make_no_chart_shorter() -> None:
    assert audited(charts(200, 200) | {**charts(200, gaps=tuple(range(30, 80)))}) == []


def test_one_chart_that_was_cut_off_before_hides_no_other() -> None:
    found = charts(200, 200, 120, 120)

    assert [day for day, _ in audited(found, days=2)] == [LAST - timedelta(weeks=1), LAST]
    assert [day for day, _ in audited(found)] == [LAST]


def test_a_chart_is_compared_with_itself_alone() -> None:
    assert audited(charts(200, 200) | charts(50, 50, chart="spotify_charts-viral-de-weekly")) == []
