from typing import ClassVar

from pydantic import BaseModel, ConfigDict


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
