"""What the runs of all collectors have in common: what starts one, and what became of a list."""

from datetime import datetime
from typing import Annotated, Final, TypeAlias

from pydantic import AfterValidator, Field, Strict

from contracts.days import snapshot_day
from contracts.fields import naive_utc
from contracts.operations.payload import Moment, Payload, Request

MOST_DEFERRALS: Final = 3
"""How often a run may be deferred."""


def _of_a_snapshot(moment: datetime) -> datetime:
    snapshot_day(naive_utc(moment).date())
    return moment


ScheduledTime: TypeAlias = Annotated[Moment, AfterValidator(_of_a_snapshot)]
"""When a run was due, on a day that the tables have."""


class ScheduledRequest(Request):
    """What starts a run.

    Attributes:
        scheduled_time: When the run was due.
        deferrals: How often it was deferred already.
    """

    scheduled_time: ScheduledTime | None = None
    deferrals: Annotated[int, Strict(), Field(ge=0, le=MOST_DEFERRALS)] = 0


class ListSummary(Payload):
    """What became of a list.

    Attributes:
        key: Where the snapshot is.
        entries: How many came.
        sentence: What is missing or went wrong, and what to do.
    """

    outcome: str
    key: str | None = None
    entries: int | None = None
    sentence: str | None = None

    @property
    def name(self) -> str:
        """What the collector calls the list."""
        raise NotImplementedError
