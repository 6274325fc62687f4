"""Charts in the views beside playlists, over small lakes whose rows were worked out by hand."""

from datetime import date
from typing import Any

import pytest

from tests.analytics.lake import Lake

DE = "spotify_charts-regional-de-weekly"
LISTENBRAINZ = {
    "source": "listenbrainz",
    "chart_id": "recordings-global-weekly",
    "period_start": date(2026, 11, 2),
    "period_end": date(2026, 11, 8),
    "metric_name": "listens",
}
"""A week from Monday to Sunday."""


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
        "SELECT kind, source, playlist_id, playlist_name, region, period_start, period_end FROM chart_entries "
        "WHERE week = DATE '2026-11-23' AND position = 1 AND playlist_name NOT LIKE '%FR%' ORDER BY playlist_name"
    )

    global_id = "spotify_charts-regional-global-weekly"
    assert told(found) == [
        ("chart", "spotify_charts", DE, "Spotify DE weekly", "DE", "11-20", "11-26"),
        ("chart", "spotify_charts", global_id, "Spotify global weekly", "global", "11-20", "11-26"),
        ("playlist", "spotify", "top", "Top", None, "11-24", "11-24"),
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
    lake.ranking("2026-11-08", "global", "A", **LISTENBRAINZ)
    for day in ("2026-11-17", "2026-11-18"):
        today = date.fromisoformat(day)
        daily = {"chart_id": "regional-de-daily", "frequency": "daily", "period_start": today, "period_end": today}
        lake.ranking(day, "DE", "A", **daily)

    found = lake.select("SELECT playlist_name, week, snapshot_on, arrival, movement FROM weekly_chart ORDER BY 1")

    assert told(found) == [
        ("Open listening global weekly", "11-02", "11-08", "first chart", None),
        ("Spotify DE daily", "11-16", "11-18", "first chart", None),
        ("Spotify DE weekly", "11-02", "11-05", "first chart", None),
        ("Spotify FR weekly", "11-09", "11-12", "first chart", None),
    ]


def test_a_week_of_daily_charts_has_its_last_complete_one(lake: Lake) -> None:
    for day, tracks in (("2026-11-16", "A B"), ("2026-11-17", "B A"), ("2026-11-18", "C - A")):
        today = date.fromisoformat(day)
        daily = {"chart_id": "regional-de-daily", "frequency": "daily", "period_start": today, "period_end": today}
        lake.ranking(day, "DE", tracks, **daily)

    assert told(lake.select("SELECT DISTINCT snapshot_on, complete FROM chart_entries")) == [("11-17", True)]


def test_a_chart_with_a_position_that_names_no_recording_is_not_complete(lake: Lake) -> None:
    named = {"title": "Song", "artist_credit": "Z", "region": "global", "frequency": "daily", "position": 1}
    unnamed = named | {"title": None, "position": 2}
    for day, rows in (("2026-11-07", [named]), ("2026-11-08", [named, unnamed])):
        lake.put("charts", day, "listenbrainz-recordings-global-daily", *(LISTENBRAINZ | row for row in rows))

    assert told(lake.select("SELECT snapshot_on, missing FROM list_snapshots ORDER BY 1")) == [
        ("11-07", 0),
        ("11-08", 1),
    ]
    assert told(lake.select("SELECT snapshot_on, complete FROM chart_entries")) == [("11-07", True)]


def test_a_charts_ids_meet_those_of_songs_and_of_other_charts(lake: Lake) -> None:
    # given A on a playlist with its ISRC, on a chart under its Spotify id, on another under two MBIDs; and Z
    lake.chart("2026-11-02", "top", "A", isrc="GBAYE2400001")
    lake.ranking("2026-11-05", "DE", "A9 B7")
    heard = {"title": "Song", "artist_credit": "Z", "metric_value": 40, "region": "global", "frequency": "weekly"}
    rows = (
        {"position": 1, "recording_mbid": "mbid-1", "isrcs": '["USUM72400002", "GBAYE2400001"]'},
        {"position": 2, "recording_mbid": "mbid-2", "isrcs": '["GBAYE2400001"]'},
        {"position": 3, "recording_mbid": None, "isrcs": None},
    )
    lake.put(
        "charts", "2026-11-08", "listenbrainz-recordings-global-weekly", *(heard | LISTENBRAINZ | row for row in rows)
    )

    entries = lake.select("SELECT playlist_name, position, recording_id, metric_value FROM chart_entries ORDER BY 1, 2")
    names = lake.select("SELECT track_id, recording_name, joined_by FROM recordings ORDER BY 1")

    assert entries == [
        ("Open listening global weekly", 1, "A", 80),
        ("Open listening global weekly", 3, "listenbrainz Song / Z", 40),
        ("Spotify DE weekly", 1, "A", 9000),
        ("Spotify DE weekly", 2, "B", 7000),
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
        "SELECT track_name, artists, artist_id, artist_ids, label FROM chart_entries WHERE kind = 'chart' ORDER BY 1"
    ) == [
        ("Song A", "A", "a", '["a"]', "Label / Other"),
        ("Song B", "B, The Artist", None, None, "Label / Other"),
    ]


def test_only_what_says_so_itself_is_simulated(lake: Lake) -> None:
    lake.chart("2026-11-02", "top", "A")
    lake.chart("2026-11-02", "made-up", "A")
    lake.put("playlist_metadata", "2026-11-02", "made-up", {"track_entries": 1, "outcome": "ok", "simulated": True})
    lake.ranking("2026-11-05", "DE", "A")
    lake.ranking("2026-11-05", "FR", "A B", simulated=True)

    assert lake.select("SELECT playlist_id, entries FROM list_snapshots WHERE simulated ORDER BY 1") == [
        ("made-up", 1),
        ("spotify_charts-regional-fr-weekly", 2),
    ]
    assert lake.select("SELECT count(*) FROM list_snapshots WHERE NOT simulated") == [(2,)]


def test_charts_of_some_weeks_read_no_other_but_for_the_recordings(lake: Lake) -> None:
    for day in ("2026-11-05", "2026-11-12"):
        lake.ranking(day, "DE", "A")

    assert lake.select("SELECT count(*) FROM list_snapshots WHERE week = DATE '2026-11-09'") == [(1,)]
    assert [key for key in lake.read if "day=05" in key] == []


def test_a_chart_has_album_and_sound_as_far_as_some_playlist_showed_them(lake: Lake) -> None:
    # given A with its sound in the older of two snapshots, B without one, and C on no playlist
    for day, energy in (("2026-11-02", 0.5), ("2026-11-09", None)):
        lake.chart(day, "top", "A B")
        lake.put("albums", day, "top", {"album_id": "A", "label": f"Own of {day}"})
        if energy:
            lake.put("track_features", day, "top", {"track_id": "A", "energy": energy, "feature_source": "spotify"})
    lake.ranking("2026-10-29", "DE", "A9 B7 C5")

    assert told(lake.select("SELECT track_id, known_on, label, energy FROM chart_tracks ORDER BY 1")) == [
        ("A", "11-02", "Own of 2026-11-02", 0.5),
        ("B", "11-09", None, None),
        ("C", None, None, None),
    ]


def test_labels_share_what_each_chart_counts(lake: Lake) -> None:
    lake.ranking("2026-11-05", "DE", "A9 B7 C5 D3", label="X")
    lake.ranking("2026-11-12", "DE", "B8 - C5 - E1", label="X / Y")
    lake.ranking("2026-11-19", "DE", "B8 A7 E6")
    lake.ranking("2026-11-05", "global", "A90", label="X")
    lake.ranking("2026-11-05", "FR", "A", chart_id="viral-fr-weekly", metric_name=None)
    lake.chart("2026-11-02", "top", "A")

    # then it is 24, 21 and 14 of 59 thousand in Germany; playlists and viral charts count nothing
    assert lake.ask("label_share_by_streams") == [
        ("Spotify DE weekly", "X", 40.7, 24000, "streams", 4),
        ("Spotify DE weekly", None, 35.6, 21000, "streams", 3),
        ("Spotify DE weekly", "X / Y", 23.7, 14000, "streams", 3),
        ("Spotify global weekly", "X", 100.0, 90000, "streams", 1),
    ]


def test_streams_are_gained_and_lost_since_the_chart_before(month: Lake) -> None:
    assert [row[:7] for row in month.ask("streams_gained_and_lost", limit="1", to="2026-11-29")] == [
        ("Spotify DE weekly", date(2026, 11, 23), 4000, 80.0, 9000, "streams", 1),
        ("Spotify FR weekly", date(2026, 11, 23), 1000, 25.0, 5000, "streams", 1),
        ("Spotify global weekly", date(2026, 11, 23), -1000, -1.1, 94000, "streams", 1),
    ]


def test_a_recording_goes_from_a_playlist_to_a_chart_or_back(lake: Lake) -> None:
    # given A on both since nobody knows when, B first on the playlist, C first on the chart; D that was there first
    for day, tracks in (("2026-11-02", "A D"), ("2026-11-09", "A B D"), ("2026-11-23", "A B C D")):
        lake.chart(day, "top", tracks)
    for day, tracks in (("2026-11-05", "A"), ("2026-11-12", "A C"), ("2026-11-19", "A C B D")):
        lake.ranking(day, "DE", tracks)

    assert told([row[:8] for row in lake.ask("playlist_to_chart")]) == [
        ("Song D", "D", 17, True, "Top", "11-02", "Spotify DE weekly", "11-19"),
        ("Song C", "C", -11, False, "Top", "11-23", "Spotify DE weekly", "11-12"),
        ("Song B", "B", 10, False, "Top", "11-09", "Spotify DE weekly", "11-19"),
    ]


def test_coverage_says_what_of_the_charts_is_missing_and_known(month: Lake) -> None:
    month.chart("2026-11-02", "top", "A B")
    month.put("artists", "2026-11-02", "top", {"artist_id": "a", "primary_genre": "pop"})
    month.put("track_features", "2026-11-02", "top", {"track_id": "B", "feature_source": "spotify"})

    (germany, *_) = month.ask("chart_coverage", to="2026-11-29")

    # then of 13 positions in four charts A has 2, with a genre, and B has 4, with its sound
    assert germany[:8] == ("Spotify DE weekly", 4, date(2026, 11, 5), date(2026, 11, 26), None, 3, 0, 1)
    assert germany[8:-1] == (2, 100.0, 0.0, 46.2, 15.4, 30.8)


@pytest.mark.parametrize(
    ("query", "lists"),
    [
        ("climbers_and_fallers", {"Spotify DE weekly"}),
        ("debuts", {"Spotify DE weekly"}),
        ("drops", {"Spotify DE weekly"}),
        ("momentum", {"Spotify DE weekly", "Spotify FR weekly", "Spotify global weekly"}),
        ("reach", {"Spotify DE weekly"}),
        ("playlist_turnover", {"Spotify DE weekly", "Spotify FR weekly"}),
        ("survival_of_debuts", {"Spotify DE weekly"}),
        ("playlist_spread", {"Spotify FR weekly", "Spotify global weekly"}),
    ],
)
def test_the_questions_about_playlists_are_answered_of_charts(month: Lake, query: str, lists: set[str]) -> None:
    assert lists <= {value for row in month.ask(query, to="2026-11-29") for value in row if isinstance(value, str)}


def test_genres_are_those_of_playlists_alone(lake: Lake) -> None:
    lake.chart("2026-11-02", "top", "A")
    lake.put("artists", "2026-11-02", "top", {"artist_id": "a", "genres": '["pop"]'})
    lake.ranking("2026-11-05", "DE", "A9 B7")

    assert [row[1:3] for row in lake.ask("genre_share_by_month")] == [("pop", 100.0)]
