from collections.abc import Mapping
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from shared.errors import PermanentError, sentence_of


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
