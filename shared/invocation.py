from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, ClassVar, Self, TypeAlias

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Strict,
    ValidationError,
)

from contracts.days import snapshot_day
from contracts.fields import naive_utc
from shared.errors import PermanentError, sentence_of


def _from_iso(moment: Any) -> Any:
    return datetime.fromisoformat(moment) if isinstance(moment, str) else moment


def _of_a_snapshot(moment: datetime) -> datetime:
    snapshot_day(naive_utc(moment).date())
    return moment


ScheduledTime: TypeAlias = Annotated[
    AwareDatetime, Strict(), BeforeValidator(_from_iso), AfterValidator(_of_a_snapshot)
]
"""When a run was due: ISO 8601 with a zone, on a day that the tables have."""


class Invocation(BaseModel):
    """What a function is invoked with: its fields and nothing else.

    Attributes:
        holds: A sentence that says what it may hold, for whoever sent something else.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    holds: ClassVar[str]

    @classmethod
    def read(cls, event: Mapping[str, Any]) -> Self:
        """Reads the event of an invocation.

        Raises:
            PermanentError: Names each field that is unknown or wrong.
        """
        try:
            return cls.model_validate(event)
        except ValidationError as fault:
            raise PermanentError("event", f"{sentence_of(fault)}. {cls.holds}") from None
