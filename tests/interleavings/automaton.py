"""A worker as an automaton, learned from its code by running it.

A worker is deterministic: what it does next follows from the answers that it was given. So it is run from its start
with recorded answers, up to the first call that none is recorded for. Where it stands there is a state of the
automaton: the call, and of each function under way the place in its code and what its variables hold. Two histories
that lead to the same state have the same future, whatever they were; that is what keeps the states few.
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from datetime import date
from functools import singledispatch
from types import FrameType, FunctionType, NoneType
from typing import Any, TypeAlias

from botocore.exceptions import ClientError, ReadTimeoutError
from tenacity import AttemptManager, BaseRetrying

from contracts.snapshot import Snapshot
from contracts.tables.table import Table
from contracts.validation import Judgement
from shared.catalog import Catalog
from shared.dead_letters import DeadLetterQueue
from shared.errors import TransientError
from shared.lake import Lake
from shared.observability import Step
from shared.queue import Queue
from tests.faults import FAULTS, Crash
from tests.interleavings.fake_s3 import Answer, Call, FakeClient

ACKNOWLEDGED = 0
WAITING = 1
"""The states of a message that no worker has: it is done, or in its queue."""


@dataclass(frozen=True, slots=True)
class Fault:
    """In place of an answer: one of `FAULTS`."""

    name: str

    def __str__(self) -> str:
        return self.name


Told: TypeAlias = Answer | Fault
Program: TypeAlias = Callable[[FakeClient], None]


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a worker stands: the call that it makes next, and the raw version that it has read last."""

    call: Call
    raw_version: str | None


class Automaton:
    """The states of the workers of one or several programs, numbered; no state belongs to two programs."""

    def __init__(self, *programs: Program, merges: bool = True) -> None:
        """Learns nothing yet but where the workers start.

        Args:
            programs: What each kind of worker does with the clients that it is given.
            merges: Whether histories that lead to the same place and memory are one state; otherwise each is its own.
        """
        self._programs = programs
        self._merges = merges
        self._numbers: dict[Any, int] = {}
        self._histories: list[tuple[int, tuple[Told, ...]]] = [(-1, ()), (-1, ())]
        self._standings: list[Standing | None] = [None, None]
        self._after: dict[tuple[int, Told], int] = {}
        self.starts = [self._run(program, ()) for program in range(len(programs))]

    def __len__(self) -> int:
        return len(self._standings)

    def standing(self, state: int) -> Standing:
        """Where a worker stands that is neither done nor waiting."""
        standing = self._standings[state]
        assert standing
        return standing

    def after(self, state: int, told: Told) -> int:
        """The state that an answer leads to."""
        known = self._after.get((state, told))
        if known is None:
            program, history = self._histories[state]
            known = self._after[state, told] = self._run(program, (*history, told))
        return known

    def _run(self, program: int, history: tuple[Told, ...]) -> int:
        client = _Recorded(history)
        try:
            self._programs[program](client)
        except _Paused as paused:
            state = self._numbers.setdefault(
                (program, paused.call, paused.memory if self._merges else history), len(self._standings)
            )
            if state == len(self._standings):
                self._histories.append((program, history))
                self._standings.append(Standing(paused.call, _raw_version(history)))
            return state
        except (Crash, ClientError, ReadTimeoutError, TransientError):
            assert client.has_told_all
            return WAITING
        assert client.has_told_all
        return ACKNOWLEDGED


def _raw_version(history: Sequence[Told]) -> str | None:
    """A raw object is the only one that is read whole, and by its version id or ETag."""
    read = [told.read for told in history if isinstance(told, Answer) and told.read and not told.read.made_from]
    return (read[-1].version_id or read[-1].etag.strip('"')) if read else None


class _Paused(BaseException):
    """Leaves a worker at a call; nothing in it can catch this."""

    def __init__(self, call: Call, memory: Any) -> None:
        super().__init__(call)
        self.call = call
        self.memory = memory


class _Recorded(FakeClient):
    """Answers from a record, and stops the worker after it."""

    def __init__(self, record: Sequence[Told]) -> None:
        self._remaining = list(reversed(record))

    @property
    def has_told_all(self) -> bool:
        return not self._remaining

    def answer(self, call: Call) -> Answer:
        if not self._remaining:
            raise _Paused(call, _memory(sys._getframe()))
        told = self._remaining.pop()
        if isinstance(told, Fault):
            raise FAULTS[told.name](call.operation)
        return told


def _memory(frame: FrameType | None) -> tuple[Any, ...]:
    """Place and variables of every function from the call up to the worker's start."""
    found = []
    while frame and frame.f_code is not Automaton._run.__code__:
        name = frame.f_globals["__name__"]
        if name.startswith("tenacity"):
            retry_state = frame.f_locals.get("retry_state")
            found.append((name, frame.f_lasti, retry_state and retry_state.attempt_number))
        else:
            variables = tuple((name, _frozen(value)) for name, value in sorted(frame.f_locals.items()))
            found.append((frame.f_code.co_qualname, frame.f_lasti, variables))
        frame = frame.f_back
    return tuple(found)


@singledispatch
def _frozen(value: object) -> Any:
    """What a variable holds, to be compared.

    Raises:
        TypeError: Nobody has said how values of its type are compared. To leave it out would merge states that differ.
    """
    if is_dataclass(value):
        return type(value).__name__, tuple(_frozen(getattr(value, each.name)) for each in fields(value))
    raise TypeError(f"{type(value)} is among a worker's variables: tell the automaton how to compare its values")


def _name_of_type(value: object) -> str:
    return type(value).__name__


for _plain in (NoneType, bool, int, str, bytes, date, Call):
    _frozen.register(_plain, lambda value: value)
for _derived in (Snapshot, Judgement):  # they follow from a raw object, which is remembered beside them
    _frozen.register(_derived, _name_of_type)
for _constant in (Table, Catalog, Step, BaseRetrying, FakeClient, FunctionType, type):
    _frozen.register(_constant, _name_of_type)
for _compound in (Lake, Queue, DeadLetterQueue):
    _frozen.register(_compound, lambda value: (type(value).__name__, _frozen(vars(value))))
for _sequence in (list, tuple):
    _frozen.register(_sequence, lambda value: tuple(_frozen(each) for each in value))
_frozen.register(Mapping, lambda value: tuple((name, _frozen(each)) for name, each in value.items()))
_frozen.register(BaseException, lambda value: (type(value).__name__, str(value)))
_frozen.register(AttemptManager, lambda value: value.retry_state.attempt_number)
