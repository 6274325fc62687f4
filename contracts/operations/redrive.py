"""The requests and answers of the redrive function, by which an operator handles dead letters."""

from collections.abc import Mapping
from datetime import date as day_of
from typing import Annotated, Any, ClassVar, Final, Literal, Self, TypeAlias

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field, Strict, StringConstraints, model_validator

from contracts.days import SnapshotDay
from contracts.operations.payload import Moment, Payload, Request
from contracts.tables import TABLES

FUNCTIONS: Final = ("extractor", "listenbrainz", "audit", "report")
"""The services that a schedule starts; their dead letters are the events of failed runs."""
SERVICES: Final = (*TABLES, *FUNCTIONS)
"""The services that have dead letters."""
_NOT_BLANK = StringConstraints(strip_whitespace=True, min_length=1)


def _known_service(service: str) -> str:
    if service not in SERVICES:
        raise ValueError(f"unknown service {service!r}; choose one of {', '.join(SERVICES)}, or null for all")
    return service


def _day(text: Any) -> Any:
    return day_of.fromisoformat(text) if isinstance(text, str) else text


class RedriveRequest(Request):
    """An operator's request.

    Attributes:
        action: `list` counts, `show` describes each message, `redrive` sends back to the source queue or starts
            the function again, `drop` archives and deletes.
        service: Whose dead-letter queue; None for all that are deployed.
        error_class: Only messages of this class.
        date: Only messages of a snapshot of this day.
        before: Only messages that were sent before this moment; by default, for `redrive` and `drop`, the moment at
            which they begin, so that a message that fails again is not taken twice.
        dry_run: Count what would be done, and do nothing.
        rate: The most messages to send per second; None for no limit.
        reason: Why messages are dropped.
    """

    holds: ClassVar[str] = (
        "It holds action (list, show, redrive or drop) and may hold service "
        f"({', '.join(SERVICES)}, or null for all), error_class, date (YYYY-MM-DD), before (ISO 8601 with a "
        "zone), dry_run (redrive and drop), rate (redrive; at least 0.1 messages per second) and reason (drop)"
    )

    action: Literal["list", "show", "redrive", "drop"]
    service: Annotated[str, AfterValidator(_known_service)] | None = None
    error_class: Annotated[str, _NOT_BLANK] | None = None
    date: Annotated[SnapshotDay, Strict(), BeforeValidator(_day)] | None = None
    before: Moment | None = None
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
            raise ValueError(f"{self.action} does not take {named}")
        return self


class QueueDepth(Payload):
    """The contents of a service's dead-letter queue.

    Attributes:
        visible: About how many messages could be received at the beginning.
        hidden: About how many were in flight to another receiver.
        classes: The number of messages of each error class.
    """

    service: str
    visible: int
    hidden: int
    classes: Mapping[str, int]


class RawLook(Payload):
    """The object at a raw key now.

    Attributes:
        exists: Whether there is one; None if the key is not that of a raw snapshot and was not looked up.
        size: In bytes.
        begins: Its first 200 characters.
    """

    key: str
    exists: bool | None
    size: int | None = None
    last_modified: AwareDatetime | None = None
    begins: str | None = None


class LetterSummary(Payload):
    """A dead letter with its diagnosis and the raw objects that it announces.

    Attributes:
        attributes: The text of each message attribute; binary ones are left out.
        begins: The first 200 characters of its body.
    """

    message_id: str
    error_class: str
    sent_at: AwareDatetime
    receive_count: int
    attributes: Mapping[str, str]
    begins: str
    raw_objects: tuple[RawLook, ...]


class QueueLetters(Payload):
    """The dead letters of a service, the first 100."""

    service: str
    messages: tuple[LetterSummary, ...]


class QueueTally(Payload):
    """The outcome for the dead letters of a service.

    Attributes:
        done: How many were sent back or dropped, or would be in a dry run.
        skipped: How many a filter left out.
        newer: How many were sent after the moment `before`.
        failed: How many stay, by fault.
    """

    service: str
    done: int
    skipped: int
    newer: int
    failed: Mapping[str, int]


Faults: TypeAlias = Annotated[Mapping[str, str], Field(default_factory=dict)]
"""The services whose queue could not be looked through to its end, each with the fault."""


class Depths(Payload):
    """The answer to `list`, without services whose queue failed; `more` if it ended before the queues were empty."""

    action: Literal["list"] = "list"
    services: tuple[QueueDepth, ...]
    more: bool
    faults: Faults


class Letters(Payload):
    """The answer to `show`, without services whose queue failed; `more` if there are further messages."""

    action: Literal["show"] = "show"
    services: tuple[QueueLetters, ...]
    more: bool
    faults: Faults

    @property
    def messages(self) -> list[LetterSummary]:
        """The messages of all services."""
        return [message for service in self.services for message in service.messages]


class Settled(Payload):
    """The answer to `redrive` and `drop`.

    Attributes:
        services: What was done of each, until its queue failed if it did.
        more: Whether it ended before the queues were empty.
        before: The moment before which messages were taken, for the next invocation to use.
    """

    action: Literal["redrive", "drop"]
    services: tuple[QueueTally, ...]
    more: bool
    faults: Faults
    dry_run: bool
    before: AwareDatetime


Answer: TypeAlias = Depths | Letters | Settled
