"""The weekly history of a real playlist, through the contracts into a lake, against a computation over the CSV."""

import csv
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any, cast

import pytest
from ministack.services import glue, s3

from contracts.snapshot import Provenance, read_snapshot
from contracts.tables import TABLES
from contracts.validation import judge
from services.playlist_metadata.transform import playlist_metadata
from services.songs.transform import songs
from tests.analytics.lake import Lake
from tests.documents import album, artist, entry, playlist, track
from tests.real_documents import REAL_DOCUMENTS

Charts = Mapping[date, list[dict[str, str]]]
"""The rows of the CSV by the Monday of their week, the top first."""

PLAYLIST = "37i9dQZF1DXcBWIGoYBM5M"
RANGE = {"from": "2019-05-01", "to": "2020-07-01"}
NEW_VERSIONS = [
    (date(2019, 8, 4), "Old Town Road - Remix", "return"),
    (date(2019, 8, 4), "No Guidance (feat. Drake)", "return"),
    (date(2019, 11, 17), "ROXANNE", "new version"),
    (date(2020, 5, 22), "Watermelon Sugar", "return"),
]
"""What the ids alone would tell as debuts."""


@pytest.fixture(scope="module")
def charts() -> Charts:
    file = REAL_DOCUMENTS / "charts/todays_top_hits_weekly.csv"
    if not file.exists():
        pytest.skip(f"no real history at {file}: it is not part of the repository")
    with Path(file).open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    charts: dict[date, list[dict[str, str]]] = {}
    for row in sorted(rows, key=lambda row: (row["snapshot_date"], int(row["pos"]))):
        day = date.fromisoformat(row["snapshot_date"])
        charts.setdefault(day - timedelta(days=day.weekday()), []).append(row)
    return charts


@pytest.fixture(scope="module")
def history(charts: Charts) -> Iterator[Lake]:
    lake = Lake()
    for rows in charts.values():
        day = rows[0]["snapshot_date"]
        provenance = Provenance(PLAYLIST, date.fromisoformat(day))
        snapshot = read_snapshot(json.dumps(_document(rows)).encode(), provenance)
        for table, candidates in (("songs", songs(snapshot)), ("playlist_metadata", playlist_metadata(snapshot))):
            judgement = judge(TABLES[table], cast("Any", candidates))
            assert judgement.rejects == []
            lake.put(table, day, PLAYLIST, *judgement.rows)
    yield lake
    glue.reset()
    s3.reset()


def _document(rows: list[dict[str, str]]) -> dict[str, Any]:
    entries = [
        entry(
            track(
                row["track_name"],
                id=row["track_id"],
                artists=[
                    artist(name, id=id_)
                    for id_, name in zip(row["artist_ids"].split("|"), row["artist_names"].split("|"), strict=True)
                ],
                album=album(row["album_name"], id=row["album_id"]),
                popularity=None,
                duration_ms=1000 * _seconds(row),
                external_ids={},
            )
        )
        for row in rows
    ]
    return playlist(*entries, id=PLAYLIST, name=rows[0]["playlist_name"])


def _seconds(row: dict[str, str]) -> int:
    minutes, seconds = row["length"].split(":")
    return 60 * int(minutes) + int(seconds)


@pytest.fixture(scope="module")
def recordings(charts: Charts) -> Mapping[str, str]:
    """The first id of each one, by title, artists and length as the file tells them."""
    known: dict[tuple[str, frozenset[str]], list[tuple[int, str]]] = {}
    found: dict[str, str] = {}
    for rows in charts.values():
        for row in sorted(rows, key=lambda row: row["track_id"]):
            same = known.setdefault((row["track_name"].casefold(), frozenset(row["artist_ids"].split("|"))), [])
            equals = [first for length, first in same if abs(length - _seconds(row)) <= 3]
            found.setdefault(row["track_id"], equals[0] if equals else row["track_id"])
            same.append((_seconds(row), found[row["track_id"]]))
    return found


@pytest.fixture(scope="module")
def listed(charts: Charts, recordings: Mapping[str, str]) -> list[dict[str, int]]:
    """The position of each recording, week by week."""
    weeks = []
    for rows in charts.values():
        positions: dict[str, int] = {}
        for row in rows:
            positions.setdefault(recordings[row["track_id"]], int(row["pos"]))
        weeks.append(positions)
    return weeks


def test_an_id_is_the_recording_that_the_file_says(history: Lake, recordings: Mapping[str, str]) -> None:
    assert dict(history.select("SELECT track_id, recording_id FROM recordings")) == recordings


def test_new_ids_of_known_recordings_are_told_with_their_day_and_none_is_a_remix_of_another(history: Lake) -> None:
    # when an id is charted for the first time and its recording is not
    found = history.select(
        "SELECT snapshot_on, track_name, arrival, recording_name FROM ("
        "SELECT c.*, r.recording_name, row_number() OVER (PARTITION BY c.track_id ORDER BY c.week) AS place "
        "FROM weekly_chart AS c JOIN recordings AS r ON r.track_id = c.track_id"
        ") WHERE place = 1 AND charts_on_list > 1 ORDER BY snapshot_on, position DESC"
    )

    assert [row[:3] for row in found] == NEW_VERSIONS
    assert all(name == recording_name for _, name, _, recording_name in found)


def test_artists_come_and_go_as_in_the_file(history: Lake, charts: Charts) -> None:
    credited = [{id_ for row in rows for id_ in row["artist_ids"].split("|")} for rows in charts.values()]
    expected = []
    seen = set(credited[0])
    for before, now in pairwise(credited):
        expected.append(
            (len(now), len(now - seen), len(now & before), len((now & seen) - before), len(before - now))
        )  # fmt: skip
        seen |= now

    found = history.ask("artist_churn", **RANGE)

    assert [row[1] for row in found] == list(charts)[1:]
    assert [row[2:7] for row in found] == expected


def test_turnover_and_tenure_are_those_of_the_file(history: Lake, listed: list[dict[str, int]]) -> None:
    tenure = Counter(track_id for week in listed for track_id in week)
    fresh = sum(len(now.keys() - before.keys()) for before, now in pairwise(listed))
    entries = sum(map(len, listed))

    assert history.ask("playlist_turnover", **RANGE) == [
        (
            "Today's Top Hits",
            len(listed),
            len(tenure),
            pytest.approx(entries / len(listed), abs=0.05),
            pytest.approx(100 * fresh / (entries - len(listed[0])), abs=0.05),
            pytest.approx(entries / len(tenure), abs=0.005),
            max(tenure.values()),
            PLAYLIST,
        )
    ]


def test_debuts_are_those_of_the_file(
    history: Lake, charts: Charts, listed: list[dict[str, int]], recordings: Mapping[str, str]
) -> None:
    days = [date.fromisoformat(rows[0]["snapshot_date"]) for rows in charts.values()]
    expected = {}
    for recording_id in {recording_id for week in listed for recording_id in week} - listed[0].keys():
        weeks = [number for number, week in enumerate(listed) if recording_id in week]
        positions = [listed[number][recording_id] for number in weeks]
        peak_on = days[weeks[positions.index(min(positions))]]
        is_listed = weeks[-1] == len(listed) - 1
        expected[recording_id] = (
            days[weeks[0]], positions[0], min(positions), peak_on, len(weeks), len(weeks), is_listed,
        )  # fmt: skip

    found = history.ask("debuts", **RANGE, limit="1000")

    assert {recordings[row[11]]: row[1:8] for row in found} == expected
    assert len(found) == len(expected)


def test_debuts_survive_as_in_the_file(history: Lake, listed: list[dict[str, int]]) -> None:
    first = {track_id: number for number, week in reversed(list(enumerate(listed))) for track_id in week}
    debuts = {track_id: number for track_id, number in first.items() if number > 0}
    expected = [
        (
            age,
            sum(number + age < len(listed) for number in debuts.values()),
            sum(number + age < len(listed) and id_ in listed[number + age] for id_, number in debuts.items()),
        )
        for age in range(len(listed) - min(debuts.values()))
    ]

    assert [row[1:4] for row in history.ask("survival_of_debuts", **RANGE)] == expected


def test_every_movement_is_that_of_the_file(history: Lake, listed: list[dict[str, int]], charts: Charts) -> None:
    expected = {
        (week, track_id): (position, before.get(track_id), before[track_id] - position if track_id in before else None)
        for week, before, now in zip(list(charts)[1:], listed, listed[1:], strict=False)
        for track_id, position in now.items()
    }

    found = history.select("SELECT week, recording_id, position, previous_position, movement FROM weekly_chart")

    first_week = next(iter(charts))
    assert {row[:2]: row[2:] for row in found if row[0] != first_week} == expected


def test_stays_end_where_the_file_no_longer_lists_the_track(
    history: Lake, listed: list[dict[str, int]], charts: Charts
) -> None:
    days = [date.fromisoformat(rows[0]["snapshot_date"]) for rows in charts.values()]
    expected = set()
    for track_id in {track_id for week in listed for track_id in week}:
        since = None
        for number, week in enumerate([*listed, {}]):
            if since is None and track_id in week:
                since = number
            elif since is not None and track_id not in week:
                expected.add((track_id, days[since], days[number] if number < len(listed) else None))
                since = None

    assert {*history.select("SELECT DISTINCT recording_id, entered_on, exited_on FROM weekly_chart")} == expected


def test_drops_are_those_of_the_file(
    history: Lake, charts: Charts, listed: list[dict[str, int]], recordings: Mapping[str, str]
) -> None:
    days = [date.fromisoformat(rows[0]["snapshot_date"]) for rows in charts.values()]
    expected = {}
    for number in range(1, len(listed)):
        for id_ in listed[number - 1].keys() - listed[number].keys():
            positions = [week[id_] for week in listed[:number] if id_ in week]
            back = next((day for day, week in zip(days[number:], listed[number:], strict=True) if id_ in week), None)
            expected[days[number], id_] = (
                positions[-1], min(positions), len(positions), len(positions), id_ in listed[0], back,
            )  # fmt: skip

    found = history.ask("drops", **RANGE, limit="1000")

    assert {(row[1], recordings[row[12]]): (*row[2:4], *row[5:9]) for row in found} == expected
    assert len(found) == len(expected)


def test_momentum_is_that_of_the_file(
    history: Lake, charts: Charts, listed: list[dict[str, int]], recordings: Mapping[str, str]
) -> None:
    weeks = dict(zip(charts, listed, strict=True))
    for week in list(charts)[-5:]:
        before = [weeks.get(week - timedelta(weeks=number), {}) for number in (2, 4)]
        expected = {
            id_: tuple(than[id_] - position if id_ in than else None for than in before)
            for id_, position in weeks[week].items()
            if any(id_ in than for than in before)
        }

        found = history.ask("momentum", to=str(week))

        assert {recordings[row[11]]: row[4:6] for row in found} == expected


def test_what_the_file_does_not_tell_is_null_and_not_zero(history: Lake) -> None:
    assert history.ask("top_artists", **RANGE) == []
    (coverage,) = history.ask("data_coverage", **RANGE)
    assert coverage[1:4] == (58, "2019-05-26", "2020-06-25")
    assert coverage[9:12] == (0.0, 0.0, 0.0)
