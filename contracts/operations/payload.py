from datetime import datetime
from typing import Annotated, Any, ClassVar, TypeAlias

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Strict


def _from_iso(moment: Any) -> Any:
    return datetime.fromisoformat(moment) if isinstance(moment, str) else moment


Moment: TypeAlias = Annotated[AwareDatetime, Strict(), BeforeValidator(_from_iso)]
"""A moment in ISO 8601, with its zone."""


class Payload(BaseModel):
    """The payload of an invocation or its answer; unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Facts(BaseModel):
    """The fields of a log line beside those of every line."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class Request(Payload):
    """The event that a function is invoked with.

    Attributes:
        holds: A sentence that says what it may hold, for error messages.
    """

    holds: ClassVar[str]
