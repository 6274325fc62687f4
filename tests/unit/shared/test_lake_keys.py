"""Which key holds what."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.days import FIRST_DAY, LAST_DAY
from contracts.tables import OPERATIONS, TABLES, Table
from shared.errors import PermanentError
from shared.lake import CHARTS, KINDS, Place, SnapshotKey, table_prefix

KEYS = st.builds(
    SnapshotKey,
    st.dates(FIRST_DAY, LAST_DAY),
    st.from_regex(r"[A-Za-z0-9_-]{1,128}", fullmatch=True),
    st.sampled_from([*KINDS.values()]),
)


def test_every_key_is_a_function_of_table_day_and_playlist() -> None:
    key = SnapshotKey(date(2026, 3, 5), "37i9")

    assert key.raw == "raw/spotify/2026-03-05/37i9/playlist.json"
    assert key.parquet("songs") == "processed/spotify/songs/year=2026/month=03/day=05/37i9.parquet"
    assert key.quarantine("songs") == "quarantine/spotify/year=2026/month=03/day=05/songs-37i9.json"
    assert key.quarantined_values("songs") == "quarantine-values/spotify/year=2026/month=03/day=05/songs-37i9.json"
    assert key.receipt("songs") == "receipts/spotify/year=2026/month=03/day=05/songs-37i9.json"
    assert key.outputs("songs") == (
        key.receipt("songs"),
        key.parquet("songs"),
        key.quarantine("songs"),
        key.quarantined_values("songs"),
    )


def test_what_was_unloaded_is_no_raw_snapshot_any_more() -> None:
    with pytest.raises(PermanentError, match="not the key of a raw snapshot"):
        SnapshotKey.from_raw(SnapshotKey(date(2026, 3, 5), "37i9").unloaded)


def test_a_chart_has_keys_of_its_own() -> None:
    key = SnapshotKey(date(2026, 3, 5), "listenbrainz-sitewide", CHARTS)

    assert key.raw == "raw/charts/2026-03-05/listenbrainz-sitewide/chart.json"
    assert key.parquet("charts") == "processed/charts/charts/year=2026/month=03/day=05/listenbrainz-sitewide.parquet"
    beside = "charts/year=2026/month=03/day=05/charts-listenbrainz-sitewide.json"
    assert key.quarantine("charts") == f"quarantine/{beside}"
    assert key.quarantined_values("charts") == f"quarantine-values/{beside}"
    assert key.receipt("charts") == f"receipts/{beside}"


@given(KEYS)
def test_a_raw_key_tells_its_snapshot(key: SnapshotKey) -> None:
    assert SnapshotKey.from_raw(key.raw) == key


@given(KEYS, st.sampled_from([*TABLES]))
def test_the_key_of_an_output_tells_its_table_and_its_snapshot(key: SnapshotKey, table: str) -> None:
    for output in (key.parquet(table), key.quarantine(table), key.quarantined_values(table), key.receipt(table)):
        assert Place.from_output(output) == (table, key)
    assert Place.from_output(key.raw) is None


@pytest.mark.parametrize(
    "key",
    [
        "receipts/spotify/year=2026/month=11/day=31/songs-x.json",
        "receipts/spotify/year=2036/month=01/day=01/songs-x.json",
        "receipts/elsewhere/year=2026/month=11/day=22/songs-x.json",
        "receipts/spotify/year=2026/month=11/day=22/songs.json",
        "processed/spotify/songs/year=2026/month=11/day=22/x.json",
    ],
)
def test_any_other_key_is_that_of_no_output(key: str) -> None:
    assert Place.from_output(key) is None


@pytest.mark.parametrize("table", [*TABLES.values(), *OPERATIONS.values()], ids=lambda table: table.name)
@given(key=KEYS)
def test_a_table_has_its_objects_below_its_prefix(table: Table[Any], key: SnapshotKey) -> None:
    below = {
        "receipts": key.receipt("songs"),
        "rejected_rows": key.quarantine("songs"),
        "rejected_values": key.quarantined_values("songs"),
    }.get(table.name, replace(key, kind=KINDS[table.kind or "playlists"]).parquet(table.name))

    assert below.startswith(table_prefix(table))


@pytest.mark.parametrize(
    "key",
    [
        "",
        "raw/spotify/2026-11-22/playlist.json",
        "raw/spotify/2026-11-22/../playlist.json",
        "raw/spotify/2026-11-22/a/b/playlist.json",
        "raw/spotify/2026-02-30/a/playlist.json",
        "raw/spotify/2026-11-22/a/playlist.json\n",
        "raw/spotify/2005-12-31/a/playlist.json",
        "raw/spotify/2036-01-01/a/playlist.json",
        "raw/spotify/２０２６-11-22/a/playlist.json",
        "processed/spotify/2026-11-22/a/playlist.json",
        "raw/spotify/2026-11-22/a/chart.json",
        "raw/charts/2026-11-22/a/playlist.json",
        "raw/elsewhere/2026-11-22/a/playlist.json",
    ],
)
def test_any_other_key_is_refused(key: str) -> None:
    with pytest.raises(PermanentError, match="not the key of a raw snapshot"):
        SnapshotKey.from_raw(key)
