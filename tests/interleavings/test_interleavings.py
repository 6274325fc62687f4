"""Whatever fails, however late, often or interleaved messages come, the lake ends as after a single clean run."""

import gc
import json
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import redirect_stdout
from dataclasses import replace
from hashlib import md5
from io import StringIO
from types import SimpleNamespace
from typing import Any, Literal

import pytest

import shared.worker
from contracts.candidates import Candidate, Candidates
from contracts.lists import read_list
from contracts.snapshot import Snapshot
from contracts.tables.songs import SONGS, Song
from contracts.validation import judge
from services.songs.transform import songs
from shared.catalog import Catalog
from shared.dead_letters import DeadLetterQueue
from shared.lake import Lake, Output, Partition, RawObject, SupersededError
from shared.parquet import encode
from shared.queue import Queue
from shared.worker import Worker
from tests.documents import entry, playlist, track
from tests.integration.cloud import BUCKET, KEY, record
from tests.interleavings.automaton import Automaton, Program
from tests.interleavings.explorer import Delete, Explorer, Keys, Put, Scenario, ViolationError
from tests.interleavings.fake_s3 import Call, FakeClient
from tests.once import once

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def _without_garbage_collection() -> Iterator[None]:
    """Millions of states hold no cycle, and to look for one takes half the time."""
    gc.disable()
    yield
    gc.enable()


KEYS = Keys(
    KEY.raw, KEY.quarantine("songs"), KEY.quarantined_values("songs"), KEY.parquet("songs"), KEY.receipt("songs")
)
MESSAGE = {**record(json.dumps({"Records": [{"s3": {"object": {"key": KEY.raw}}}]})), "receiptHandle": "handle"}
REJECTED = entry({**track("Rejected"), "name": None})
REFUSED = entry(track("Refused", popularity=101))


def document(*entries: Any) -> bytes:
    return json.dumps(playlist(*entries)).encode()


REJECTING = document(entry(track("First")), REJECTED)
OF_THE_SAME_ROWS = document(entry(track("First")), entry(None))
REFUSING = document(entry(track("First")), REFUSED)
REJECTING_AND_REFUSING = document(entry(track("First")), REJECTED, REFUSED)
CLEAN = document(entry(track("Second")))
REJECTING_MORE = document(REJECTED, entry(track("Third")), REJECTED)
UNREADABLE = b"{"


class FakeCatalog(Catalog):
    """A catalog that takes every partition: to register one twice, or in vain, changes nothing."""

    def __init__(self) -> None:
        pass

    def register(self, partitions: Iterable[Partition]) -> None:
        assert all(partitions)


def repairing(snapshot: Snapshot) -> Candidates[Song]:
    """A later transform of songs, by which nothing is rejected or refused any more."""
    for candidate in songs(snapshot):
        if isinstance(candidate, Candidate):
            candidate.row["track_name"] = "Mended"
            candidate.row["popularity"] = None
        yield candidate


def program(
    make_lake: Callable[[FakeClient], Lake] = lambda client: Lake(client, BUCKET),  # type: ignore[arg-type]
    transform: Callable[[Snapshot], Candidates[Song]] = songs,
    version: str = "1.0.0",
) -> Program:
    """A worker of songs that handles its message, in silence."""

    def run(client: FakeClient) -> None:
        worker = Worker(
            table=SONGS,
            transform=transform,
            lake=make_lake(client),
            catalog=FakeCatalog(),
            queue=Queue(client, "queue"),  # type: ignore[arg-type]
            dead_letters=DeadLetterQueue(client, "dead-letters"),  # type: ignore[arg-type]
            service_version=version,
        )
        with redirect_stdout(StringIO()):
            worker.process(MESSAGE)

    return run


@pytest.fixture(scope="module", autouse=True)
def at_once() -> Iterator[None]:
    """Nobody waits, and equal documents are read, judged and encoded once: an automaton runs a worker many times."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr("tenacity.nap.time", SimpleNamespace(sleep=lambda _: None))
        for pure in (read_list, judge, encode):
            monkeypatch.setattr(shared.worker, pure.__name__, once(pure))
        logging.disable(logging.CRITICAL)
        yield
        logging.disable(logging.NOTSET)


@pytest.fixture(scope="module")
def workers() -> Automaton:
    return Automaton(program())


SCENARIOS = {
    "two workers with the same version": Scenario(
        [Put(REJECTING_AND_REFUSING, 2)], faults=2, repetitions=1, conflicts=1
    ),
    "three workers with the same version": Scenario([Put(REJECTING, 3)], faults=1, repetitions=1, conflicts=1),
    "a newer version that rejects nothing any more": Scenario(
        [Put(REJECTING), Put(CLEAN)], faults=1, repetitions=1, conflicts=1
    ),
    "a newer version that rejects something now": Scenario(
        [Put(CLEAN), Put(REJECTING)], faults=1, repetitions=1, conflicts=1
    ),
    "a newer version that refuses nothing any more": Scenario(
        [Put(REFUSING), Put(CLEAN)], faults=1, repetitions=1, conflicts=1
    ),
    "a newer version that rejects and refuses nothing any more": Scenario([Put(REJECTING_AND_REFUSING), Put(CLEAN)]),
    "a newer version that refuses what was rejected": Scenario([Put(REJECTING), Put(REFUSING)]),
    "two newer versions than the one that stands": Scenario(
        [Put(CLEAN), Put(REJECTING_MORE)], before=[REJECTING], faults=1, conflicts=1
    ),
    "versions whose Parquet is equal": Scenario(
        [Put(REJECTING), Put(OF_THE_SAME_ROWS)], faults=1, repetitions=1, conflicts=1
    ),
    "bytes that change and change back": Scenario(
        [Put(CLEAN), Put(REJECTING)], before=[REJECTING], faults=1, conflicts=1
    ),
    "bytes that change and change back in a bucket without versions": Scenario(
        [Put(CLEAN), Put(REJECTING)], before=[REJECTING], faults=1, versioned=False
    ),
    "a third worker, of the newer version": Scenario([Put(REJECTING), Put(CLEAN, 2)], faults=1),
    "a third worker, of the older version": Scenario([Put(REJECTING, 2), Put(CLEAN)], faults=1),
    "three workers with a version each": Scenario([Put(REJECTING), Put(CLEAN), Put(REJECTING)]),
    "a raw object that is deleted and written again": Scenario(
        [Put(REJECTING), Delete(), Put(CLEAN)], faults=1, repetitions=1, conflicts=1
    ),
    "a raw object that is deleted in the end": Scenario([Put(REJECTING), Put(CLEAN), Delete()], faults=1),
    "a version that nobody can read, and one that is readable": Scenario([Put(UNREADABLE), Put(REJECTING)], faults=2),
    "a newer version that nobody can read": Scenario([Put(CLEAN), Put(UNREADABLE)], before=[REJECTING], faults=2),
}


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_schedule_ends_as_a_single_clean_run(
    name: str, workers: Automaton, record_property: Callable[[str, object], None]
) -> None:
    explored = Explorer(workers, KEYS, SCENARIOS[name]).explore()

    assert explored.schedules
    record_property("interleavings", (name, explored.states, explored.schedules))


@pytest.mark.parametrize("newer", [songs, repairing], ids=["that rejects likewise", "that rejects nothing any more"])
def test_two_versions_of_the_code_end_with_all_outputs_of_one(
    newer: Callable[[Snapshot], Candidates[Song]], record_property: Callable[[str, object], None]
) -> None:
    """They may take each other's outputs back in circles, until one of them is alone for a completion."""
    workers = Automaton(program(), program(transform=newer, version="1.1.0"))

    explored = Explorer(workers, KEYS, Scenario([Put(REJECTING, 2)], faults=1)).explore()

    name = f"two versions of the code, the newer one {newer.__name__}"
    record_property("interleavings", (name, explored.states, explored.schedules))


@pytest.mark.parametrize("name", ["a newer version that rejects nothing any more", "versions whose Parquet is equal"])
def test_what_a_worker_remembers_is_all_that_matters_of_its_history(name: str) -> None:
    scenario = replace(SCENARIOS[name], faults=0, repetitions=0, conflicts=0)

    merged, apart = (
        Explorer(Automaton(program(), merges=merges), KEYS, scenario).explore() for merges in (True, False)
    )

    assert merged.states < apart.states
    assert merged.lakes == apart.lakes


class WithoutConfirm(Lake):
    def confirm(self, published: Mapping[str, Output | None], *, made_from: RawObject) -> None: ...


class ConfirmOfWhatShouldStand(Lake):
    def confirm(self, published: Mapping[str, Output | None], *, made_from: RawObject) -> None:
        there = {key: output for key, output in published.items() if output is not None}
        super().confirm(there, made_from=made_from)


class ConfirmOfAnyCode(Lake):
    def confirm(self, published: Mapping[str, Output | None], *, made_from: RawObject) -> None:
        for key, output in published.items():
            standing = self._look(key)
            if (standing and standing.made_from) != (made_from.version if output else None):
                raise SupersededError(key)


class WithoutRawLook(Lake):
    def _is_superseded(self, raw: RawObject) -> bool:  # noqa: ARG002
        return False


class ReceiptFirst(Lake):
    def __init__(self, s3: Any, bucket: str) -> None:
        super().__init__(s3, bucket)
        self.held: list[tuple[str, bytes | None]] = []

    def publish(
        self, key: str, body: bytes | None, *, made_from: RawObject, metadata: Mapping[str, str]
    ) -> Output | None:
        self.held.insert(0, (key, body))
        if key == KEYS.receipt:
            while self.held:
                super().publish(*self.held.pop(0), made_from=made_from, metadata=metadata)
        return None if body is None else Output(md5(body, usedforsecurity=False).hexdigest(), len(body))


class Careless(FakeClient):
    """Leaves conditions of writes out."""

    def __init__(self, client: FakeClient, *conditions: Literal["if_match", "if_none_match"]) -> None:
        self.client = client
        self.left_out: Any = dict.fromkeys(conditions)

    def _call(self, call: Call) -> dict[str, Any]:
        return self.client._call(replace(call, **self.left_out))


WEAKER: dict[str, tuple[Callable[[FakeClient], Lake], str, str]] = {
    "no confirm": (
        lambda client: WithoutConfirm(client, BUCKET),  # type: ignore[arg-type]
        "a newer version that rejects nothing any more",
        "every message is acknowledged, and the lake is wrong",
    ),
    "a confirm that does not look for what should be absent": (
        lambda client: ConfirmOfWhatShouldStand(client, BUCKET),  # type: ignore[arg-type]
        "a newer version that rejects nothing any more",
        "every message is acknowledged, and the lake is wrong",
    ),
    "no look at the raw object": (
        lambda client: WithoutRawLook(client, BUCKET),  # type: ignore[arg-type]
        "a newer version that rejects something now",
        "a receipt went back to an older version",
    ),
    "the receipt first": (
        lambda client: ReceiptFirst(client, BUCKET),
        "two workers with the same version",
        "a receipt stands before what it tells of",
    ),
    "no If-Match": (
        lambda client: Lake(Careless(client, "if_match"), BUCKET),  # type: ignore[arg-type]
        "two newer versions than the one that stands",
        "a receipt went back to an older version",
    ),
    "no If-None-Match": (
        lambda client: Lake(Careless(client, "if_none_match"), BUCKET),  # type: ignore[arg-type]
        "a newer version that rejects something now",
        "a receipt went back to an older version",
    ),
}


@pytest.mark.parametrize("protocol", WEAKER)
def test_a_weaker_protocol_is_found_out(protocol: str) -> None:
    make_lake, name, wrong = WEAKER[protocol]
    workers = Automaton(program(make_lake))
    scenario = replace(SCENARIOS[name], faults=0, repetitions=0, conflicts=0)

    with pytest.raises(ViolationError, match=wrong):
        Explorer(workers, KEYS, scenario).explore()


def test_a_confirm_that_takes_the_outputs_of_any_code_is_found_out() -> None:
    def make_lake(client: FakeClient) -> Lake:
        return ConfirmOfAnyCode(client, BUCKET)  # type: ignore[arg-type]

    workers = Automaton(program(make_lake), program(make_lake, version="1.1.0"))

    with pytest.raises(ViolationError, match="every message is acknowledged, and the lake is wrong"):
        Explorer(workers, KEYS, Scenario([Put(REJECTING, 2)])).explore()


def test_the_versions_of_equal_parquet_have_it() -> None:
    clean = [
        Explorer(Automaton(program()), KEYS, Scenario([Put(body)])).explore().lakes
        for body in (REJECTING, OF_THE_SAME_ROWS)
    ]

    one, other = ({lake[3].etag for lake in lakes if lake[3]} for lakes in clean)
    assert one == other
