"""Which ids are one recording, and that nothing which is told of a recording depends on its ids."""

from collections import defaultdict
from datetime import date, timedelta
from itertools import pairwise
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.analytics.lake import Lake, song

ROUNDS = 6
"""Of the view: ids that a chain of so many others joins to the first one are found."""

MONDAY = date(2026, 8, 3)


def recordings(lake: Lake) -> dict[str, tuple[str, str]]:
    """The recording of each id, and how it joined."""
    found = lake.select("SELECT track_id, recording_id, joined_by FROM recordings")
    assert len(found) == len({track_id for track_id, *_ in found})
    return {track_id: (recording_id, joined_by) for track_id, recording_id, joined_by in found}


@pytest.mark.parametrize(
    ("title", "other", "joined"),
    [
        ("Señorita", "SENORITA", True),
        ("ＬＩＦＥ", "Life", True),
        ("Don’t  Stop", "don't stop ", True),
        ("Up – Live", "Up - Live", True),
        ("“Up”", '"Up"', True),
        ("Don´t", "Don't", True),
        ("أصالة", "اصالة", True),
        ("Ελλάδα", "ΕΛΛΑΔΑ", True),
        ("ガラス", "カ\u3099ラス", True),
        ("ガラス", "カラス", False),
        ("कुल", "कल", False),
        ("กิน", "กัน", False),
        ("Up", "Up (Remix)", False),
        ("Up", "Up - Live", False),
        ("Up", "Up (Sped Up)", False),
        ("Up", "Up - Remastered 2011", False),
        ("Up", "Up (feat. Down)", False),
    ],
)
def test_a_title_is_the_same_under_another_spelling_and_not_as_a_version(
    lake: Lake, title: str, other: str, *, joined: bool
) -> None:
    lake.put("songs", "2026-11-02", "top", song("A", 1, ["x"], track_name=title, duration_ms=200_000))
    lake.put("songs", "2026-11-09", "top", song("B", 1, ["x"], track_name=other, duration_ms=203_000))

    expected = ("A", "title+artists+length") if joined else ("B", "same id")
    assert recordings(lake) == {"A": ("A", "same id"), "B": expected}


def test_artists_are_the_same_in_any_order_and_where_one_has_no_id_by_name(lake: Lake) -> None:
    def same(track: str, position: int, artists: list[str], **fields: Any) -> dict[str, Any]:
        return song(track, position, artists, track_name="Song", duration_ms=200_000, **fields)

    nameless = {"artist_ids": "[null]", "artist_names": '["W"]'}
    lake.put("songs", "2026-11-02", "top", same("A", 1, ["x", "y"]), same("B", 2, ["y", "x"]), same("C", 3, ["x"]))
    lake.put("songs", "2026-11-02", "fresh", same("D", 1, ["w"], **nameless), same("E", 2, ["w"], **nameless))
    lake.put("songs", "2026-11-02", "none", *(same(t, 1, [], artist_ids="[]", artist_names="[]") for t in "FG"))

    found = {track: recording for track, (recording, _) in recordings(lake).items()}
    assert found == {"A": "A", "B": "A", "C": "C", "D": "D", "E": "D", "F": "F", "G": "G"}


def test_a_length_belongs_to_the_next_one_within_three_seconds(lake: Lake) -> None:
    lengths = {"A": 100_000, "B": 103_000, "C": 106_000, "D": 109_001, "E": None}
    rows = [song(t, n, ["x"], track_name="Song", duration_ms=ms) for n, (t, ms) in enumerate(lengths.items(), 1)]
    lake.put("songs", "2026-11-02", "top", *rows)

    found = {track: recording for track, (recording, _) in recordings(lake).items()}
    assert found == {"A": "A", "B": "A", "C": "A", "D": "D", "E": "E"}


def test_an_isrc_and_a_link_join_what_is_called_otherwise(lake: Lake) -> None:
    lake.put("songs", "2026-11-02", "top", song("C", 1, track_name="Song", isrc="GBAYE2400001"))
    lake.put("songs", "2026-11-09", "top", song("B", 1, track_name="Song - Remastered", isrc="gb-aye-24-00001"))
    lake.put("songs", "2026-11-16", "top", song("A", 1, linked_from_id="B"))
    # and two that stand for one that was never listed, and two of what is no ISRC
    lake.put("songs", "2026-11-16", "fresh", song("D", 1, linked_from_id="Z"), song("E", 2, linked_from_id="Z"))
    lake.put("songs", "2026-11-16", "none", song("F", 1, isrc="n/a"), song("G", 2, isrc="n/a"))

    assert recordings(lake) == {
        "A": ("C", "linked_from"),
        "B": ("C", "isrc"),
        "C": ("C", "same id"),
        "D": ("D", "same id"),
        "E": ("D", "linked_from"),
        "F": ("F", "same id"),
        "G": ("G", "same id"),
    }
    assert lake.select(
        "SELECT DISTINCT recording_name, recording_artists FROM recordings WHERE recording_id = 'C'"
    ) == [("Song", '["C"]')]


def test_a_file_of_the_owners_and_a_removed_track_are_no_recording(lake: Lake) -> None:
    lake.put("songs", "2026-11-02", "top", song("A", 1) | {"track_id": None}, song("B", 2))

    assert recordings(lake) == {"B": ("B", "same id")}


def test_the_name_stays_when_another_id_joins(lake: Lake) -> None:
    lake.put("songs", "2026-11-09", "top", song("B", 1, isrc="GBAYE2400001"))
    before = recordings(lake)
    lake.put("songs", "2026-11-16", "top", song("A", 1, isrc="GBAYE2400001"))

    assert recordings(lake)["B"] == before["B"] == ("B", "same id")


@pytest.mark.parametrize(("joins", "expected"), [(ROUNDS, "T00"), (ROUNDS + 1, "T01")])
def test_a_chain_of_six_joins_is_found_and_a_longer_one_ends_as_another_recording(
    lake: Lake, joins: int, expected: str
) -> None:
    # given ids of which each shares something with the next one alone, by turns an ISRC and a link
    for number in range(joins + 1):
        links = {"isrc": f"GBAYE24{number // 2:05}", "linked_from_id": f"Z{(number + 1) // 2}"}
        lake.put("songs", str(MONDAY + timedelta(days=number)), "top", song(f"T{number:02}", 1, **links))

    assert recordings(lake)[f"T{joins:02}"][0] == expected


def component(rows: list[dict[str, Any]]) -> tuple[dict[str, str], int]:
    """The first id of each id's component, and the most joins between an id and its first one."""
    ids_by_key = defaultdict(set)
    for row in rows:
        keys = [("isrc", row["isrc"]), ("id", row["linked_from_id"]), ("id", row["track_id"])]
        keys += [("title", (row["track_name"], length)) for length in _lengths(rows, row)]
        for key in keys:
            if key[1] is not None:
                ids_by_key[key].add(row["track_id"])
    order: dict[str, int] = {}
    for row in rows:
        order.setdefault(row["track_id"], len(order))
    neighbours: dict[str, set[str]] = defaultdict(set)
    for ids in ids_by_key.values():
        for each in ids:
            neighbours[each] |= ids
    first: dict[str, str] = {}
    longest = 0
    for start in order:
        if start in first:
            continue
        reached, frontier, joins = {start}, {start}, 0
        while frontier := set().union(*(neighbours[each] for each in frontier)) - reached:
            reached |= frontier
            joins += 1
        first |= dict.fromkeys(reached, start)
        longest = max(longest, joins)
    return first, longest


def _lengths(rows: list[dict[str, Any]], row: dict[str, Any]) -> list[int]:
    """The shortest length of the island of a row's length."""
    if row["duration_ms"] is None:
        return []
    lengths = sorted({r["duration_ms"] for r in rows if r["track_name"] == row["track_name"]} - {None})
    starts = [lengths[0], *(b for a, b in pairwise(lengths) if b - a > 3000)]
    return [max(start for start in starts if start <= row["duration_ms"])]


TOLD = (
    "week, position, movement, weeks_since_previous, weeks_on_list, charts_on_list, days_listed, peak, peak_on, "
    "entered_on, exited_on, CASE WHEN arrival = 'new version' THEN 'stay' ELSE arrival END"
)

TRACKS = st.fixed_dictionaries(
    {
        "track_id": st.sampled_from("ABCDEFGHIJ"),
        "isrc": st.sampled_from([None, "GBAYE2400001", "GBAYE2400002", "GBAYE2400003"]),
        "linked_from_id": st.sampled_from([None, None, *"ABCDEFGHIJ"]),
        "track_name": st.sampled_from(["Song", "Other", "Third"]),
        "duration_ms": st.sampled_from([None, 100_000, 102_000, 105_000, 110_000]),
    }
)


@pytest.mark.slow
@given(st.lists(st.lists(TRACKS, min_size=1, max_size=12), min_size=15, max_size=15))
@settings(max_examples=2, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
def test_recordings_are_the_components(lake: Lake, worlds: list[list[dict[str, Any]]]) -> None:
    # given tracks of many worlds that share nothing with each other
    expected: dict[str, str] = {}
    for tracks in worlds:
        world = uuid4().hex
        rows = [_of_world(world, row) for row in tracks]
        for number, row in enumerate(rows):
            lake.put("songs", str(MONDAY + timedelta(days=number)), world, song(row["track_id"], 1, ["x"]) | row)
        firsts, longest = component(rows)
        expected |= firsts
        # of a few ids, whatever their keys, the first one is within the rounds of the view
        assert longest <= ROUNDS

    found = {track: recording for track, (recording, _) in recordings(lake).items()}
    assert {track: found[track] for track in expected} == expected


def _of_world(world: str, row: dict[str, Any]) -> dict[str, Any]:
    named = {name: f"{world}{value}" for name, value in row.items() if isinstance(value, str)}
    return row | named | {"isrc": row["isrc"] and _isrc(world, int(row["isrc"][-1]))}


def _isrc(world: str, number: int) -> str:
    return f"GB{world[:3].upper()}{int(world[3:8], 16) % 10**6:06}{number}"


WEEKS = 5
VERSIONS = st.lists(st.integers(0, 2), min_size=4, max_size=4)
HISTORY = st.lists(
    st.tuples(st.permutations("ABCD").map(lambda order: order[:3]), VERSIONS), min_size=WEEKS, max_size=WEEKS
)


@pytest.mark.slow
@given(st.lists(HISTORY, min_size=8, max_size=8))
@settings(max_examples=2, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
def test_ids_that_change_change_nothing_that_is_told(
    lake: Lake, histories: list[list[tuple[list[str], list[int]]]]
) -> None:
    # given charts under fixed ids, and the same ones under ids that change at random
    pairs = [(uuid4().hex, uuid4().hex) for _ in histories]
    for pair, history in zip(pairs, histories, strict=True):
        for number, (chart, versions) in enumerate(history):
            day = str(MONDAY + timedelta(weeks=number))
            for playlist, of_each in zip(pair, ([0, 0, 0, 0], versions), strict=True):
                rows = (
                    song(
                        f"{playlist}{track}{of_each['ABCD'.index(track)]}",
                        at,
                        [track],
                        isrc=_isrc(playlist, "ABCD".index(track)),
                    )
                    for at, track in enumerate(chart, 1)
                )
                lake.put("playlist_metadata", day, playlist, {"outcome": "ok", "track_entries": len(chart)})
                lake.put("songs", day, playlist, *rows)

    # when the charts, what became of debuts and the turnover are told
    told: dict[str, list[tuple[Any, ...]]] = defaultdict(list)
    for playlist, *row in lake.select(f"SELECT playlist_id, {TOLD} FROM weekly_chart ORDER BY week, position"):
        told[playlist].append(tuple(row))
    days = {"from": str(MONDAY), "to": str(MONDAY + timedelta(weeks=WEEKS))}
    for query in ("survival_of_debuts", "playlist_turnover"):
        for *row, playlist in lake.ask(query, **days):
            told[playlist].append(tuple(row))

    # then by either ids they are the same
    for plain, other in pairs:
        assert len(told[plain]) > 3 * WEEKS
        assert told[other] == told[plain]
