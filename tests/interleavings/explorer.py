"""An explicit-state model checker of a table's workers over one raw key.

A state is what the bucket holds, where every worker stands, and what may still happen; from each, every worker may make
its next call, or die of it. States are remembered, so the search ends when there are no new ones. What holds
in every state, and where every schedule ends:

1. No receipt comes before what it tells of: one of a version stands only where that version's Parquet, and its
   quarantines if it has any, were written.
2. Receipts never go back to an older version, and neither they nor Parquet objects vanish.
3. A message is acknowledged only over a receipt of the version that its worker read or a newer one, or after it was
   sent to the dead letters.
4. Whenever every announced message is acknowledged, the outputs are exactly those that a single clean run leaves for
   the raw object as it is. If that is unreadable, or went before the outputs were whole, a dead letter tells of it.
5. From every state an end can be reached, where every message is acknowledged; where there are no circles, every
   schedule ends.

Between a crash and the redelivery, and while workers overlap, outputs may be of several versions: that is not promised
against, and a message that is not yet acknowledged stands for it.

A key that no version fills is always empty: to look for it and to go on is one step.

A message says only that a key changed, so which of several a worker was given makes no difference: the workers of a
state are a multiset. A worker that has made no call is no other than a message that waits.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain
from typing import NamedTuple, TypeAlias

from tests.faults import FAULTS
from tests.interleavings.automaton import ACKNOWLEDGED, WAITING, Automaton, Fault, Told
from tests.interleavings.fake_s3 import CONFLICT, Answer, StoredObject, answer


@dataclass(frozen=True, slots=True)
class Put:
    """A raw object is written, and announced by so many messages."""

    body: bytes
    announcements: int = 1


@dataclass(frozen=True, slots=True)
class Delete:
    """The raw object is deleted, which nothing announces."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """What may happen, each at any moment.

    Attributes:
        events: What becomes of the raw object, in this order.
        before: Raw bodies that were completed one after the other before.
        faults: How many calls may fail before or after they took effect, each in every way of `FAULTS`; ways that make
            no difference to the worker count as one.
        repetitions: How many writes may take effect and be sent again, because the answer was lost.
        conflicts: How many writes may be refused because another one to the key is under way.
        versioned: Whether the bucket keeps versions of raw objects.
    """

    events: Sequence[Put | Delete]
    before: Sequence[bytes] = ()
    faults: int = 0
    repetitions: int = 0
    conflicts: int = 0
    versioned: bool = True


class Keys(NamedTuple):
    """The keys of a table and a snapshot."""

    raw: str
    quarantine: str
    quarantined_values: str
    parquet: str
    receipt: str


_PARQUET, _RECEIPT = (Keys._fields.index(name) for name in ("parquet", "receipt"))

Objects: TypeAlias = tuple[StoredObject | None, ...]
"""What stands at each of the keys."""

_NOTHING: Objects = (None,) * len(Keys._fields)


class Setting(NamedTuple):
    """All of a state but its workers.

    Attributes:
        happened: How many of the events did.
        objects: The number of the object at each of the keys.
        written: The raw versions that quarantines, Parquet and receipt were written from until now.
        dead_letter: Whether one was sent.
    """

    happened: int
    objects: tuple[int, ...]
    written: tuple[frozenset[str | None], ...]
    dead_letter: bool
    faults: int
    repetitions: int
    conflicts: int


State: TypeAlias = tuple[int, ...]
"""The number of a setting, and after it the workers' states of the automaton, sorted."""


class Move(NamedTuple):
    """How a state came about: by an event, or by what a worker's call was answered."""

    worker: int
    told: Told | Put | Delete
    effect: str = ""


class Step(NamedTuple):
    """What a move makes of a setting and of the worker that makes it, whatever the other workers are.

    Attributes:
        setting: The number of the setting that it leads to.
        worker: Where its worker stands then.
        wrong: What it did that must not be.
    """

    move: Move
    setting: int
    worker: int
    wrong: str | None


class ViolationError(AssertionError):
    """A schedule leads to a state that must not be."""


@dataclass(frozen=True, slots=True)
class Exploration:
    """What was found, if everything held.

    Attributes:
        states: How many states there are.
        schedules: How many ways lead from the first to an end; None if some go round in circles as long as they like.
        lakes: What the keys ever held together.
    """

    states: int
    schedules: int | None
    lakes: frozenset[Objects]


_FAULTS = tuple(Fault(name) for name in FAULTS)


class Explorer:
    """Explores a scenario with the workers that an automaton learns."""

    def __init__(self, automaton: Automaton, keys: Keys, scenario: Scenario) -> None:
        self._automaton = automaton
        self._keys = keys
        self._scenario = scenario
        self._objects: list[StoredObject | None] = [None]
        self._numbers: dict[StoredObject | None, int] = {None: 0}
        self._known: dict[tuple[int, int], tuple[int, Answer, int]] = {}
        self._settings: list[Setting] = []
        self._numbers_of_settings: dict[Setting, int] = {}
        bodies = [*scenario.before, *(event.body for event in scenario.events if isinstance(event, Put))]
        self._raws = [
            StoredObject(body, version_id=f"version-{age}" if scenario.versioned else None)
            for age, body in enumerate(bodies)
        ]
        self._ages = {_version(raw): age for age, raw in enumerate(self._raws)}
        self._programs = range(len(automaton.starts))
        self._clean = cache(self._run_alone)
        # They are few, and the states that they are in are many.
        self._steps = cache(self._steps_of)
        self._conflict = cache(self._conflict_of)
        self._key_written = cache(self._key_written_by)
        self._wrong_end = cache(self._wrong_end_in)
        filled = [self._clean(raw, program) for raw in self._raws for program in self._programs]
        self._empty = {key for key, *objects in zip(self._keys, *filled, strict=True) if not any(objects)}

    def explore(self) -> Exploration:
        """Goes through all states, breadth first.

        Raises:
            ViolationError: With a shortest schedule that leads there.
        """
        start: State = (self._number_of_setting(self._start()),)
        numbers = {start: 0}
        states = [start]
        reached_by: list[tuple[int, Move | None]] = [(0, None)]
        successors: list[list[int]] = []
        for number, state in enumerate(states):  # which grows meanwhile
            following: list[int] = []
            for step, next_state in self._next(state):
                known = numbers.get(next_state)
                if known is None:
                    known = numbers[next_state] = len(states)
                    states.append(next_state)
                    reached_by.append((number, step.move))
                wrong = step.wrong or (None if len(next_state) > 1 else self._wrong_end(step.setting))
                if wrong:
                    raise ViolationError("\n".join([wrong, *self._schedule(number, reached_by), self._line(step.move)]))
                following.append(known)
            successors.append(following)
        schedules = _schedules(successors)  # which are counted where there are no circles, so that all of them end
        if schedules is None and (trapped := _trapped(successors)):
            lines = self._schedule(trapped[0], reached_by)
            raise ViolationError("\n".join(["no end can be reached any more", *lines]))
        objects = {setting.objects for setting in self._settings}
        lakes = frozenset(tuple(self._objects[number] for number in each) for each in objects)
        return Exploration(len(states), schedules, lakes)

    def _start(self) -> Setting:
        objects: Objects = (None,) * len(self._keys)
        written: tuple[frozenset[str | None], ...] = (frozenset(),) * len(objects[1:])
        for raw in self._raws[: len(self._scenario.before)]:
            objects = self._run_alone(raw, 0, objects)
            written = tuple(
                before | {_version(raw)} if each else before for before, each in zip(written, objects[1:], strict=True)
            )
        return Setting(
            happened=0,
            objects=tuple(self._number(each) for each in objects),
            written=written,
            dead_letter=False,
            faults=self._scenario.faults,
            repetitions=self._scenario.repetitions,
            conflicts=self._scenario.conflicts,
        )

    def _run_alone(self, raw: StoredObject, program: int, objects: Objects = _NOTHING) -> Objects:
        """What a single clean run of a program leaves."""
        found = [self._number(each) for each in (raw, *objects[1:])]
        worker = self._automaton.starts[program]
        while worker != ACKNOWLEDGED:
            assert worker != WAITING, "a clean run fails"
            key = self._automaton.standing(worker).call.key
            if key in self._keys:
                place = self._keys.index(key)
                found[place], _, worker = self._answered(worker, found[place])
            else:
                worker = self._automaton.after(worker, Answer())
        return tuple(self._objects[each] for each in found)

    def _next(self, state: State) -> Iterator[tuple[Step, State]]:
        """Every move from a state, and the state that it leads to."""
        number, *workers = state
        setting = self._settings[number]
        if setting.happened < len(self._scenario.events):
            yield self._event(number, workers)
        for each in dict.fromkeys(workers):
            others = workers.copy()
            others.remove(each)
            for worker in self._automaton.starts if each == WAITING else (each,):
                for step in self._steps(number, worker):
                    yield step, _with_worker(step, others)
                key = self._key_written(worker)
                if setting.conflicts and key and any(self._key_written(other) == key for other in others):
                    step = self._conflict(number, worker)
                    yield step, _with_worker(step, others)

    def _event(self, number: int, workers: Sequence[int]) -> tuple[Step, State]:
        setting = self._settings[number]
        event = self._scenario.events[setting.happened]
        puts = sum(isinstance(each, Put) for each in self._scenario.events[: setting.happened])
        raw = self._raws[len(self._scenario.before) + puts] if isinstance(event, Put) else None
        announced = (WAITING,) * (event.announcements if isinstance(event, Put) else 0)
        objects = (self._number(raw), *setting.objects[1:])
        happened = self._number_of_setting(setting._replace(happened=setting.happened + 1, objects=objects))
        return Step(Move(-1, event), happened, ACKNOWLEDGED, None), (happened, *sorted((*workers, *announced)))

    def _steps_of(self, number: int, worker: int) -> Sequence[Step]:
        """What may come of a worker's next call in a setting."""
        before = self._settings[number]
        return [
            self._step(before, move, after, next_worker) for move, after, next_worker in self._calls(before, worker)
        ]

    def _conflict_of(self, number: int, worker: int) -> Step:
        """A write is refused because another one to the key is under way."""
        before = self._settings[number]
        after = before._replace(conflicts=before.conflicts - 1)
        return self._step(before, Move(worker, CONFLICT), after, self._automaton.after(worker, CONFLICT))

    def _step(self, before: Setting, move: Move, after: Setting, worker: int) -> Step:
        while worker not in {ACKNOWLEDGED, WAITING} and self._automaton.standing(worker).call.key in self._empty:
            worker = self._answered(worker, 0)[2]
        wrong = self._wrong(before, after, move, is_acknowledged=worker == ACKNOWLEDGED)
        return Step(move, self._number_of_setting(after), worker, wrong)

    def _calls(self, setting: Setting, worker: int) -> Iterator[tuple[Move, Setting, int]]:
        after = self._automaton.after
        call = self._automaton.standing(worker).call
        if call.key in self._keys:
            place = self._keys.index(call.key)
            number, told, next_worker = self._answered(worker, setting.objects[place])
            affected = self._with(setting, place, number)
        else:
            told = Answer()
            affected, next_worker = setting._replace(dead_letter=True), after(worker, told)
        yield Move(worker, told), affected, next_worker
        if setting.faults:
            for left, fault in {after(worker, fault): fault for fault in _FAULTS}.items():
                for effect, where in (("before", setting), ("after", affected)):
                    yield Move(worker, fault, effect), where._replace(faults=setting.faults - 1), left
            if next_worker == ACKNOWLEDGED:
                crashed = Move(worker, told, "crash before it is acknowledged after")
                yield crashed, affected._replace(faults=setting.faults - 1), WAITING
        if setting.repetitions and call.writes and affected is not setting:
            repeated = Move(worker, told, "answer lost, repeated after")
            yield repeated, affected._replace(repetitions=setting.repetitions - 1), worker

    def _key_written_by(self, worker: int) -> str | None:
        """The key that a worker's next call writes."""
        call = None if worker == WAITING else self._automaton.standing(worker).call
        return call.key if call and call.writes else None

    def _with(self, setting: Setting, place: int, number: int) -> Setting:
        if number == setting.objects[place]:
            return setting
        objects = (*setting.objects[:place], number, *setting.objects[place + 1 :])
        written = list(setting.written)
        if number:
            written[place - 1] |= {self._made_from(number)}
        return setting._replace(objects=objects, written=tuple(written))

    def _wrong(self, before: Setting, setting: Setting, move: Move, *, is_acknowledged: bool) -> str | None:
        """What a worker's move did that must not be."""
        if setting.objects is not before.objects:
            parquet, receipt = (self._made_from(number) for number in setting.objects[_PARQUET:])
            parquet_before, receipt_before = (self._made_from(number) for number in before.objects[_PARQUET:])
            if (receipt_before and not receipt) or (parquet_before and not parquet):
                return "a receipt or a Parquet object has vanished"
            if receipt and not self._is_written(setting, receipt):
                return "a receipt stands before what it tells of"
            if self._is_older(receipt, receipt_before):
                return "a receipt went back to an older version"
        if is_acknowledged:
            acknowledging = self._automaton.standing(move.worker)
            receipt = self._made_from(setting.objects[_RECEIPT])
            is_behind = not receipt or self._is_older(receipt, acknowledging.raw_version)
            if is_behind and acknowledging.call.key in self._keys:
                return "a message is acknowledged without a receipt"
        return None

    def _wrong_end_in(self, number: int) -> str | None:
        """What is wrong with a setting where no worker is left."""
        is_right = self._is_right(self._settings[number])
        return None if is_right else "every message is acknowledged, and the lake is wrong"

    def _is_written(self, setting: Setting, version: str) -> bool:
        raw = self._raws[self._ages[version]]
        clean = [self._clean(raw, program) for program in self._programs]
        return all(
            version in written or not all(lake[place] for lake in clean)
            for place, written in enumerate(setting.written[: _RECEIPT - 1], start=1)
        )

    def _is_older(self, version: str | None, other: str | None) -> bool:
        """Whether a version came before another; without versions, bytes that came back are old and new."""
        if not self._scenario.versioned or not other:
            return False
        return not version or self._ages[version] < self._ages[other]

    def _is_right(self, setting: Setting) -> bool:
        objects = tuple(self._objects[number] for number in setting.objects)
        raw, *_ = objects
        if raw:
            clean = [self._clean(raw, program) for program in self._programs]
            return objects in clean if clean[0][_RECEIPT] else setting.dead_letter
        whole = {self._clean(each, program)[1:] for each in self._raws for program in self._programs}
        return setting.dead_letter or objects[1:] in whole or not any(objects)

    def _made_from(self, number: int) -> str | None:
        found = self._objects[number]
        return found.made_from if found else None

    def _answered(self, worker: int, number: int) -> tuple[int, Answer, int]:
        """What a worker's call to S3 makes of an object, how it is answered, and where that takes the worker."""
        known = self._known.get((worker, number))
        if known is None:
            # Versions of outputs have no ids: no worker tells outputs by them, and no state needs to.
            found, told = answer(self._objects[number], self._automaton.standing(worker).call, None)
            known = self._known[worker, number] = self._number(found), told, self._automaton.after(worker, told)
        return known

    def _number_of_setting(self, setting: Setting) -> int:
        number = self._numbers_of_settings.setdefault(setting, len(self._settings))
        if number == len(self._settings):
            self._settings.append(setting)
        return number

    def _number(self, found: StoredObject | None) -> int:
        number = self._numbers.setdefault(found, len(self._objects))
        if number == len(self._objects):
            self._objects.append(found)
        return number

    def _schedule(self, number: int, reached_by: Sequence[tuple[int, Move | None]]) -> list[str]:
        lines: list[str] = []
        while (reached := reached_by[number])[1]:
            number, move = reached
            assert move
            lines.append(self._line(move))
        return lines[::-1]

    def _line(self, move: Move) -> str:
        if isinstance(move.told, Put | Delete):
            return f"  raw object: {type(move.told).__name__.lower()}"
        standing = self._automaton.standing(move.worker)
        read = standing.raw_version or "nothing"
        return " ".join(["  worker with", f"{read}:", *move.effect.split(), f"{standing.call} -> {move.told}"])


def _with_worker(step: Step, others: Sequence[int]) -> State:
    if step.worker == ACKNOWLEDGED:
        return (step.setting, *others)
    return (step.setting, *sorted((*others, step.worker)))


def _version(raw: StoredObject) -> str:
    return raw.version_id or raw.etag.strip('"')


def _trapped(successors: Sequence[Sequence[int]]) -> list[int]:
    """The states from which no end is reached."""
    predecessors: list[list[int]] = [[] for _ in successors]
    for state, following in enumerate(successors):
        for each in following:
            predecessors[each].append(state)
    ending = [not following for following in successors]
    ready = [state for state, ends in enumerate(ending) if ends]
    while ready:
        for each in predecessors[ready.pop()]:
            if not ending[each]:
                ending[each] = True
                ready.append(each)
    return [state for state, ends in enumerate(ending) if not ends]


def _schedules(successors: Sequence[Sequence[int]]) -> int | None:
    """How many ways lead from the first state to an end; None if there are circles."""
    entries = Counter(chain.from_iterable(successors))
    ways = [1] + [0] * (len(successors) - 1)
    ready, done, found = [0], 0, 0
    while ready:
        state = ready.pop()
        done += 1
        found += 0 if successors[state] else ways[state]
        for each in successors[state]:
            ways[each] += ways[state]
            entries[each] -= 1
            if not entries[each]:
                ready.append(each)
    return found if done == len(successors) else None
