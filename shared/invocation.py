import gc
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, TypeAlias, TypeVar

from botocore.config import Config
from pydantic import ValidationError

from contracts.operations.payload import Request
from shared.errors import PermanentError, sentence_of

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

RequestT = TypeVar("RequestT", bound=Request)

Handler: TypeAlias = Callable[[dict[str, Any], Any], Mapping[str, Any]]
"""A Lambda function: called with an event and the LambdaContext of its invocation."""

FAIL_FAST: Final = Config(connect_timeout=3, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 2})
"""For clients of a collector, whose time is for the source that it collects from."""


def ready(handler: Handler) -> Handler:
    """Ends a cold start, which a handler's module begins by disabling the garbage collector.

    What cold start made lives as long as the process, so the collector, at work again, never looks at it.
    """
    gc.freeze()
    gc.enable()
    return handler


def read(request: type[RequestT], event: Mapping[str, Any]) -> RequestT:
    """Reads the event of an invocation.

    Raises:
        PermanentError: Names each field that is unknown or wrong.
    """
    try:
        return request.model_validate(event)
    except ValidationError as fault:
        raise PermanentError("event", f"{sentence_of(fault)}. {request.holds}") from None


def seconds_left(context: "LambdaContext", *, reserve: float) -> Callable[[], float]:
    """Returns what tells how many seconds an invocation has left before a reserve at its end."""
    return lambda: context.get_remaining_time_in_millis() / 1000 - reserve
