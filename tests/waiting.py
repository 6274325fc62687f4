"""What happens in processes of their own, waited for."""

from collections.abc import Callable
from typing import Any

from infra.waiting import poll

_PATIENCE = 300
"""Longer than a machine that is busy with else takes, and than a message that failed twice waits to be shown again."""


def eventually(condition: Callable[[], Any]) -> Any:
    """What a condition finds within some minutes; nothing fails the test."""
    found = poll(condition, pause=0.05, patience=_PATIENCE)
    assert found, "it did not happen in time"
    return found
