"""Charts in the views beside playlists, over small lakes whose rows were worked out by hand."""

from datetime import date
from typing import Any

import pytest

from tests.analytics.lake import Lake, song

DE = "spotify_charts-regional-de-weekly"


@pytest.fixture
def month(lake: Lake) -> Lake:
    """Four weekly charts of three regions; the second one of Germany lacks ranks 2 and 4."""
    lake.ranking("2026-11-05", "DE", "A9 B7 C5 D3")
    lake.ranking("2026-11-12", "DE", "B8 - C5 - E1")
    lake.ranking("2026-11-19", "DE", "B8 A7 E5")
    lake.ranking("2026-11-26", "DE", "E9 B8 F5")
    for day, worldwide, french in (
        ("2026-11-05", "A90 B80", "G4 A2"),
        ("2026-11-12", "A91 B70", "A4 G2"),
        ("2026-11-19", "A95 G60", "A4 G3"),
        ("2026-11-26", "B99 A94", "A5 G4"),
    ):
        lake.ranking(day, "global", worldwide)
        lake.ranking(day, "FR", french)
    return lake


def told(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """The rows with days as month and day."""
    return [tuple(f"{value:%m-%d}" if isinstance(value, date) else value for value in row) for row in rows]


def test_a_chart_is_a_list_with_its_kind_source_region_and_period(month: Lake) -> None:
    month.chart("2026-11-24", "top", "A B")

    found = month.select(
        "SELECT kind, source, playlist_id, playlist_name, region, period_start, period_end, week FROM chart_entries "
        "WHERE week = DATE '2026-11-23' AND position = 1 ORDER BY playlist_name"
    )

    assert told(found) == [
        ("chart", "spotify_charts", "spotify_charts-regional-de-weekly", "Spotify regional, DE weekly", "DE")
        + ("11-20", "11-26", "11-23"),
        ("chart", "spotify_charts", "spotify_charts-regional-fr-weekly", "Spotify regional, FR weekly", "FR")
        + ("11-20", "11-26", "11-23"),
        ("chart", "spotify_charts", "spotify_charts-regional-global-weekly", "Spotify regional, global weekly", "global")
        + ("11-20", "11-26", "11-23"),
        ("playlist", "spotify", "top", "Top", None, "11-24", "11-24", "11-23"),
    ]


@pytest.mark.parametrize(
    ("track", "expected"),
    [
        # week, complete, position, previous, movement, streams gained, arrival, weeks_on_list, peak, exited_on
        (
            "A",
            [
                ("11-02", True, 1, None, None, None, "first chart", 1, 1, "11-26"),
                ("11-16", True, 2, None, None, None, "stay", 3, 1, "11-26"),
            ],
        ),
        (
            "B",
            [
                ("11-02", True, 2, None, None, None, "first chart", 1, 2, None),
                ("11-09", False, 1, 2, 1, 1000, "stay", 2, 1, None),
                ("11-16", True, 1, 1, 0, 0, "stay", 3, 1, None),
                ("11-23", True, 2, 1, -1, 0, "stay", 4, 1, None),
            ],
        ),
        (
            "C",
            [
                ("11-02", True, 3, None, None, None, "first chart", 1, 3, "11-19"),
                ("11-09", False, 3, 3, 0, 0, "stay", 2, 3, "11-19"),
            ],
        ),
        # what is absent where ranks are missing has left once the next chart lacks it, too
        ("D", [("11-02", True, 4, None, None, None, "first chart", 1, 4, "11-19")]),
        (
            "E",
            [
                ("11-09", False, 5, None, None, None, "debut", 1, 5, None),
                ("11-16", True, 3, 5, 2, 4000, "stay", 2, 3, None),
                ("11-23", True, 1, 3, 2, 4000, "stay", 3, 1, None),
            ],
        ),
    ],
)
def test_a_missing_rank_moves_nobody_and_lets_nobody_leave(
    month: Lake, track: str, expected: list[tuple[Any, ...]]
) -> None:
    found = month.select(
        "SELECT week, complete, position, previous_position, movement, metric_change, arrival, weeks_on_list, peak, "
        f"exited_on FROM weekly_chart WHERE playlist_id = '{DE}' AND track_id = '{track}' ORDER BY week"
    )

    assert told(found) == expected


def test_what_the_source_says_of_movement_stands_beside_what_the_lake_shows(lake: Lake) -> None:
    lake.ranking("2026-11-05", "DE", "A B")
    lake.ranking("2026-11-12", "DE", "B", previous_position=7, peak_position=1, weeks_on_chart=31)

    assert lake.select(
        "SELECT previous_position, source_previous_position, peak, source_peak_position, weeks_on_list, "
        "source_weeks_on_chart FROM weekly_chart WHERE week = DATE '2026-11-09'"
    ) == [(2, 7, 1, 1, 2, 31)]


def test_lists_of_other_regions_calendars_and_frequencies_never_meet(lake: Lake) -> None:
    lake.ranking("2026-11-05", "DE", "A")
    lake.ranking("2026-11-12", "FR", "A")
    monday_to_sunday = {"source": "listenbrainz", "chart_id": "recordings-de-weekly", "period_start": date(2026, 11, 9)}
    lake.ranking("2026-11-15", "DE", "A", **monday_to_sunday, period_end=date(2026, 11, 15), metric_name="listens")
    for day in ("2026-11-17", "2026-11-18"):
        today = date.fromisoformat(day)
        daily = {"chart_id": "regional-de-daily", "frequency": "daily", "period_start": today, "period_end": today}
        lake.ranking(day, "DE", "A", **daily)

    found = lake.select("SELECT playlist_name, week, snapshot_on, arrival, previous_position FROM weekly_chart ORDER BY 1")

    assert told(found) == [
        ("Open listening, DE weekly", "11-09", "11-15", "first chart", None),
        ("Spotify regional, DE daily", "11-16", "11-18", "first chart", None),
        ("Spotify regional, DE weekly", "11-02", "11-05", "first chart", None),
        ("Spotify regional, FR weekly", "11-09", "11-12", "first chart", None),
    ]


def test_a_week_of_daily_charts_has_its_last_complete_one(lake: Lake) -> None:
    for day, tracks in (("2026-11-16", "A B"), ("2026-11-17", "B A"), ("2026-11-18", "C - A")):
        today = date.fromisoformat(day)
        daily = {"chart_id": "regional-de-daily", "frequency": "daily", "period_start": today, "period_end": today}
        lake.ranking(day, "DE", tracks, **daily)

    assert told(lake.select("SELECT DISTINCT snapshot_on, complete FROM chart_entries")) == [("11-17", True)]


def test_a_charts_ids_meet_those_of_songs_and_of_other_charts(lake: Lake) -> None:
    # given A on a playlist under its ISRC, on a chart under its Spotify id, and on another under two MBIDs
    lake.chart("2026-11-02", "top", "A", isrc="GBAYE2400001")
    lake.ranking("2026-11-05", "DE", "A9 B7")
    mbid = {"source": "listenbrainz", "chart_id": "recordings-global-weekly", "metric_name": "listens"}
    heard = {"spotify_track_id": None, "isrcs": '["USUM72400002", "GBAYE2400001"]', "metric_value": 40}
    lake.put(
        "charts", "2026-11-08", "listenbrainz-recordings-global-weekly",
        *(
            {"position": n, "recording_mbid": f"mbid-{n}", "region": "global", "frequency": "weekly"}
            | {"period_start": date(2026, 11, 2), "period_end": date(2026, 11, 8), "title": "Song", "artist_credit": "Z"}
            | mbid | (heard if n < 3 else heard | {"recording_mbid": None, "isrcs": None})
            for n in (1, 2, 3)
        ),
    )  # fmt: skip

    entries = lake.select("SELECT playlist_name, position, recording_id, metric_value FROM chart_entries ORDER BY 1, 2")
    names = lake.select("SELECT track_id, recording_name, joined_by FROM recordings ORDER BY 1")

    assert entries == [
        ("Open listening, global weekly", 1, "A", 80),
        ("Open listening, global weekly", 3, "listenbrainz Song / Z", 40),
        ("Spotify regional, DE weekly", 1, "A", 9000),
        ("Spotify regional, DE weekly", 2, "B", 7000),
        ("Top", 1, "A", None),
    ]
    assert names[:2] == [("A", "Song A", "same id"), ("B", "Song B", "same id")]
    assert [name for name in names if name[0].startswith("mbid")] == [
        ("mbid-1", "Song A", "isrc"),
        ("mbid-2", "Song A", "isrc"),
    ]


def test_a_chart_has_the_artists_that_songs_last_told_and_else_its_own_credit(lake: Lake) -> None:
    lake.chart("2026-11-02", "top", "A")
    lake.ranking("2026-11-05", "DE", "A9 B7", label="Label / Other")

    assert lake.select(
        "SELECT track_name, artists, artist_id, artist_ids, label FROM chart_entries WHERE kind = 'chart' ORDER BY position"
    ) == [
        ("Song A", "A", "a", '["a"]', "Label / Other"),
        ("Song B", "B, The Artist", None, None, "Label / Other"),
    ]


def test_charts_of_some_weeks_read_no_other_but_for_the_recordings(lake: Lake) -> None:
    for day in ("2026-11-05", "2026-11-12"):
        lake.ranking(day, "DE", "A")

    assert lake.select("SELECT count(*) FROM list_snapshots WHERE week = DATE '2026-11-09'") == [(1,)]
    assert [key for key in lake.read if "day=05" in key] == []
