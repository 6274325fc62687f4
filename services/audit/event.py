from collections.abc import Mapping
from datetime import date, timedelta
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, Strict, ValidationError, model_validator

from shared.errors import PermanentError, sentence_of

DEFAULT_DAYS = 8
"""A weekly audit looks at each day at least once, and at the day of the audit before it twice."""


class Event(BaseModel):
    """What is to be audited.

    Attributes:
        first: The first day, in `from`.
        last: The last day, in `to`, which is audited too.
        grace_minutes: Takes the place of that in the settings.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    first: date | None = Field(default=None, alias="from")
    last: date | None = Field(default=None, alias="to")
    grace_minutes: Annotated[int, Strict(), Field(ge=0)] | None = None

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

    @classmethod
    def read(cls, event: Mapping[str, Any]) -> Self:
        """Reads the event of an invocation.

        Raises:
            PermanentError: Names each field that is unknown or wrong.
        """
        try:
            return cls.model_validate(event)
        except ValidationError as fault:
            raise PermanentError(
                "event",
                f"{sentence_of(fault)}. It may hold from and to (both days, YYYY-MM-DD) and grace_minutes "
                "(0 or more), and nothing else",
            ) from None
