"""What a run cannot finish because calls are spent, left to a run that starts once there are new ones."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Final, Protocol

from contracts.operations.extraction import ExtractionRequest
from services.extractor.web import QuotaError

if TYPE_CHECKING:
    from mypy_boto3_scheduler import EventBridgeSchedulerClient

_MARGIN: Final = timedelta(seconds=60)
_SHORTEST: Final = timedelta(minutes=1)
_LONGEST: Final = timedelta(days=1)
_DEFAULT_WAIT: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Deferral:
    """A run that is to be started once.

    Attributes:
        scheduled_time: When the first run was due, so that the snapshots land on its day.
        playlists: What is left of that run.
        count: Which deferral it is, from 1 on.
        due: When it is to start.
    """

    scheduled_time: datetime
    playlists: tuple[str, ...]
    count: int
    due: datetime

    @property
    def request(self) -> ExtractionRequest:
        """What it is started with."""
        return ExtractionRequest(scheduled_time=self.scheduled_time, playlists=self.playlists, deferrals=self.count)


def wait_after(spent: QuotaError) -> timedelta:
    """How long to wait for new calls: as Spotify asks and a little more, a day at most; an hour if nobody told."""
    if spent.retry_after is None:
        return _DEFAULT_WAIT
    return max(_SHORTEST, timedelta(seconds=min(spent.retry_after, _LONGEST.total_seconds())) + _MARGIN)


class Deferrals(Protocol):
    """Where runs are left to a later time."""

    def defer(self, deferral: Deferral) -> None:
        """Has a run started when it is due; told twice, it is started once."""


class SchedulerDeferrals:
    """One-off schedules of EventBridge Scheduler, each gone once it has started its run.

    Source: https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html#one-time
    """

    def __init__(
        self,
        scheduler: Callable[[], "EventBridgeSchedulerClient"],
        *,
        name_prefix: str,
        function_arn: str,
        role_arn: str,
        dead_letter_queue_arn: str,
    ) -> None:
        """Nothing is scheduled yet.

        Args:
            scheduler: Makes a client of the service, which few runs need.
            name_prefix: What the names of the schedules begin with.
            function_arn: The function to start.
            role_arn: The role that the schedule starts it with.
            dead_letter_queue_arn: Takes the event of a run that could not be started.
        """
        self._scheduler = scheduler
        self._name_prefix = name_prefix
        self._function_arn = function_arn
        self._role_arn = role_arn
        self._dead_letter_queue_arn = dead_letter_queue_arn

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
                Description="Starts a deferred run of the extractor, once.",
                ScheduleExpression=f"at({deferral.due.astimezone(UTC):%Y-%m-%dT%H:%M:%S})",
                ScheduleExpressionTimezone="UTC",
                FlexibleTimeWindow={"Mode": "OFF"},
                ActionAfterCompletion="DELETE",
                Target={
                    "Arn": self._function_arn,
                    "RoleArn": self._role_arn,
                    "Input": event,
                    "RetryPolicy": {"MaximumRetryAttempts": 10, "MaximumEventAgeInSeconds": 21600},
                    "DeadLetterConfig": {"Arn": self._dead_letter_queue_arn},
                },
            )
        except scheduler.exceptions.ConflictException:
            return

    def _name(self, deferral: Deferral, event: str) -> str:
        """A repeated invocation finds the same name, and another run of the same day another one."""
        day = deferral.scheduled_time.astimezone(UTC).date()
        return f"{self._name_prefix}-{day}-{deferral.count}-{sha256(event.encode()).hexdigest()[:8]}"
