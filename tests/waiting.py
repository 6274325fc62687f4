"""What happens in processes of their own, waited for."""

from collections.abc import Callable
from typing import Any

from infra.waiting import poll


def eventually(condition: Callable[[], Any], *, within: float = 60) -> Any:
    """What a condition finds within some seconds; nothing fails the test."""
    found = poll(condition, pause=0.05, patience=within)
    assert found, "it did not happen in time"
    return found
