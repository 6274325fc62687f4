from typing import Annotated, ClassVar

from pydantic import Field, Strict

from shared.deferral import MOST_DEFERRALS
from shared.invocation import Invocation, ScheduledTime


class Event(Invocation):
    """What starts a run.

    Attributes:
        scheduled_time: When the run was due, ISO 8601 with its zone. The chart is that of the last full week before it,
            Monday to Sunday in UTC.
        deferrals: How often this run was deferred already.
    """

    holds: ClassVar[str] = (
        "It may hold scheduled_time (ISO 8601 with a zone, such as 2026-11-24T06:00:00Z) and deferrals "
        f"(0 to {MOST_DEFERRALS}), and nothing else"
    )

    scheduled_time: ScheduledTime | None = None
    deferrals: Annotated[int, Strict(), Field(ge=0, le=MOST_DEFERRALS)] = 0
