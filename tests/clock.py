"""The day on which tests within one process take place, lest midnight or a Monday decide what they find."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

import pytest
import time_machine

NOW: Final = datetime(2026, 11, 25, 12, tzinfo=UTC)
"""Noon of a Wednesday."""


@pytest.fixture(scope="module", autouse=True)
def noon_of_a_wednesday() -> Iterator[None]:
    """Lets the tests of a module begin at that time; the clock goes on from there."""
    with time_machine.travel(NOW):
        yield
