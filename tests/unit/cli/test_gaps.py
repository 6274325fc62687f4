"""Each gap has its own mending, and a repair announces what a replay mends and nothing else."""

from datetime import date
from typing import Any

import pytest

from contracts.operations.audit import Gap
from infra.cli.audit import months
from infra.cli.gaps import announcements, what_to_do
from infra.cli.replay import Announcement
from shared.lake import SnapshotKey

ONE, TWO = (SnapshotKey(date(2026, 11, 2), playlist) for playlist in ("one", "two"))


def gap(mended_by: Any, *, raw_key: str | None = ONE.raw, table: str | None = "songs", cause: str | None = None) -> Gap:
    return Gap(table=table, raw_key=raw_key, what="receipt missing", mended_by=mended_by, cause=cause)


def test_a_repair_announces_each_gap_once_and_none_that_a_replay_does_not_mend() -> None:
    others = [gap(kind, table="albums") for kind in ("document", "catalog", "code", "person")]
    stray = gap("person", raw_key=None, table=None)

    replays = announcements([gap("replay", raw_key=TWO.raw), gap("replay"), gap("replay"), *others, stray])

    assert replays == [Announcement(ONE, "songs"), Announcement(TWO, "songs")]


@pytest.mark.parametrize(
    ("found", "to_do"),
    [
        (gap("replay"), "earworm audit --repair"),
        (gap("catalog"), "earworm audit --repair"),
        (gap("document", cause="E: {no} JSON"), "correct the raw object, or remove it: E: {no} JSON"),
        (gap("code", cause="earworm dlq show songs (E)"), "a replay did not repair it: earworm dlq show songs (E)"),
        (gap("person"), "restore the raw object from an older version, or remove this one"),
    ],
    ids=lambda each: each.mended_by if isinstance(each, Gap) else "",
)
def test_what_is_to_be_done_is_told(found: Gap, to_do: str) -> None:
    assert what_to_do(found, "earworm audit --repair") == to_do


def test_a_range_is_audited_month_by_month() -> None:
    assert list(months(date(2025, 12, 30), date(2026, 2, 1))) == [
        (date(2025, 12, 30), date(2025, 12, 31)),
        (date(2026, 1, 1), date(2026, 1, 31)),
        (date(2026, 2, 1), date(2026, 2, 1)),
    ]
