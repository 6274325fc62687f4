from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import ValidationError

from contracts.operations.payload import Request
from shared.errors import PermanentError, sentence_of

RequestT = TypeVar("RequestT", bound=Request)


def read(request: type[RequestT], event: Mapping[str, Any]) -> RequestT:
    """Reads the event of an invocation.

    Raises:
        PermanentError: Names each field that is unknown or wrong.
    """
    try:
        return request.model_validate(event)
    except ValidationError as fault:
        raise PermanentError("event", f"{sentence_of(fault)}. {request.holds}") from None
