"""The judgement of a contract over candidates."""

from typing import Any

import pytest

from contracts.candidates import Candidate, Reject, Skip
from contracts.tables.albums import ALBUMS
from contracts.tables.songs import SONGS
from contracts.tables.track_features import TRACK_FEATURES
from contracts.validation import judge
from tests.rows import row_of

PLACE = "$.tracks.items[0]"


def reason(table: Any, **values: Any) -> str | None:
    judgement = judge(table, [Candidate(PLACE, {**row_of(table), **values})])
    return judgement.rejects[0].reason if judgement.rejects else None


def test_rows_rejects_and_skips_add_up_to_the_candidates() -> None:
    sound, broken = row_of(SONGS), row_of(SONGS) | {"position": 0, "track_name": None}

    judgement = judge(
        SONGS,
        [
            Candidate("a", sound),
            Skip("b", "episode"),
            Candidate("c", broken),
            Reject("d", "no object", 3),
            Skip("e", "episode"),
            Candidate("f", sound),
        ],
    )

    assert list(judgement.rows) == [sound, sound]
    assert judgement.rejects == [
        Reject("d", "no object", 3),
        Reject(
            "c",
            "position: Input should be greater than or equal to 1 (was 0); "
            "track_name: Input should be a valid string (was None)",
            broken,
        ),
    ]
    assert judgement.skipped == {"episode": 2}
    assert judgement.entries == 6


@pytest.mark.parametrize(
    ("table", "values", "broken"),
    [
        (SONGS, {"popularity": 100}, None),
        (SONGS, {"popularity": None}, None),
        (SONGS, {"popularity": 101}, "popularity"),
        (SONGS, {"popularity": "50"}, "popularity"),
        (SONGS, {"popularity": True}, "popularity"),
        (SONGS, {"duration_ms": 2**63}, "duration_ms"),
        (SONGS, {"duration_ms": 1.5}, "duration_ms"),
        (SONGS, {"explicit": "true"}, "explicit"),
        (SONGS, {"added_at": "yesterday"}, "added_at"),
        (SONGS, {"added_at": "0001-01-01T00:30:00+02:00"}, "added_at"),
        (SONGS, {"artist_ids": "no list"}, "artist_ids"),
        (SONGS, {"track_name": "\x00 nul is text"}, None),
        (ALBUMS, {"release_on": "2026-01-01"}, "release_on"),
        (TRACK_FEATURES, {"energy": 1}, None),
        (TRACK_FEATURES, {"energy": 1.01}, "energy"),
        (TRACK_FEATURES, {"tempo_bpm": float("nan")}, "tempo_bpm"),
        (TRACK_FEATURES, {"tempo_bpm": -1.0}, "tempo_bpm"),
        (TRACK_FEATURES, {"key": 12}, "key"),
    ],
)
def test_values_keep_to_their_bounds_and_are_never_converted(table: Any, values: Any, broken: str | None) -> None:
    said = reason(table, **values)

    assert (said and said.partition(":")[0]) == broken


def test_a_moment_becomes_utc_without_zone() -> None:
    (row,) = judge(SONGS, [Candidate(PLACE, row_of(SONGS) | {"added_at": "2026-11-16T01:30:00+02:00"})]).rows

    assert str(row["added_at"]) == "2026-11-15 23:30:00"


def test_a_long_value_is_quoted_in_part() -> None:
    said = reason(SONGS, explicit="x" * 10_000)

    assert said is not None
    assert len(said) < 200
