from typing import ClassVar

from pydantic import BaseModel, ConfigDict


class Payload(BaseModel):
    """What a function is invoked with, or answers: its fields and nothing else."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Facts(BaseModel):
    """What a line of the log tells beside what every line does."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class Request(Payload):
    """What a function is invoked with.

    Attributes:
        holds: A sentence that says what it may hold, for whoever sent something else.
    """

    holds: ClassVar[str]
