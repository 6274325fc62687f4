"""The judgement of a contract over candidates."""

from typing import Any

import pytest

from contracts.broken import Broken
from contracts.candidates import Candidate, Refusal, Reject, Skip
from contracts.tables.albums import ALBUMS
from contracts.tables.songs import SONGS
from contracts.tables.track_features import TRACK_FEATURES
from contracts.validation import judge
from tests.rows import row_of

PLACE = "$.tracks.items[0]"


def refused(table: Any, **values: Any) -> list[Refusal]:
    judgement = judge(table, [Candidate(PLACE, {**row_of(table), **values})])
    assert len(judgement.rows) == 1
    return judgement.refused


def test_rows_rejects_and_skips_add_up_to_the_candidates() -> None:
    sound, broken = row_of(SONGS), row_of(SONGS) | {"position": 0, "track_name": None}

    judgement = judge(
        SONGS,
        [
            Candidate("a", sound),
            Skip("episode"),
            Candidate("c", broken),
            Reject("d", "no object", 3),
            Skip("episode"),
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
    assert judgement.refused == []
    assert judgement.entries == 6


def test_a_value_that_an_optional_column_refuses_costs_the_cell_and_is_kept() -> None:
    wrong = {"popularity": 101, "duration_ms": {"totalMilliseconds": 222_200}, "isrc": Broken("n/a", "not an ISRC")}

    judgement = judge(SONGS, [Candidate("a", row_of(SONGS)), Candidate(PLACE, row_of(SONGS) | wrong)])

    assert list(judgement.rows) == [row_of(SONGS), row_of(SONGS) | dict.fromkeys(wrong)]
    assert [(each.location, each.column, each.value) for each in judgement.refused] == [
        (PLACE, "isrc", "n/a"),
        (PLACE, "popularity", 101),
        (PLACE, "duration_ms", {"totalMilliseconds": 222_200}),
    ]
    assert judgement.refused[0].reason == "not an ISRC"
    assert judgement.refused[1].reason == "Input should be less than or equal to 100 (was 101)"
    assert judgement.rejects == []


def test_a_row_that_is_rejected_keeps_all_that_was_sent_and_refuses_nothing_beside() -> None:
    broken = row_of(SONGS) | {"track_name": Broken(["x"], "no text"), "popularity": 101}

    judgement = judge(SONGS, [Candidate(PLACE, broken)])

    (reject,) = judgement.rejects
    assert reject.reason == "track_name: no text; popularity: Input should be less than or equal to 100 (was 101)"
    assert reject.raw == broken | {"track_name": ["x"]}
    assert (judgement.refused, len(judgement.rows)) == ([], 0)


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        (67.0, 67),
        (4.9022656e7, 49_022_656),
        (2.0**53, 2**53),
        (0.0, 0),
        (67.5, None),
        (2.0**53 + 2, None),
        (-1.0, None),
        (float("nan"), None),
        (2**63 - 1, 2**63 - 1),
        (2**63, None),
    ],
)
def test_a_whole_number_is_an_integer_however_it_is_written(sent: float, kept: int | None) -> None:
    (row,) = judge(SONGS, [Candidate(PLACE, row_of(SONGS) | {"duration_ms": sent})]).rows

    assert row["duration_ms"] == kept
    assert not isinstance(row["duration_ms"], float)


def test_a_key_may_be_a_whole_number_too() -> None:
    (row,) = judge(SONGS, [Candidate(PLACE, row_of(SONGS) | {"position": 3.0})]).rows

    assert row["position"] == 3


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
        (SONGS, {"added_at": "2024-05-02"}, None),
        (SONGS, {"added_at": "2024"}, "added_at"),
        (SONGS, {"added_at": "1714608000"}, "added_at"),
        (SONGS, {"added_at": 1714608000}, "added_at"),
        (SONGS, {"added_at": 0.5}, "added_at"),
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
    assert [each.column for each in refused(table, **values)] == ([broken] if broken else [])


def test_a_moment_becomes_utc_without_zone() -> None:
    (row,) = judge(SONGS, [Candidate(PLACE, row_of(SONGS) | {"added_at": "2026-11-16T01:30:00+02:00"})]).rows

    assert str(row["added_at"]) == "2026-11-15 23:30:00"


@pytest.mark.parametrize(
    "epoch",
    [
        "1970-01-01T00:00:00Z",
        "1970-01-01T00:00:00.000Z",
        "1970-01-01T00:00:00+00:00",
        "1970-01-01T01:00:00+01:00",
        "1969-12-31 19:00:00-05:00",
        "1970-01-01T00:00:00",
        "1970-01-01",
    ],
)
def test_the_epoch_is_an_unknown_time_in_every_spelling(epoch: str) -> None:
    judgement = judge(SONGS, [Candidate(PLACE, row_of(SONGS) | {"added_at": epoch})])

    assert [row["added_at"] for row in judgement.rows] == [None]
    assert judgement.refused == []


def test_a_long_value_is_quoted_in_part() -> None:
    (refusal,) = refused(SONGS, explicit="x" * 10_000)

    assert len(refusal.reason) < 200
