from datetime import date as day_of
from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BeforeValidator,
    Field,
    Strict,
    StringConstraints,
    model_validator,
)

from contracts.days import SnapshotDay
from contracts.tables import TABLES
from services.redrive.letters import FUNCTIONS
from shared.invocation import Invocation

SERVICES = (*TABLES, *FUNCTIONS)
"""The services that have dead letters."""
_NOT_BLANK = StringConstraints(strip_whitespace=True, min_length=1)


def _known_service(service: str) -> str:
    if service not in SERVICES:
        raise ValueError(f"there is no service of that name; choose among {', '.join(SERVICES)}, or null for all")
    return service


def _day(text: Any) -> Any:
    return day_of.fromisoformat(text) if isinstance(text, str) else text


def _moment(text: Any) -> Any:
    return datetime.fromisoformat(text) if isinstance(text, str) else text


class Event(Invocation):
    """What an operator asks for.

    Attributes:
        action: `list` counts, `show` tells of each message, `redrive` sends back to the source queue or starts
            the function again, `drop` archives and deletes.
        service: Whose dead-letter queue; None for all that are deployed.
        error_class: Only messages of this class.
        date: Only messages of a snapshot of this day.
        before: Only messages that were sent before this moment; `redrive` and `drop` take their own beginning without
            it, so that a message that fails again is not taken twice.
        dry_run: Count what would be done, and do nothing.
        rate: Messages a second that are sent at most; None is as fast as it goes.
        reason: Why messages are dropped.
    """

    holds: ClassVar[str] = (
        "It holds action (list, show, redrive or drop) and may hold service "
        f"({', '.join(SERVICES)}, or null for all), error_class, date (YYYY-MM-DD), before (ISO 8601 with a "
        "zone), dry_run (redrive and drop), rate (redrive; at least 0.1 messages a second) and reason (drop)"
    )

    action: Literal["list", "show", "redrive", "drop"]
    service: Annotated[str, AfterValidator(_known_service)] | None = None
    error_class: Annotated[str, _NOT_BLANK] | None = None
    date: Annotated[SnapshotDay, Strict(), BeforeValidator(_day)] | None = None
    before: Annotated[AwareDatetime, Strict(), BeforeValidator(_moment)] | None = None
    dry_run: Annotated[bool, Strict()] = False
    rate: Annotated[float, Field(ge=0.1, allow_inf_nan=False)] | None = None
    reason: Annotated[str, _NOT_BLANK] | None = None

    @model_validator(mode="after")
    def _fits_its_action(self) -> Self:
        if self.action == "drop" and self.reason is None:
            raise ValueError("drop needs a reason, which is kept with each message")
        out_of_place = {
            "reason": self.reason is not None and self.action != "drop",
            "rate": self.rate is not None and self.action != "redrive",
            "dry_run": self.dry_run and self.action not in {"redrive", "drop"},
        }
        if any(out_of_place.values()):
            named = ", ".join(name for name, wrong in out_of_place.items() if wrong)
            raise ValueError(f"{self.action} takes no {named}")
        return self
