"""A pass over a queue that hands its messages out at least once, in any order and in any portions."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.redrive.letters import DeadLetter
from services.redrive.redrive import look_through

if TYPE_CHECKING:
    from services.redrive.letters import DeadLetters

PORTIONS = st.lists(st.lists(st.integers(0, 12), min_size=1, max_size=10), max_size=8)


@dataclass
class FakeQueue:
    """Hands out what it was told, and keeps account of what was released."""

    portions: list[list[int]]
    receipts: dict[str, str] = field(default_factory=dict)
    released: dict[str, str] = field(default_factory=dict)

    def receive(self, *, hidden_for: float) -> list[DeadLetter]:
        assert hidden_for > 0
        portion = self.portions.pop(0) if self.portions else []
        letters = [
            letter(str(message), f"receipt {len(self.portions)} {place}") for place, message in enumerate(portion)
        ]
        self.receipts |= {each.message_id: each.receipt for each in letters}
        return letters

    def release(self, letters: Iterable[DeadLetter]) -> None:
        self.released |= {each.message_id: each.receipt for each in letters}


def letter(message_id: str, receipt: str) -> DeadLetter:
    return DeadLetter(message_id, receipt, "", {}, None, datetime(2026, 11, 22, tzinfo=UTC), 1)


@given(portions=PORTIONS, taken=st.sets(st.integers(0, 12)))
def test_each_message_is_treated_once_and_what_stays_is_released_by_its_last_receipt(
    portions: list[list[int]], taken: set[int]
) -> None:
    queue = FakeQueue([list(portion) for portion in portions])
    treated: list[str] = []

    def treat(each: DeadLetter) -> bool:
        treated.append(each.message_id)
        return int(each.message_id) in taken

    cut_short = look_through(cast("DeadLetters", queue), treat, lambda: 60.0)

    assert cut_short is False
    assert len(treated) == len(set(treated))
    staying = {each for each in treated if int(each) not in taken}
    assert {each: queue.released[each] for each in staying} == {each: queue.receipts[each] for each in staying}


@given(portions=PORTIONS, looks=st.integers(0, 30))
def test_without_time_it_says_that_there_is_more_and_keeps_nothing_hidden(
    portions: list[list[int]], looks: int
) -> None:
    queue = FakeQueue([list(portion) for portion in portions])
    left = iter([1.0] * looks)

    cut_short = look_through(cast("DeadLetters", queue), lambda _: False, lambda: next(left, 0.0))

    assert cut_short or looks > 0
    assert queue.released == queue.receipts


def test_a_fault_releases_what_was_received() -> None:
    queue = FakeQueue([[1, 2, 3]])

    def fail(_: DeadLetter) -> bool:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        look_through(cast("DeadLetters", queue), fail, lambda: 60.0)

    assert queue.released.keys() == {"1", "2", "3"}
