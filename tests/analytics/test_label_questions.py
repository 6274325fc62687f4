"""The questions about lists beside each other, asked of small lakes whose answers were worked out by hand."""

from datetime import date
from typing import Any

import pytest

from analytics.sql import views
from tests.analytics.lake import Lake, song


def told_followers(lake: Lake, day: str, playlist: str, tracks: str, followers: int | None) -> None:
    """A chart of a playlist that tells its followers."""
    told = {"playlist_name": playlist.title(), "outcome": "ok", "track_entries": len(tracks.split())}
    lake.put("playlist_metadata", day, playlist, told | {"followers": followers})
    lake.put("songs", day, playlist, *(song(track, place) for place, track in enumerate(tracks.split(), 1)))


def test_drops_tell_who_left_from_where_and_after_how_long(lake: Lake) -> None:
    # given A from the beginning, that leaves and comes back; B, a debut that was first once; and D, which stays
    for day, tracks in (
        ("2026-10-19", "A D"),
        ("2026-10-26", "B A D"),
        ("2026-11-02", "D B"),
        ("2026-11-09", "D C"),
        ("2026-11-16", "D A"),
    ):
        lake.chart(day, "top", tracks)

    # then C and B are drops for good, and A was one for two weeks
    c = ("Top", date(2026, 11, 16), 2, 2, date(2026, 11, 9), 1, 1, False, None, "Song C", "C", "top", "C")
    b = ("Top", date(2026, 11, 9), 2, 1, date(2026, 10, 26), 2, 2, False, None, "Song B", "B", "top", "B")
    a = (
        "Top", date(2026, 11, 2), 2, 1, date(2026, 10, 19), 2, 2, True, date(2026, 11, 16), "Song A", "A", "top", "A",
    )  # fmt: skip
    assert lake.ask("drops") == [c, b, a]

    # and the time before the weeks asked for counts
    assert lake.ask("drops", **{"from": "2026-11-09", "to": "2026-11-15"}) == [b]
    assert lake.ask("drops", playlist="top", limit="1") == [c]
    assert lake.ask("drops", playlist="Another") == []


def test_nobody_dropped_who_may_only_be_unknown_or_has_a_new_id(lake: Lake) -> None:
    # given B behind an unknown entry for a week and gone for two, and C under another id
    lake.chart("2026-10-26", "top", "A B C")
    lake.chart("2026-11-02", "top", "A - C")
    lake.chart("2026-11-09", "top", "A B C")
    lake.chart("2026-11-16", "top", "A - C")
    lake.put("playlist_metadata", "2026-11-23", "top", {"outcome": "ok", "track_entries": 2, "null_entries": 1})
    lake.put("songs", "2026-11-23", "top", song("A", 1), song("E", 3, ["c"], track_name="Song C", duration_ms=None))

    # then B has left, in the second chart without it, and the new id, which nothing joins to C, proves nothing of C
    assert [(row[12], *row[1:3]) for row in lake.ask("drops")] == [("B", date(2026, 11, 23), 2)]


@pytest.fixture
def spreading(lake: Lake) -> Lake:
    """A comes to small and leaves large; B stays on both; C is on a list that is new, and on one without followers."""
    told_followers(lake, "2026-11-09", "small", "B", 100)
    told_followers(lake, "2026-11-09", "large", "A B", 900)
    told_followers(lake, "2026-11-09", "silent", "D", None)
    told_followers(lake, "2026-11-16", "small", "A B", 200)
    told_followers(lake, "2026-11-16", "large", "B E", 1000)
    told_followers(lake, "2026-11-16", "silent", "D C E", None)
    told_followers(lake, "2026-11-16", "new", "C B", 5000)
    return lake


def test_reach_counts_lists_and_their_followers_and_what_changed(spreading: Lake) -> None:
    # then the growth of lists is no change, nor is what stands on a list that was only just added
    assert spreading.ask("reach") == [
        ("Song E", "E", 2, 0, 2, 1000, 0, 1000, 2, "Large, Silent", "E"),
        ("Song C", "C", 2, 0, 1, 5000, 0, 0, 1, "Silent", "C"),
        ("Song B", "B", 3, 2, 0, 6200, 1200, 0, 1, None, "B"),
        ("Song D", "D", 1, 1, 0, None, 0, 0, 1, None, "D"),
        ("Song A", "A", 1, 1, 0, 200, 1000, -800, 1, "Small", "A"),
    ]
    assert [row[10] for row in spreading.ask("reach", playlist="new")] == ["C", "B"]
    assert [row[10] for row in spreading.ask("reach", limit="1")] == ["E"]


def test_reach_compares_nothing_with_the_first_charts(spreading: Lake) -> None:
    assert [row[2:8] for row in spreading.ask("reach", to="2026-11-09", playlist="Large")] == [
        (2, None, None, 1000, None, None),
        (1, None, None, 900, None, None),
    ]


def test_what_an_incomplete_chart_lacks_keeps_its_reach(lake: Lake) -> None:
    lake.chart("2026-11-09", "top", "A B")
    lake.chart("2026-11-16", "top", "- B")

    assert [(row[10], *row[2:5], row[8]) for row in lake.ask("reach")] == [("B", 1, 1, 0, 2), ("A", 1, 1, 0, None)]


def test_momentum_is_the_places_gained_as_a_share_of_the_list(lake: Lake) -> None:
    # given a list of four and one of two, where A gains two and one place, and a chart three weeks before
    lake.chart("2026-10-19", "long", "B C D A")
    lake.chart("2026-10-26", "long", "A B C D")
    lake.chart("2026-11-02", "long", "B C A D")
    lake.chart("2026-11-16", "long", "B A C E")
    lake.chart("2026-11-02", "short", "B A")
    lake.chart("2026-11-16", "short", "A E")

    # then E was not there, and short had no chart four weeks before
    assert lake.ask("momentum") == [
        ("Short", date(2026, 11, 16), 1, 2, 1, None, 50.0, None, "Song A", "A", "short", "A"),
        ("Long", date(2026, 11, 16), 2, 4, 1, 2, 25.0, 50.0, "Song A", "A", "long", "A"),
        ("Long", date(2026, 11, 16), 1, 4, 0, 0, 0.0, 0.0, "Song B", "B", "long", "B"),
        ("Long", date(2026, 11, 16), 3, 4, -1, -1, -25.0, -25.0, "Song C", "C", "long", "C"),
    ]

    # and weeks before those asked for count as well
    assert lake.ask("momentum", playlist="long", limit="1", **{"from": "2026-11-16"}) == [
        ("Long", date(2026, 11, 16), 2, 4, 1, 2, 25.0, 50.0, "Song A", "A", "long", "A")
    ]


def test_momentum_is_of_the_last_whole_chart(lake: Lake) -> None:
    lake.chart("2026-11-02", "top", "A B C D")
    lake.chart("2026-11-16", "top", "B A C D")
    lake.chart("2026-11-23", "top", "B", outcome="partial")

    assert [(row[11], row[1], row[4]) for row in lake.ask("momentum", limit="1")] == [("B", date(2026, 11, 16), 1)]


def test_overlap_and_which_list_leads(lake: Lake) -> None:
    # given B and C that come to fresh first, D to top, E to both on a day, A from the beginning of fresh
    lake.chart("2026-11-02", "fresh", "A")
    lake.chart("2026-11-02", "top", "F")
    lake.chart("2026-11-05", "fresh", "A B C")
    lake.chart("2026-11-08", "top", "F B D G A")
    lake.chart("2026-11-10", "fresh", "D B C")
    lake.chart("2026-11-12", "top", "C E F A")
    lake.chart("2026-11-12", "fresh", "E")
    lake.chart("2026-11-12", "other", "E F")

    # then days of B, D, C and E are 3, -2, 7 and 0; of A nobody knows
    expected = [("Fresh", "Top", 5, 5, 7, 0.714, 4, 2, 1, 1.5, "fresh", "top")]
    assert lake.ask("overlap") == expected
    assert lake.ask("overlap", recordings="2", playlist="Fresh") == expected
    assert lake.ask("overlap", recordings="2", limit="2") == [
        *expected,
        ("Other", "Top", 2, 2, 7, 0.286, 0, 0, 0, None, "other", "top"),
    ]

    # and in days asked for only what is listed in them counts, but when it was first is judged by all
    assert lake.ask("overlap", recordings="2", playlist="fresh", **{"from": "2026-11-10"}) == [
        ("Fresh", "Top", 2, 4, 4, 0.333, 2, 1, 0, 3.5, "fresh", "top")
    ]


def test_the_list_that_leads_stands_first(lake: Lake) -> None:
    for day, late, early in (("2026-11-02", "X", "Y"), ("2026-11-09", "X", "Y A B"), ("2026-11-16", "X A B", "Y A B")):
        lake.chart(day, "a-late", late)
        lake.chart(day, "z-early", early)

    assert lake.ask("overlap", recordings="2") == [
        ("Z-Early", "A-Late", 2, 3, 3, 0.5, 2, 2, 0, 7.0, "z-early", "a-late")
    ]


def labelled(lake: Lake, day: str, playlist: str, *labels: str | None) -> None:
    """A chart of as many tracks as labels."""
    tracks = [chr(65 + place) for place in range(len(labels))]
    lake.chart(day, playlist, " ".join(tracks))
    albums: list[dict[str, Any]] = [
        {"album_id": track, "label": label} for track, label in zip(tracks, labels, strict=True)
    ]
    lake.put("albums", day, playlist, *albums)


def test_labels_are_rolled_up_to_groups_and_lists_weigh_the_same(lake: Lake) -> None:
    # given a weekly list of four, and one of one that is collected daily and joins in November
    labelled(lake, "2026-10-26", "top", "RCA Records Label", " columbia ", "Own", None)
    labelled(lake, "2026-11-02", "top", "Republic Records", "EPIC", "Own", "own")
    for day in ("2026-11-03", "2026-11-04"):
        labelled(lake, day, "fresh", "Own")

    # then Own in two spellings is one group
    assert lake.ask("label_groups_by_month") == [
        (date(2026, 10, 1), "Sony Music", 50.0, 2, 1, "Top"),
        (date(2026, 10, 1), "own", 25.0, 1, 1, "Top"),
        (date(2026, 10, 1), None, 25.0, 1, 1, "Top"),
        (date(2026, 11, 1), "own", 75.0, 3, 2, "Fresh"),
        (date(2026, 11, 1), "Sony Music", 12.5, 1, 2, "Fresh"),
        (date(2026, 11, 1), "Universal Music Group", 12.5, 1, 2, "Fresh"),
    ]
    assert lake.ask("label_groups_by_month", playlist="Fresh", limit="1") == [
        (date(2026, 11, 1), "Own", 100.0, 1, 1, "Fresh")
    ]


def test_a_label_has_one_line_and_so_one_group(lake: Lake) -> None:
    (text,) = (view.text for view in views() if view.name == "label_groups")
    lines = sum(line.lstrip().startswith("('") for line in text.splitlines())

    assert lake.select("SELECT count(*) FROM label_groups") == [(lines,)]
