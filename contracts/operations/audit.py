"""The audit's request and report."""

from datetime import date, datetime, timedelta
from typing import Annotated, ClassVar, Final, Literal, Self, TypeAlias

from pydantic import ConfigDict, Field, Strict, model_validator

from contracts.days import SnapshotDay
from contracts.operations.payload import Payload, Request

DEFAULT_DAYS: Final = 8
"""A week and a day: the audits of the next days still find what one missed."""

Mending: TypeAlias = Literal["replay", "catalog", "document", "code", "person"]
"""How to repair a gap: `replay` the raw object through the table's queue; declare the table in the `catalog` again;
correct or remove the `document`; fix the `code`, where a replay did not help; or a `person` decides what is right. The
function reports replay, catalog and person; the console, which sees dead letters and documents, the others."""


class AuditRequest(Request):
    """What is to be audited.

    Attributes:
        first: The first day, in `from`.
        last: The last day, in `to`, which is audited too.
        grace_minutes: Overrides the one in the settings.
        catalog: Whether the catalog is compared too, which does not depend on days.
        letter: Whether this is the day's audit: it also looks at what is around the lake, sends a letter if anything is
            wrong, and publishes its numbers.
    """

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True)

    holds: ClassVar[str] = (
        "It may hold from and to (both days, YYYY-MM-DD), grace_minutes (0 or more), catalog and letter "
        "(true or false), and nothing else"
    )

    first: SnapshotDay | None = Field(default=None, alias="from")
    last: SnapshotDay | None = Field(default=None, alias="to")
    grace_minutes: Annotated[int, Strict(), Field(ge=0)] | None = None
    catalog: Annotated[bool, Strict()] = True
    letter: Annotated[bool, Strict()] = False

    @model_validator(mode="after")
    def _is_a_range(self) -> Self:
        if (self.first is None) != (self.last is None):
            raise ValueError("from and to belong together")
        if self.first and self.last and self.first > self.last:
            raise ValueError("from is after to")
        return self

    def days(self, today: date) -> tuple[date, date]:
        """Returns the first and the last day; without any, the last eight days up to today."""
        if self.first is None or self.last is None:
            return today - timedelta(days=DEFAULT_DAYS - 1), today
        return self.first, self.last


class Gap(Payload):
    """Something missing, superfluous or wrong in the lake or the catalog.

    Attributes:
        table: None for a key that belongs to no snapshot.
        playlist_id: None for such a key and for the catalog, as are the next two, but for the day of a partition.
        since: When its raw object was written, where a replay repairs it.
        what: What is wrong, with the numbers.
        cause: Why a replay does not repair it: the class and sentence of a dead letter, if there is one.
    """

    table: str | None = None
    playlist_id: str | None = None
    snapshot_date: date | None = None
    raw_key: str | None = None
    since: datetime | None = None
    what: str
    mended_by: Mending
    cause: str | None = None

    def because_of(self, cause: str, mended_by: Mending) -> Self:
        """Returns the gap with the reason why a replay does not repair it, and what does."""
        return self.model_copy(update={"mended_by": mended_by, "cause": cause})


class AuditReport(Payload):
    """What an audit found.

    Attributes:
        checked: Snapshots that were compared with every table.
        fresh: Newer snapshots that may still be in flight and were not compared.
        found: The number of gaps.
        gaps: The first of them, 1,000 at most.
    """

    checked: int
    fresh: int
    found: int
    gaps: tuple[Gap, ...]
