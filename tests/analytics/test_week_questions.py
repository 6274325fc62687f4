"""What the queries of a week's report answer, on small lakes that were worked out by hand."""

from datetime import date, datetime
from typing import Any

import pytest

from analytics.report.findings import findings
from analytics.report.lists import lists_of
from analytics.report.records import records
from analytics.sql import queries
from tests.analytics.lake import Lake, song
from tests.analytics.reports import MONDAY, answers_of, week

TOP_50 = "37i9dQZEVXbEarwormTop50"


def kinds(lake: Lake) -> dict[str, tuple[str, str]]:
    return {id_: (kind, by) for id_, kind, by in lake.select("SELECT playlist_id, list_kind, told_by FROM list_kinds")}


def test_a_kind_is_told_by_owner_order_and_turnover(lake: Lake) -> None:
    many, few = {"owner_id": "editor", "followers": 50_000}, {"owner_id": "anna", "followers": 12}
    written: dict[str, Any] = {"added_at": datetime.fromisoformat("2026-11-23T06:00:00")}
    for ago in range(5):
        turn = f"T{ago} T{ago + 1} T{ago + 2}"
        lake.chart(week(ago), TOP_50, turn, metadata={"owner_id": "spotify"}, **written)
        lake.chart(week(ago), "editors", turn, metadata=many)
        lake.chart(week(ago), "anna", turn, metadata=few)
        lake.chart(week(ago), "still", "A B C", metadata=many)
        lake.chart(week(ago), "shuffled", ("A B C D E F", "D E F A B C")[ago % 2] + f" N{ago}", metadata=many)
        # it is new each Friday, and so no catalogue, however it is ordered
        lake.chart(week(ago), "fridays", f"F{ago} G{ago} H{ago}", metadata=many, **written)
    lake.chart(week(0), "37i9dQZF1DXcBWIGoYBM5M", "A B")
    lake.ranking("2026-11-26", "DE", "A B")

    assert kinds(lake) == {
        TOP_50: ("chart", "entries added at one moment"),
        "editors": ("flagship", "owner and followers"),
        "anna": ("personal", "owner and followers"),
        "still": ("catalogue", "order and turnover"),
        "shuffled": ("catalogue", "order and turnover"),
        "fridays": ("flagship", "owner and followers"),
        "37i9dQZF1DXcBWIGoYBM5M": ("flagship", "edited"),
        "spotify_charts-regional-de-weekly": ("chart", "source"),
    }


def test_a_genre_has_its_share_of_the_recordings_of_four_weeks(lake: Lake) -> None:
    # given two lists that share B, and an artist of C of whom no genre is known
    for ago in (4, 0):
        lake.chart(week(ago), "top", "A B C")
        lake.chart(week(ago), "fresh", "B")
        for playlist in ("top", "fresh"):
            told = {"artist_id": "b", "genres": '["pop", "rap"]'}
            lake.put("artists", week(ago), playlist, {"artist_id": "a", "genres": '["pop"]'}, told)

    assert lake.ask("genre_momentum", to=str(MONDAY)) == [
        (0, "pop", 2, 2, 3),
        (1, "pop", 2, 2, 3),
        (0, "rap", 1, 2, 3),
        (1, "rap", 1, 2, 3),
    ]


def test_a_recording_counts_once_in_the_sound_of_four_weeks(lake: Lake) -> None:
    for ago in (5, 1, 0):
        lake.chart(week(ago), "top", "A B")
        lake.put("track_features", week(ago), "top", {"track_id": "A", "energy": 0.2}, {"track_id": "B", "energy": 0.6})

    found = lake.ask("sound_momentum", to=str(MONDAY))

    assert [(age, feature, n, round(average, 3), round(spread, 3)) for age, feature, n, average, spread in found] == [
        (0, "energy", 2, 0.4, 0.283),
        (1, "energy", 2, 0.4, 0.283),
    ]


def test_stays_are_counted_by_their_length_and_whether_they_ended(lake: Lake) -> None:
    # given B, which came after the first chart and left a week later; C, which is still there; A, of which nobody knows
    for ago, tracks in ((3, "A"), (2, "A B"), (1, "A C"), (0, "A C")):
        lake.chart(week(ago), "top", tracks)

    assert lake.ask("time_on_list", to=str(MONDAY)) == [("top", 1, 1, 1)]


def test_a_track_has_the_label_that_was_told_last_and_its_group(lake: Lake) -> None:
    for ago, label in ((1, "Nobody"), (0, "Columbia")):
        lake.put("songs", week(ago), "top", song("A", 1, isrc="GBAYE6800011"), song("B", 2))
        lake.put("albums", week(ago), "top", {"album_id": "A", "label": label, "release_on": date(2026, 1, 2)})

    assert lake.ask("track_labels", to=str(MONDAY)) == [
        ("A", "GBAYE6800011", "Columbia", "Sony Music", date(2026, 1, 2)),
        ("B", None, None, None, None),
    ]


def test_a_list_has_its_last_chart_its_gaps_and_what_was_refused(lake: Lake) -> None:
    for ago in (5, 2):
        lake.chart(week(ago), "top", "A B", metadata={"genres_coverage": 0.5, "owner_name": "Editor"})

    query = queries()["lists_of_the_week"]
    (found,) = lake.answer(query.text, query.execution_parameters({"week": str(MONDAY)}, MONDAY)).records()

    expected: dict[str, Any] = {
        "playlist_id": "top",
        "is_current": False,
        "seen_on": date.fromisoformat(week(2)),
        "entries": 2,
        "first_on": date.fromisoformat(week(5)),
        "snapshots": 2,
        "weeks_missing": 4,
        "genres": 50.0,
        "owner_name": "Editor",
        "refused_values": 0,
        "simulated": False,
    }
    assert {name: found[name] for name in expected} == expected
    assert {*found["weeks"].split()} == {"2", "5"}


@pytest.mark.parametrize("name", [None, "", " "])
def test_a_list_without_a_name_goes_by_its_id(lake: Lake, name: str | None) -> None:
    lake.chart(week(0), "top", "A B", metadata={"playlist_name": name})

    query = queries()["lists_of_the_week"]
    (found,) = lake.answer(query.text, query.execution_parameters({"week": str(MONDAY)}, MONDAY)).records()

    assert found["playlist_name"] == "top"


def states(lake: Lake) -> dict[str, str]:
    query = queries()["week_on_the_lists"]
    found = lake.answer(query.text, query.execution_parameters({"week": str(MONDAY)}, MONDAY)).records()
    return {row["recording_id"]: row["state"] for row in found}


def test_nobody_knows_of_a_chart_without_a_known_entry_what_is_listed(lake: Lake) -> None:
    # given B, which left a week before the chart whose entries are all rejected
    lake.chart(week(2), "top", "A B")
    lake.chart(week(1), "top", "A C")
    assert states(lake) == {"A": "listed", "C": "listed", "B": "left"}

    lake.chart(week(0), "top", "x x")

    assert states(lake) == {"A": "unknown", "C": "unknown"}


def test_what_the_second_chart_of_a_list_is_the_first_to_show_spreads_to_nowhere(lake: Lake) -> None:
    # given A, that the null entry of the first chart of top may have stood for
    for ago, tracks in ((1, "B -"), (0, "B A")):
        lake.chart(week(ago), "top", tracks)
        lake.chart(week(ago), "fresh", "A")

    answers = answers_of(lake)
    assert findings(answers, lists_of(answers)).spreading == []
    query = queries()["reach"]
    told = lake.answer(query.text, query.execution_parameters({"to": str(MONDAY)}, MONDAY)).records()
    assert [(row["track_id"], row["lists"], row["lists_change"], row["came_to"]) for row in told] == [
        ("A", 2, 0, None),
        ("B", 1, 0, None),
    ]


def test_the_page_measures_moves_as_the_query_does_where_entries_are_not_known(lake: Lake) -> None:
    # given A, which climbs 2 of 8 known places of 20, and B, which climbs 2 of 12
    for ago in (1, 0):
        lake.chart(week(ago), "rejects", ("A C D E F G H I" if ago == 0 else "C D A E F G H I") + " x" * 12)
        lake.chart(week(ago), "longer", ("B" if ago == 0 else "J K B") + " L M N O P Q R S T" + " J K" * (ago == 0))
    lake.watch(artist=["a", "b"])

    asked = [row[-1] for row in lake.ask("watched_events", **{"from": str(MONDAY), "to": str(MONDAY)})]

    answers = answers_of(lake)
    assert [each.record.id for each in records(answers, lists_of(answers)).events] == asked == ["A", "B"]
