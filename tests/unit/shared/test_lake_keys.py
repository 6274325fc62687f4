"""Which key holds what."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.days import FIRST_DAY, LAST_DAY
from shared.errors import PermanentError
from shared.lake import SnapshotKey

PLAYLISTS = st.from_regex(r"[A-Za-z0-9_-]{1,128}", fullmatch=True)


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


@given(st.dates(FIRST_DAY, LAST_DAY), PLAYLISTS)
def test_a_raw_key_tells_its_snapshot(day: date, playlist: str) -> None:
    key = SnapshotKey(day, playlist)

    assert SnapshotKey.from_raw(key.raw) == key


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
    ],
)
def test_any_other_key_is_refused(key: str) -> None:
    with pytest.raises(PermanentError, match="not the key of a raw snapshot"):
        SnapshotKey.from_raw(key)
