from datetime import UTC, datetime
from typing import Any

import pytest

from contracts.operations.extraction import ExtractionRequest
from shared.errors import PermanentError
from shared.invocation import read
from tests.unit.extractor.fake_spotify import PLAYLIST_ID


def test_an_empty_event_leaves_everything_to_the_settings_and_the_clock() -> None:
    assert read(ExtractionRequest, {}) == ExtractionRequest(scheduled_time=None, playlists=None, deferrals=0)


@pytest.mark.parametrize("told", ["2026-11-22T23:30:00Z", "2026-11-23T00:30:00+01:00"])
def test_the_scheduled_time_is_a_moment(told: str) -> None:
    assert read(ExtractionRequest, {"scheduled_time": told}).scheduled_time == datetime(
        2026, 11, 22, 23, 30, tzinfo=UTC
    )


def test_playlists_are_named_as_in_the_settings() -> None:
    assert read(ExtractionRequest, {"playlists": [f"spotify:playlist:{PLAYLIST_ID}"]}).playlists == (PLAYLIST_ID,)


@pytest.mark.parametrize(
    ("event", "told"),
    [
        ({"scheduled_time": "yesterday"}, "scheduled_time: .*'yesterday'"),
        ({"scheduled_time": "2026-11-22T06:00:00"}, "scheduled_time: Input should have timezone info"),
        ({"scheduled_time": "2026-11-22"}, "scheduled_time: Input should have timezone info"),
        ({"scheduled_time": "20261122"}, "scheduled_time: Input should have timezone info"),
        ({"scheduled_time": 20261122}, "scheduled_time: Input should be a valid datetime"),
        ({"scheduled_time": "<aws.scheduler.scheduled-time>"}, "scheduled_time: .*aws.scheduler"),
        ({"scheduled_time": "2035-12-31T23:30:00-01:00"}, "scheduled_time: 2036-01-01 is outside the tables' days"),
        ({"scheduled_time": "0001-01-01T00:30:00+01:00"}, "scheduled_time: not between the years 1 and 9999"),
        ({"playlists": PLAYLIST_ID}, "playlists: Input should be a valid tuple"),
        ({"playlists": []}, "playlists: Tuple should have at least 1 item"),
        ({"playlists": ["Top 50"]}, "playlists: .*not a playlist: 'Top 50'"),
        ({"deferrals": 4}, "deferrals: Input should be less than or equal to 3"),
        ({"deferrals": -1}, "deferrals: Input should be greater than or equal to 0"),
        ({"deferrals": "1"}, "deferrals: Input should be a valid integer"),
        ({"playlist": [PLAYLIST_ID]}, "playlist: Extra inputs are not permitted"),
        ([], "the input: Input should be a valid dictionary"),
    ],
)
def test_an_event_that_cannot_be_meant_is_refused_with_what_is_wrong(event: Any, told: str) -> None:
    with pytest.raises(PermanentError, match=told) as fault:
        read(ExtractionRequest, event)

    assert "2026-11-22T06:00:00Z" in str(fault.value), "the sentence shows an example of what is right"
