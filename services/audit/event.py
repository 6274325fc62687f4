from datetime import date, timedelta
from typing import Annotated, ClassVar, Self

from pydantic import Field, Strict, model_validator

from contracts.days import SnapshotDay
from shared.invocation import Invocation

DEFAULT_DAYS = 8
"""A week and a day: what an audit missed, those of the next days still find."""


class Event(Invocation):
    """What is to be audited.

    Attributes:
        first: The first day, in `from`.
        last: The last day, in `to`, which is audited too.
        grace_minutes: Takes the place of that in the settings.
        catalog: Whether the catalog is compared too, whose tables are of no day.
    """

    holds: ClassVar[str] = (
        "It may hold from and to (both days, YYYY-MM-DD), grace_minutes (0 or more) and catalog (true or false), and "
        "nothing else"
    )

    first: SnapshotDay | None = Field(default=None, alias="from")
    last: SnapshotDay | None = Field(default=None, alias="to")
    grace_minutes: Annotated[int, Strict(), Field(ge=0)] | None = None

    catalog: Annotated[bool, Strict()] = True

    @model_validator(mode="after")
    def _is_a_range(self) -> Self:
        if (self.first is None) != (self.last is None):
            raise ValueError("from and to belong together")
        if self.first and self.last and self.first > self.last:
            raise ValueError("from is after to")
        return self

    def days(self, today: date) -> tuple[date, date]:
        """The first and the last day; without any, the last eight days up to today."""
        if self.first is None or self.last is None:
            return today - timedelta(days=DEFAULT_DAYS - 1), today
        return self.first, self.last
