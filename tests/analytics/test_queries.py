"""The questions, asked of small lakes whose answers were worked out by hand."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from analytics.sql import queries
from contracts.tables import TABLES
from infra.demos import recovery
from infra.local.emulator import athena
from tests.analytics.lake import Lake, lake_that_tells_what_is_read, song


def snapshot(lake: Lake, day: str, playlist: str, *songs: dict[str, Any]) -> None:
    """A snapshot of these songs."""
    told = {"playlist_name": playlist.title(), "outcome": "ok", "track_entries": len(songs)}
    lake.put("playlist_metadata", day, playlist, told)
    lake.put("songs", day, playlist, *songs)


def test_top_artists_averages_what_spotify_told(lake: Lake) -> None:
    # given x twice with 80 and 70, y once with 90 and once beside x, z of unknown popularity, one before the range
    snapshot(
        lake, "2026-11-09", "top",
        song("A", 1, ["x", "y"], popularity=80), song("B", 2, ["y"], popularity=90), song("C", 3, ["z"]),
    )  # fmt: skip
    snapshot(lake, "2026-11-16", "top", song("D", 1, ["x"], popularity=70))
    snapshot(lake, "2026-11-02", "top", song("E", 1, ["early"], popularity=100))
    days = {"from": "2026-11-09", "to": "2026-11-16"}

    assert lake.ask("top_artists", entries="2", **days) == [("Y", 85.0, 2, 2, 1), ("X", 75.0, 2, 2, 2)]
    assert lake.ask("top_artists", entries="1", recordings="1", credits="first", **days) == [
        ("Y", 90.0, 1, 1, 1),
        ("X", 75.0, 2, 2, 2),
    ]


def test_no_artist_leads_by_one_recording_however_many_ids_it_has(lake: Lake) -> None:
    # given a hit of x that is listed under two ids, and two songs of y
    for number in range(10):
        hit = song("A" if number < 5 else "B", 1, ["x"], popularity=90, isrc="GBAYE2400001")
        rest = song("C", 2, ["y"], popularity=50), song("D", 3, ["y"], popularity=40)
        snapshot(lake, f"2026-11-{number + 1:02}", "top", hit, *rest)

    assert lake.ask("top_artists") == [("Y", 45.0, 20, 2, 10)]
    assert lake.ask("top_artists", recordings="1", limit="1") == [("X", 90.0, 10, 1, 10)]


@pytest.fixture
def genres(lake: Lake) -> Lake:
    """A weekly list of five, and one of one track that is collected daily from November on."""
    told = [
        {"artist_id": "x", "genres": '["pop", "soul"]'},
        {"artist_id": "y", "genres": "[]"},
        {"artist_id": "z", "genres": '["rock"]'},
    ]
    for day in ("2026-10-26", "2026-11-02"):
        entries = song("A", 1, ["x"]), song("B", 2, ["y", "x"]), song("C", 3, ["z"]), song("D", 4, ["x"]), song("E", 5)
        snapshot(lake, day, "top", *entries)
        lake.put("artists", day, "top", *told)
    for day in ("2026-11-02", "2026-11-03", "2026-11-04"):
        snapshot(lake, day, "fresh", song("C", 1, ["z"]))
        lake.put("artists", day, "fresh", *told)
    return lake


def test_an_entry_is_shared_out_among_all_genres_of_all_its_artists(genres: Lake) -> None:
    # then B is of pop and soul by its second artist, of no genre by its first; and E is of none at all
    assert genres.ask("genre_share_by_month", playlist="Top", to="2026-10-31") == [
        (date(2026, 10, 1), "pop", 30.0, 40.0, 1, 1),
        (date(2026, 10, 1), "soul", 30.0, 0.0, 1, 1),
        (date(2026, 10, 1), "rock", 20.0, 20.0, 1, 1),
        (date(2026, 10, 1), None, 20.0, 40.0, 1, 1),
    ]


def test_lists_weigh_the_same_in_a_months_genres_and_one_that_joined_is_counted(genres: Lake) -> None:
    assert genres.ask("genre_share_by_month", limit="2", **{"from": "2026-11-02"}) == [
        (date(2026, 11, 1), "rock", 60.0, 60.0, 2, 1),
        (date(2026, 11, 1), "pop", 15.0, 20.0, 2, 1),
    ]


def test_the_sound_of_the_top_is_compared_with_the_rest(lake: Lake) -> None:
    # given energies of 0.8 and 0.6 at the top, of 0.2 and 0.4 below, and a track without features; and on another day
    # the top one below, which counts once
    energies = {"A": 0.8, "B": 0.6, "C": 0.2, "D": 0.4}
    for day, tracks in (("2026-11-02", "ABCDE"), ("2026-11-09", "BCA")):
        snapshot(lake, day, "top", *(song(track, place) for place, track in enumerate(tracks, 1)))
        lake.put("track_features", day, "top", *({"track_id": t, "energy": e} for t, e in energies.items()))

    # then C was at the top, too, and one recording has no spread, and so no interval
    ((feature, *numbers),) = lake.ask("sound_of_the_top", top="2")
    assert feature == "energy"
    assert numbers[:5] == [3, 1, 0.533, 0.4, 0.133]
    assert numbers[5:] == [None, None, 0.306, None, 0.52]


def test_the_interval_of_a_difference_is_welchs(lake: Lake) -> None:
    top, rest = [0.9, 0.7, 0.8, 0.6, 0.75], [0.2, 0.5, 0.4, 0.3, 0.45, 0.35]
    energies = [*top, *rest]
    snapshot(lake, "2026-11-02", "top", *(song(chr(65 + n), n + 1) for n in range(len(energies))))
    told = ({"track_id": chr(65 + n), "energy": energy} for n, energy in enumerate(energies))
    lake.put("track_features", "2026-11-02", "top", *told)

    # then it is that of scipy.stats.ttest_ind(top, rest, equal_var=False).confidence_interval()
    ((_, *numbers),) = lake.ask("sound_of_the_top", top="5")
    assert numbers[4:7] == [0.383, 0.231, 0.535]


def test_artists_come_stay_return_and_leave(lake: Lake) -> None:
    lake.chart("2026-11-02", "top", "A B C")
    lake.chart("2026-11-09", "top", "A D B")
    lake.chart("2026-11-16", "top", "E", outcome="partial")
    lake.chart("2026-11-23", "top", "A C E F")

    # then nobody left in the week of the partial chart, and A stayed all the time
    assert [row[1:8] for row in lake.ask("artist_churn", playlist="Top")] == [
        (date(2026, 11, 9), 3, 1, 2, 0, 1, True),
        (date(2026, 11, 16), 1, 1, 0, 0, 0, False),
        (date(2026, 11, 23), 4, 1, 2, 1, 2, True),
    ]


def test_an_artist_is_new_once_whatever_weeks_are_asked_for(lake: Lake) -> None:
    # given C, who was there before the weeks asked for, and a, whose other song comes as the first one goes
    lake.chart("2026-11-02", "top", "A B")
    lake.chart("2026-11-09", "top", "A C")
    lake.chart("2026-11-16", "top", "A D")
    lake.put("playlist_metadata", "2026-11-23", "top", {"outcome": "ok", "track_entries": 2})
    lake.put("songs", "2026-11-23", "top", song("E", 1, ["a"]), song("C", 2))

    assert [row[1:7] for row in lake.ask("artist_churn", **{"from": "2026-11-16"})] == [
        (date(2026, 11, 16), 2, 1, 1, 0, 1),
        (date(2026, 11, 23), 2, 0, 1, 1, 1),
    ]


def test_climbers_and_fallers_are_those_between_the_last_two_complete_charts(lake: Lake) -> None:
    lake.chart("2026-11-02", "top", "D C B A")
    lake.chart("2026-11-09", "top", "A B C D E F G")
    lake.chart("2026-11-16", "top", "C A B D G E F X")
    lake.chart("2026-11-23", "top", "X", outcome="partial")

    found = [(row[2], row[4], row[5], row[9]) for row in lake.ask("climbers_and_fallers")]

    assert found == [(2, 3, 1, "C"), (2, 7, 5, "G"), (-1, 1, 2, "A"), (-1, 2, 3, "B"), (-1, 5, 6, "E"), (-1, 6, 7, "F")]


def test_a_climb_over_weeks_without_a_chart_says_so(lake: Lake) -> None:
    lake.chart("2026-11-02", "top", "A B")
    lake.chart("2026-11-23", "top", "B A")

    assert [row[2:4] for row in lake.ask("climbers_and_fallers")] == [(1, 3), (-1, 3)]


def test_no_more_climbers_and_fallers_of_a_playlist_are_told_than_asked_for(lake: Lake) -> None:
    lake.chart("2026-11-09", "top", "A B C D E F G H I J K L")
    lake.chart("2026-11-16", "top", "L K J I H G F E D C B A")

    assert [row[2] for row in lake.ask("climbers_and_fallers")] == [11, 9, 7, 5, 3, -3, -5, -7, -9, -11]
    assert [row[2] for row in lake.ask("climbers_and_fallers", limit="1")] == [11, -11]


def test_debuts_are_what_the_first_chart_does_not_have(lake: Lake) -> None:
    lake.chart("2026-11-02", "top", "A B")
    lake.chart("2026-11-09", "top", "B C A")
    lake.chart("2026-11-16", "top", "C D")

    expected = [
        ("Top", date(2026, 11, 16), 2, 2, date(2026, 11, 16), 1, 1, True, "Song D", "D", "top", "D"),
        ("Top", date(2026, 11, 9), 2, 1, date(2026, 11, 16), 2, 2, True, "Song C", "C", "top", "C"),
    ]
    assert lake.ask("debuts") == expected

    # and what was there before the days asked for is no debut in them
    assert lake.ask("debuts", **{"from": "2026-11-16"}) == expected[:1]
    assert lake.ask("debuts", limit="1", playlist="top") == expected[:1]
    assert lake.ask("debuts", playlist="Another") == []


def test_a_recording_that_is_on_no_weekly_chart_has_its_debut_and_its_peak(lake: Lake) -> None:
    # given a list that is collected daily: B is not there on the last day of its week, and A was at the top before
    for day, tracks in (("2026-11-02", "C A"), ("2026-11-03", "A C B"), ("2026-11-04", "C A"), ("2026-11-09", "C A")):
        lake.chart(day, "top", tracks)

    assert [(row[11], *row[1:8]) for row in lake.ask("debuts")] == [
        ("B", date(2026, 11, 3), 3, 3, date(2026, 11, 3), 1, 0, False)
    ]
    assert lake.select("SELECT week, peak, peak_on, days_listed FROM weekly_chart WHERE track_id = 'A' ORDER BY 1") == [
        (date(2026, 11, 2), 1, date(2026, 11, 3), 3),
        (date(2026, 11, 9), 1, date(2026, 11, 3), 4),
    ]


def test_what_an_incomplete_first_snapshot_lacks_is_no_debut_in_the_second(lake: Lake) -> None:
    lake.chart("2026-11-02", "top", "A -")
    lake.chart("2026-11-09", "top", "A B")
    lake.chart("2026-11-16", "top", "A B C")

    assert [row[11] for row in lake.ask("debuts")] == ["C"]
    assert lake.select("SELECT arrival FROM weekly_chart WHERE track_id = 'B' ORDER BY week") == [
        ("first chart",),
        ("stay",),
    ]


def test_debuts_survive_among_those_whose_age_is_known(lake: Lake) -> None:
    # given three debuts: C stays twice and goes, D goes and comes back, E is only just there
    lake.chart("2026-11-02", "top", "A")
    lake.chart("2026-11-09", "top", "A C D")
    lake.chart("2026-11-16", "top", "A C")
    lake.chart("2026-11-23", "top", "A D E")

    assert lake.ask("survival_of_debuts") == [
        ("Top", 0, 3, 3, 100.0, "top"),
        ("Top", 1, 2, 1, 50.0, "top"),
        ("Top", 2, 2, 1, 50.0, "top"),
    ]


def test_the_age_of_a_debut_is_in_weeks_and_an_incomplete_chart_ends_nothing(lake: Lake) -> None:
    # given B, that is absent from a chart with an unknown entry two weeks after its debut, and gone five weeks after it
    for day, tracks in (("2026-10-05", "A"), ("2026-10-12", "A B"), ("2026-10-26", "A -"), ("2026-11-16", "A C")):
        lake.chart(day, "top", tracks)

    assert [row[1:4] for row in lake.ask("survival_of_debuts")] == [(0, 2, 2), (2, 1, 1), (5, 1, 0)]


def test_debuts_of_a_renamed_list_are_told_by_its_last_name(lake: Lake) -> None:
    for day, tracks, name in (
        ("2026-11-02", "A", "Zebra"),
        ("2026-11-09", "A B", "Zebra"),
        ("2026-11-16", "A B", "Alpha"),
    ):
        lake.chart(day, "top", tracks, metadata={"playlist_name": name})

    expected = [("Alpha", 0, 1, 1, 100.0, "top"), ("Alpha", 1, 1, 1, 100.0, "top")]
    assert lake.ask("survival_of_debuts") == lake.ask("survival_of_debuts", playlist="Alpha") == expected


def test_turnover_and_tenure(lake: Lake) -> None:
    lake.chart("2026-11-02", "top", "A B")
    lake.chart("2026-11-09", "top", "A C")
    lake.chart("2026-11-16", "top", "B A")

    # then C and the return of B are two new ones of the four entries after the first chart
    assert lake.ask("playlist_turnover") == [("Top", 3, 3, 2.0, 50.0, 2.0, 3, "top")]

    # and so they are in the last two weeks, where no chart is the first
    assert lake.ask("playlist_turnover", **{"from": "2026-11-09"}) == [("Top", 2, 3, 2.0, 50.0, 2.0, 3, "top")]


def test_release_age_counts_the_days_since_the_album(lake: Lake) -> None:
    # given releases of a known day, one of a year alone, one of none
    snapshot(lake, "2026-11-02", "top", *(song(track, place) for place, track in enumerate("ABCD", 1)))
    lake.put(
        "albums", "2026-11-02", "top",
        {"album_id": "A", "release_on": date(2026, 10, 23), "release_date_precision": "day"},
        {"album_id": "B", "release_on": date(2026, 4, 16), "release_date_precision": "day"},
        {"album_id": "C", "release_on": date(2026, 1, 1), "release_date_precision": "year"},
        {"album_id": "D", "release_on": None},
    )  # fmt: skip

    assert lake.ask("release_age") == [(date(2026, 11, 1), 2, 105.0, 50.0, 50.0, 100.0, 2)]


def test_label_share_keeps_entries_of_unknown_labels(lake: Lake) -> None:
    # given a list that is collected twice a week, and counts once
    for day in ("2026-11-02", "2026-11-03"):
        snapshot(
            lake, day, "top",
            song("A", 1, ["x"], popularity=50), song("B", 2, ["x"], popularity=60), song("C", 3, ["y"]),
        )  # fmt: skip
        lake.put("albums", day, "top", {"album_id": "A", "label": "Own"}, {"album_id": "B", "label": "Own"})

    assert lake.ask("label_share") == [("Own", 2, 66.7, 2, 1, 1, 55.0), (None, 1, 33.3, 1, 1, 3, None)]
    assert lake.ask("label_share", limit="1", playlist="top") == [("Own", 2, 66.7, 2, 1, 1, 55.0)]


def test_collaborations_pair_the_artists_of_an_entry(lake: Lake) -> None:
    snapshot(lake, "2026-11-02", "top", song("A", 1, ["x", "y", "z"]), song("B", 2, ["y", "x"]))
    snapshot(lake, "2026-11-02", "fresh", song("A", 1, ["x", "y", "z"]))

    assert lake.ask("collaborations") == [
        ("X", "Y", 3, 2, 2, 1),
        ("X", "Z", 2, 1, 2, 1),
        ("Y", "Z", 2, 1, 2, 1),
    ]


def test_the_shape_of_songs_by_the_year_of_their_release(lake: Lake) -> None:
    # given a track that is listed twice, and counts once
    for day in ("2026-11-02", "2026-11-09"):
        lake.put("songs", day, "top", song("A", 1, duration_min=3.0, explicit=True))
        lake.put("albums", day, "top", {"album_id": "A", "release_year": 2025})
        lake.put("track_features", day, "top", {"track_id": "A", "tempo_bpm": 100.0, "key": 0, "mode": 1})
    lake.put("songs", "2026-11-02", "other", song("B", 1, duration_min=4.0), song("C", 2, duration_min=2.0))
    lake.put("albums", "2026-11-02", "other", {"album_id": "B", "release_year": 2025}, {"album_id": "C"})
    lake.put("track_features", "2026-11-02", "other", {"track_id": "B", "tempo_bpm": 121.0, "key": 9, "mode": 0})

    # then of two keys that are as frequent it is the lower one, and B tells nothing of its lyrics
    assert lake.ask("song_shape_by_release_year") == [(2025, 2, 3.5, 110.5, "C", 50.0, 100.0)]


def test_spread_tells_who_had_a_track_first(lake: Lake) -> None:
    # given A and B from the first day of fresh, and D that fresh has one week before top
    lake.chart("2026-11-02", "fresh", "A B")
    lake.chart("2026-11-02", "top", "B C")
    lake.chart("2026-11-09", "fresh", "D E")
    lake.chart("2026-11-16", "top", "A D C")

    # then nobody knows when top had B
    expected = [
        ("Song A", "A", "Fresh", date(2026, 11, 2), "Top", date(2026, 11, 16), 14, True, "fresh", "top", "A"),
        ("Song D", "D", "Fresh", date(2026, 11, 9), "Top", date(2026, 11, 16), 7, False, "fresh", "top", "D"),
    ]
    assert lake.ask("playlist_spread") == expected
    assert lake.ask("playlist_spread", limit="1", **{"from": "2026-11-16"}) == expected[:1]


def test_of_lists_that_have_a_track_from_the_same_day_one_that_may_have_had_it_before_is_the_first(lake: Lake) -> None:
    # given A, which fresh added on the day that top, which has it, was first seen
    lake.chart("2026-11-02", "fresh", "B")
    lake.chart("2026-11-02", "later", "C")
    lake.chart("2026-11-09", "fresh", "B A")
    lake.chart("2026-11-09", "top", "A")
    lake.chart("2026-11-16", "later", "A")

    found = [row[2:9] for row in lake.ask("playlist_spread")]

    assert [(first, name, days, at_least) for first, _, name, _, days, at_least, _ in found] == [
        ("Top", "Later", 7, True),
        ("Top", "Fresh", 0, True),
    ]


def test_coverage_counts_missing_weeks_and_what_spotify_did_not_tell(lake: Lake) -> None:
    told = {"playlist_name": "Top", "track_entries": 1, "run_id": "run-1"}
    lake.put(
        "playlist_metadata", "2026-11-02", "top",
        told | {"outcome": "ok", "features_coverage": 1.0, "popularity_coverage": 1.0, "genres_coverage": 0.5},
    )  # fmt: skip
    lake.put(
        "playlist_metadata", "2026-11-16", "top",
        told | {"outcome": "partial", "features_coverage": 0.5, "popularity_coverage": 0.0, "run_id": "run-2"},
    )  # fmt: skip
    lake.put("playlist_metadata", "2026-11-23", "top", told | {"outcome": "metadata_only", "run_id": "run-3"})

    assert lake.ask("data_coverage") == [
        ("Top", 3, "2026-11-02", "2026-11-23", "run-3", 2, 1, 1, 1, 75.0, 50.0, 50.0, "top")
    ]


def test_rejects_are_counted_by_reason(lake: Lake) -> None:
    def rejected(table: str, reason: str, place: int) -> dict[str, str]:
        return {"table_name": table, "reason": reason, "location": f"$.items[{place}]", "raw_key": "raw"}

    lake.put("rejected_rows", "2026-11-02", "top", rejected("songs", "no name", 0), rejected("songs", "no name", 1))
    lake.put("rejected_rows", "2026-11-09", "top", rejected("songs", "no name", 2), rejected("songs", "too long", 3))

    assert lake.ask("rejects_by_reason") == [
        ("songs", "no name", 3, 2, "2026-11-02", "2026-11-09", "raw $.items[2]"),
        ("songs", "too long", 1, 1, "2026-11-09", "2026-11-09", "raw $.items[3]"),
    ]


def test_a_chart_of_some_weeks_reads_no_other_but_for_the_recordings(lake: Lake) -> None:
    for day in ("2026-11-02", "2026-11-09"):
        lake.chart(day, "top", "A")

    assert lake.select("SELECT count(*) FROM chart_entries WHERE week = DATE '2026-11-09'") == [(1,)]
    assert [_table(key) for key in lake.read if "day=02" in key] == ["songs"]


def _table(key: str) -> str:
    return key.split("/")[2] if key.startswith("processed") else key.split("/", maxsplit=1)[0]


def test_the_chart_of_all_weeks_reads_them_all(lake: Lake) -> None:
    for day in ("2026-11-02", "2026-11-09"):
        lake.chart(day, "top", "A")

    assert lake.select("SELECT count(*) FROM weekly_chart WHERE week = DATE '2026-11-09'") == [(1,)]
    assert len(lake.read) == 4


@pytest.mark.parametrize("sql", [recovery._RECEIPTS, recovery._REFUSED])
def test_the_demonstration_of_recovery_asks_for_columns_that_there_are(lake: Lake, sql: str) -> None:
    assert lake.select(sql) == []


@pytest.fixture(scope="module")
def three_weeks() -> Iterator[Lake]:
    """Three weeks of two playlists and a chart in every table."""
    with lake_that_tells_what_is_read() as lake:
        for day in ("2026-11-02", "2026-11-09", "2026-11-16"):
            for playlist in ("top", "fresh"):
                lake.chart(day, playlist, "A B")
                lake.put("albums", day, playlist, {"album_id": "A"})
                lake.put("artists", day, playlist, {"artist_id": "a", "genres": '["pop"]'})
                lake.put("track_features", day, playlist, {"track_id": "A", "energy": 0.5})
                lake.put("rejected_rows", day, playlist, {"table_name": "songs", "reason": "none"})
            lake.ranking(day, "DE", "A B")
        yield lake


@pytest.mark.parametrize("name", queries())
def test_a_query_reads_what_it_says(three_weeks: Lake, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # given a lake that nobody has asked
    monkeypatch.setattr(athena, "rows", athena.row_store())
    three_weeks.read.clear()

    # when a week of it is asked for
    days = {"from": "2026-11-09", "to": "2026-11-15", "week": "2026-11-09"}
    given = {each.name: days[each.name] for each in queries()[name].parameters if each.name in days}
    assert three_weeks.ask(name, **given) is not None

    # then of other days are read songs, lists and what else the header says, and otherwise those of the day alone
    assert len(three_weeks.read) == len(set(three_weeks.read))
    elsewhere = {_table(key) for key in three_weeks.read if "year=2026/month=11/day=09/" not in key}
    (scans,) = (line for line in queries()[name].text.splitlines() if line.startswith("-- Scans: "))
    assert elsewhere <= {"songs", "playlist_metadata", "charts"} | {table for table in TABLES if table in scans}
    assert bool(elsewhere) is ("all days" in queries()[name].text)
