"""What a run cannot finish now, left to a run that starts later."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Final, Protocol

from contracts.operations.collecting import MOST_DEFERRALS, ScheduledRequest
from shared.settings import Settings
from shared.web import QuotaError

if TYPE_CHECKING:
    from mypy_boto3_scheduler import EventBridgeSchedulerClient

_MARGIN: Final = timedelta(seconds=60)
_SHORTEST: Final = timedelta(minutes=1)
_LONGEST: Final = timedelta(days=1)
_DEFAULT_WAIT: Final = timedelta(hours=1)


class DeferralSettings(Settings):
    """The settings of a service that defers runs.

    Attributes:
        deferred_schedules: The prefix of the names of schedules that start deferred runs.
        scheduler_role_arn: The role of these schedules.
        dead_letter_queue_arn: The queue for the events of runs that could not be started.
    """

    deferred_schedules: str
    scheduler_role_arn: str
    dead_letter_queue_arn: str


@dataclass(frozen=True, slots=True)
class Deferral:
    """A run that is to be started once.

    Attributes:
        request: What it is started with. Its scheduled time is that of the first run, so that the snapshots land on
            its day.
        due: When it is to start.
    """

    request: ScheduledRequest
    due: datetime


def wait_after(spent: QuotaError) -> timedelta:
    """How long to wait for new calls: as the service asks and a little more, a day at most; an hour if nobody told."""
    if spent.retry_after is None:
        return _DEFAULT_WAIT
    return max(_SHORTEST, timedelta(seconds=min(spent.retry_after, _LONGEST.total_seconds())) + _MARGIN)


class NotDeferredError(Exception):
    """A run was deferred as often as it may be."""


class Deferrals(Protocol):
    """Where runs are left to a later time."""

    def defer(self, deferral: Deferral) -> None:
        """Has a run started when it is due; told twice, it is started once."""


def defer(deferrals: Deferrals, request: ScheduledRequest, wait: timedelta) -> Deferral:
    """Leaves the rest of a run to a later time.

    Args:
        deferrals: Takes it.
        request: What is left, as of a run that was deferred as often as this one.
        wait: How long to wait from now on.

    Raises:
        NotDeferredError: It was deferred as often as it may be.
        ClientError: It is refused.
        BotoCoreError: Nobody takes it.
    """
    if request.deferrals >= MOST_DEFERRALS:
        raise NotDeferredError(f"it was {MOST_DEFERRALS} times; start it by hand later")
    again = request.model_copy(update={"deferrals": request.deferrals + 1})
    deferral = Deferral(again, (datetime.now(UTC) + wait).replace(microsecond=0))
    deferrals.defer(deferral)
    return deferral


class SchedulerDeferrals:
    """One-off schedules of EventBridge Scheduler, each gone once it has started its run.

    Source: https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html#one-time
    """

    def __init__(
        self,
        scheduler: Callable[[], "EventBridgeSchedulerClient"],
        settings: DeferralSettings,
        *,
        function_arn: str,
    ) -> None:
        """Leaves runs to the scheduler.

        Args:
            scheduler: Makes a client of the service, which few runs need.
            settings: What the schedules are made with.
            function_arn: The function to start.
        """
        self._scheduler = scheduler
        self._settings = settings
        self._function_arn = function_arn

    def defer(self, deferral: Deferral) -> None:
        """Creates the schedule, unless the same one is there already.

        Raises:
            ClientError: The service refuses.
            BotoCoreError: It cannot be reached.
        """
        event = deferral.request.model_dump_json()
        scheduler = self._scheduler()
        try:
            scheduler.create_schedule(
                Name=self._name(deferral, event),
                Description="Starts a deferred run, once.",
                ScheduleExpression=f"at({deferral.due.astimezone(UTC):%Y-%m-%dT%H:%M:%S})",
                ScheduleExpressionTimezone="UTC",
                FlexibleTimeWindow={"Mode": "OFF"},
                ActionAfterCompletion="DELETE",
                Target={
                    "Arn": self._function_arn,
                    "RoleArn": self._settings.scheduler_role_arn,
                    "Input": event,
                    "RetryPolicy": {"MaximumRetryAttempts": 10, "MaximumEventAgeInSeconds": 21600},
                    "DeadLetterConfig": {"Arn": self._settings.dead_letter_queue_arn},
                },
            )
        except scheduler.exceptions.ConflictException:
            return

    def _name(self, deferral: Deferral, event: str) -> str:
        """A repeated invocation finds the same name, and another run of the same day another one."""
        request = deferral.request
        assert request.scheduled_time
        day = request.scheduled_time.astimezone(UTC).date()
        return f"{self._settings.deferred_schedules}-{day}-{request.deferrals}-{sha256(event.encode()).hexdigest()[:8]}"
