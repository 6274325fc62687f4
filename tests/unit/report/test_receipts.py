from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from contracts.tables import TABLES, of_kind
from services.report.receipts import ListedReceipt, WeekReceipts
from shared.lake import CHARTS, SnapshotKey

KEY, OTHER = SnapshotKey(date(2026, 11, 23), "a"), SnapshotKey(date(2026, 11, 24), "b")
PLAYLIST_TABLES = of_kind("playlists")
WRITTEN = datetime(2026, 11, 23, 6, tzinfo=UTC)
COMPLETE = WeekReceipts(
    {OTHER: WRITTEN, KEY: WRITTEN},
    {key.receipt(table): ListedReceipt(f"{key} {table}", WRITTEN) for key in (KEY, OTHER) for table in PLAYLIST_TABLES},
    (*TABLES,),
    watch_list="as it is",
)


def changed(key: str, receipt: ListedReceipt | None) -> WeekReceipts:
    others = {each: found for each, found in COMPLETE.receipts.items() if each != key}
    return replace(COMPLETE, receipts=others | ({key: receipt} if receipt else {}))


def test_nothing_is_missing_while_every_table_has_a_receipt_of_every_snapshot() -> None:
    assert COMPLETE.missing == []


def test_missing_receipts_are_named_in_the_order_of_their_snapshots() -> None:
    assert replace(COMPLETE, receipts={}).missing == [
        key.receipt(table) for key in (KEY, OTHER) for table in PLAYLIST_TABLES
    ]


def test_the_tables_of_another_kind_of_list_are_not_missing() -> None:
    chart = SnapshotKey(date(2026, 11, 22), "listenbrainz-recordings-global-weekly", CHARTS)

    assert replace(COMPLETE, raws={chart: WRITTEN}).missing == [chart.receipt("charts")]


def test_a_receipt_that_is_older_than_its_snapshot_is_missing() -> None:
    receipt = KEY.receipt("songs")

    assert changed(receipt, ListedReceipt("old", WRITTEN - timedelta(seconds=1))).missing == [receipt]
    assert changed(receipt, ListedReceipt("new", WRITTEN + timedelta(seconds=1))).missing == []


def test_the_fingerprint_changes_with_each_receipt_the_watch_list_and_the_version_and_with_nothing_else() -> None:
    receipt = KEY.receipt("songs")
    same = COMPLETE.receipts[receipt]

    assert len({
        COMPLETE.fingerprint("1.0.0"),
        COMPLETE.fingerprint("1.0.1"),
        changed(receipt, None).fingerprint("1.0.0"),
        changed(receipt, replace(same, etag="other")).fingerprint("1.0.0"),
        replace(COMPLETE, watch_list="edited").fingerprint("1.0.0"),
        replace(COMPLETE, watch_list=None).fingerprint("1.0.0"),
    }) == 6  # fmt: skip
    later = replace(same, last_modified=WRITTEN + timedelta(hours=1))
    assert changed(receipt, later).fingerprint("1.0.0") == COMPLETE.fingerprint("1.0.0")
