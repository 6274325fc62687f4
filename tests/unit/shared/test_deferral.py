import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.operations.extraction import ExtractionRequest
from shared.deferral import Deferral, DeferralSettings, SchedulerDeferrals, wait_after
from shared.invocation import read
from shared.web import QuotaError
from tests.unit.extractor.fake_spotify import OTHER_PLAYLIST_ID, PLAYLIST_ID

SUNDAY = datetime(2026, 11, 22, 6, tzinfo=UTC)
DEFERRAL = Deferral(
    ExtractionRequest(scheduled_time=SUNDAY, playlists=(PLAYLIST_ID, OTHER_PLAYLIST_ID), deferrals=1),
    due=datetime(2026, 11, 23, 7, 8, 9, tzinfo=timezone(timedelta(hours=1))),
)


class FakeScheduler:
    """EventBridge Scheduler as far as deferrals need it."""

    class exceptions:  # noqa: N801  # as boto3 names it
        class ConflictException(Exception):  # noqa: N818
            pass

    def __init__(self) -> None:
        self.schedules: dict[str, dict[str, Any]] = {}

    def create_schedule(self, *, Name: str, **schedule: Any) -> None:  # noqa: N803
        if Name in self.schedules:
            raise self.exceptions.ConflictException
        self.schedules[Name] = schedule


SETTINGS = DeferralSettings.from_environment(
    {
        "S3_BUCKET": "lake",
        "SERVICE_VERSION": "1",
        "DEFERRED_SCHEDULES": "earworm-dev-deferred",
        "SCHEDULER_ROLE_ARN": "arn:aws:iam::123456789012:role/schedule",
        "DEAD_LETTER_QUEUE_ARN": "arn:aws:sqs:eu-west-1:123456789012:dead-letters",
    }
)


def deferrals_of(scheduler: FakeScheduler) -> SchedulerDeferrals:
    return SchedulerDeferrals(
        lambda: scheduler,  # type: ignore[arg-type, return-value]  # as much of a client as it needs
        SETTINGS,
        function_arn="arn:aws:lambda:eu-west-1:123456789012:function:earworm-dev-extractor",
    )


def test_the_rest_of_a_run_is_scheduled_once_with_the_event_that_continues_it() -> None:
    scheduler = FakeScheduler()

    deferrals_of(scheduler).defer(DEFERRAL)

    ((name, schedule),) = scheduler.schedules.items()
    assert name.startswith("earworm-dev-deferred-2026-11-22-1-")
    assert len(name) <= 64
    assert schedule["ScheduleExpression"] == "at(2026-11-23T06:08:09)"
    assert schedule["ScheduleExpressionTimezone"] == "UTC"
    assert schedule["ActionAfterCompletion"] == "DELETE"
    assert (
        read(ExtractionRequest, json.loads(schedule["Target"]["Input"]))
        == DEFERRAL.request
        == ExtractionRequest(scheduled_time=SUNDAY, playlists=(PLAYLIST_ID, OTHER_PLAYLIST_ID), deferrals=1)
    )


def test_an_invocation_that_is_repeated_defers_nothing_twice() -> None:
    scheduler = FakeScheduler()

    deferrals_of(scheduler).defer(DEFERRAL)
    deferrals_of(scheduler).defer(replace(DEFERRAL, due=DEFERRAL.due + timedelta(minutes=1)))

    assert len(scheduler.schedules) == 1


@pytest.mark.parametrize(
    "other",
    [{"deferrals": 2}, {"playlists": (PLAYLIST_ID,)}, {"scheduled_time": datetime(2026, 11, 29, 6, tzinfo=UTC)}],
)
def test_another_rest_is_deferred_beside_the_first(other: dict[str, Any]) -> None:
    scheduler = FakeScheduler()

    deferrals_of(scheduler).defer(DEFERRAL)
    deferrals_of(scheduler).defer(replace(DEFERRAL, request=DEFERRAL.request.model_copy(update=other)))

    assert len(scheduler.schedules) == 2


@given(st.none() | st.floats(min_value=0, allow_nan=False))
def test_the_wait_is_as_long_as_spotify_asks_and_never_more_than_a_day_and_a_minute(retry_after: float | None) -> None:
    wait = wait_after(QuotaError("GET it", "Spent", retry_after))

    assert timedelta(seconds=60) <= wait <= timedelta(days=1, minutes=1)
    assert retry_after is None or wait > timedelta(seconds=min(retry_after, 86400))


def test_an_hour_is_waited_where_nobody_told() -> None:
    assert wait_after(QuotaError("GET it", "Spent", None)) == timedelta(hours=1)
