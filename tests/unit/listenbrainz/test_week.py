"""What the collector reads of the statistics: which week they are of, how many rows, and whom to ask about."""

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.listenbrainz.week import NotAWeekError, Statistics, Week, read_statistics
from tests.unit.listenbrainz.fake_listenbrainz import MONDAY, mbid, row, statistics


def read(answer: Any) -> Statistics:
    return read_statistics(json.dumps(answer).encode())


def with_payload(**fields: Any) -> dict[str, Any]:
    return statistics([row(1)], **fields)


@pytest.mark.parametrize(
    ("moment", "monday"),
    [
        ("2026-11-24T06:00:00+00:00", "2026-11-16"),
        ("2026-11-23T00:00:00+00:00", "2026-11-16"),
        ("2026-11-23T00:30:00+01:00", "2026-11-09"),
        ("2026-11-22T23:59:59+00:00", "2026-11-09"),
        ("2026-01-01T06:00:00+00:00", "2025-12-22"),
    ],
)
def test_the_week_that_is_wanted_is_the_last_one_that_is_over_in_utc(moment: str, monday: str) -> None:
    assert Week.last_before(datetime.fromisoformat(moment)) == Week(date.fromisoformat(monday))


@given(st.datetimes(datetime(2006, 1, 1), datetime(2035, 12, 31), timezones=st.just(UTC)))  # noqa: DTZ001  # it adds one
def test_a_week_is_over_for_seven_days(moment: datetime) -> None:
    week = Week.last_before(moment)

    assert week.monday.weekday() == 0
    assert timedelta(1) <= moment.date() - week.sunday <= timedelta(7)
    assert Week(week.monday - timedelta(7)) < week


def test_the_period_is_what_the_timestamps_say() -> None:
    found = read(statistics([row(1), row(2)]))

    assert (found.week.monday, found.week.sunday) == (MONDAY, date(2026, 11, 22))
    assert (found.rows, found.announced) == (2, 2)


def test_recordings_are_asked_about_once_and_only_where_there_is_an_mbid() -> None:
    rows = [
        row(1),
        row(2, recording_mbid=None),
        row(1, release_mbid=mbid(9)),
        row(3, recording_mbid=""),
        row(4, recording_mbid="not an MBID"),
        row(5, recording_mbid=7),
        "not a row",
        row(6),
    ]

    assert read(statistics(rows)).mbids == (mbid(1), mbid(6))
    assert read(statistics(rows)).rows == len(rows)


@pytest.mark.parametrize(
    ("counts", "announced"),
    [
        ({"count": 1000, "total_recording_count": 1}, 1),
        ({"count": 1000, "total_recording_count": 4711}, 1000),
        ({"count": 1, "total_recording_count": 1.0}, 1),
        ({"count": None, "total_recording_count": "many"}, 1),
        ({"count": 3, "total_recording_count": 3}, 3),
    ],
)
def test_as_many_rows_are_expected_as_are_there_and_were_asked_for(counts: dict[str, Any], announced: int) -> None:
    assert read(with_payload(**counts)).announced == announced


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ({}, "its range is None"),
        ({"payload": []}, "its range is None"),
        (with_payload(range="month"), "its range is 'month'"),
        (with_payload(recordings=None), "its range is None"),
        (with_payload(offset=1000), "its offset is 1000"),
        (with_payload(from_ts=None), "its from_ts is None"),
        (with_payload(to_ts=1e30), "its to_ts is 1e+"),
        (with_payload(to_ts=10**17), "its to_ts is 1000"),
        (with_payload(from_ts=1794787200 + 86_400, to_ts=1795392000 + 86_400), "not a week from a Monday on"),
        (with_payload(to_ts=1795392000 + 7 * 86_400), "not a week from a Monday on"),
        (with_payload(to_ts=1794787200), "not a week from a Monday on"),
    ],
)
def test_what_is_no_week_is_refused_with_the_place(answer: Any, told: str) -> None:
    with pytest.raises(NotAWeekError, match=told):
        read(answer)


def test_an_answer_that_is_not_utf_8_is_refused() -> None:
    with pytest.raises(NotAWeekError, match="'utf-8' codec can't decode"):
        read_statistics(json.dumps(with_payload()).encode().replace(b"Song", b"\xff", 1))
