"""Waits for others' work."""

from collections.abc import Callable
from typing import TypeVar

from tenacity import Retrying, retry_if_result, stop_after_delay, wait_fixed

FoundT = TypeVar("FoundT")


def poll(look: Callable[[], FoundT], *, pause: float, patience: float) -> FoundT:
    """Looks again and again until something is found, and returns it.

    Args:
        look: Returns what it finds; an empty or false value means nothing.
        pause: Seconds between two attempts.
        patience: Seconds after which it gives up, and returns the last result.
    """
    looking = Retrying(
        retry=retry_if_result(lambda found: not found),
        stop=stop_after_delay(patience),
        wait=wait_fixed(pause),
        retry_error_callback=lambda state: state.outcome and state.outcome.result(),
    )
    return looking(look)
