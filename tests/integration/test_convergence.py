"""Whatever fails, however late or often a message comes, the lake ends as after a single clean run."""

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any, TypeAlias

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from moto import mock_aws
from moto.moto_api._internal import mock_random

from contracts.tables.songs import SONGS
from services.songs.transform import songs
from shared.dead_letters import DeadLetterQueue
from shared.lake import Lake
from shared.worker import Worker
from tests.documents import entry, playlist, track
from tests.faults import FAULTS, Crash, FaultAt, OnCall, tell_of_calls
from tests.integration.cloud import BUCKET, KEY, SESSION, Cloud, record

REJECTED = entry({**track("Rejected"), "name": None})
REFUSED = entry(track("Refused", popularity=101))
VERSIONS = (
    playlist(entry(track("First")), REJECTED, REFUSED),
    playlist(entry(track("Second")), entry(None)),
    playlist(REJECTED, REFUSED, entry(track("Third")), REJECTED),
)
WITHOUT_SHRINKING = (Phase.explicit, Phase.reuse, Phase.generate)
"""A run takes too long to be repeated some hundred times for a shorter history."""
OUTPUTS = ("processed/", "quarantine/", "quarantine-values/", "receipts/")

pytestmark = pytest.mark.slow

State: TypeAlias = dict[str, tuple[bytes, dict[str, str]]]


@contextmanager
def fresh_cloud() -> Iterator[Cloud]:
    """A bucket and a dead-letter queue of their own."""
    with mock_aws():
        s3, sqs = SESSION.client("s3"), SESSION.client("sqs")
        s3.create_bucket(Bucket=BUCKET)
        s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        yield Cloud(s3, sqs, "", sqs.create_queue(QueueName="dead-letters")["QueueUrl"])


def worker(cloud: Cloud, on_call: OnCall = lambda _: None) -> Worker[Any]:
    """A worker with clients of its own, which tell before and after each call to AWS."""
    s3, sqs = SESSION.client("s3"), SESSION.client("sqs")
    tell_of_calls(on_call, s3, sqs)
    return Worker(
        table=SONGS,
        transform=songs,
        lake=Lake(s3, BUCKET),
        dead_letters=DeadLetterQueue(sqs, cloud.dead_letters),
        service_version="1.0.0",
        gauges=(),
    )


def announcement(cloud: Cloud, document: Any) -> dict[str, Any]:
    """The message that a new version of the raw object is announced by; the n-th put gets the n-th version."""
    mock_random.seed(len(cloud.s3.list_object_versions(Bucket=BUCKET, Prefix="raw/").get("Versions", [])))
    cloud.put_raw(document)
    return record(json.dumps({"Records": [{"s3": {"object": {"key": KEY.raw}}}]}))


def state(cloud: Cloud) -> State:
    """Every output with its body and what it tells of itself."""
    found = {}
    for prefix in OUTPUTS:
        for key in cloud.keys(prefix):
            got = cloud.s3.get_object(Bucket=BUCKET, Key=key)
            found[key] = (got["Body"].read(), got["Metadata"])
    return found


def clean_state(documents: Sequence[Any]) -> State:
    """What a clean run of the last of some versions leaves."""
    return _clean_state(tuple(VERSIONS.index(document) for document in documents))


@cache
def _clean_state(arrivals: tuple[int, ...]) -> State:
    with fresh_cloud() as cloud:
        for arrival in arrivals:
            message = announcement(cloud, VERSIONS[arrival])
        worker(cloud).process(message)
        return state(cloud)


def redeliver(cloud: Cloud, message: dict[str, Any]) -> None:
    worker(cloud).process(message)


def moments_of(before: Sequence[Any], document: Any) -> list[str]:
    """Every moment before and after a call of a clean run, after earlier versions were completed."""
    with fresh_cloud() as cloud:
        for earlier in before:
            redeliver(cloud, announcement(cloud, earlier))
        recorder = FaultAt()
        worker(cloud, recorder).process(announcement(cloud, document))
        return recorder.passed


HISTORIES: dict[str, list[Any]] = {
    "a new snapshot with a rejected row": [VERSIONS[0]],
    "one that rejects nothing any more": [VERSIONS[0], VERSIONS[1]],
    "one that rejects something now": [VERSIONS[1], VERSIONS[2]],
}


@pytest.mark.parametrize("history", HISTORIES)
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_at_any_moment_and_a_redelivery_end_as_a_clean_run(history: str, fault: str) -> None:
    # given every moment before and after each call of a clean run
    *before, document = HISTORIES[history]
    moments = moments_of(before, document)
    expected = clean_state([*before, document])
    assert len(moments) >= 14

    for moment in range(len(moments)):
        with fresh_cloud() as cloud:
            for earlier in before:
                redeliver(cloud, announcement(cloud, earlier))
            message = announcement(cloud, document)

            # when the worker meets a fault at that moment
            with pytest.raises((Crash, ClientError, ReadTimeoutError)):
                worker(cloud, FaultAt(moment, FAULTS[fault])).process(message)

            # then there is no receipt before everything that it tells of, and a redelivery completes the table
            visible = state(cloud)
            assert before or KEY.receipt("songs") not in visible or visible == expected
            redeliver(cloud, message)
            assert state(cloud) == expected, f"after a {fault} {moments[moment]}"


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_at_any_moment_of_setting_aside_loses_no_message(fault: str) -> None:
    with fresh_cloud() as cloud:
        recorder = FaultAt()
        worker(cloud, recorder).process(announcement(cloud, b"{"))
    for moment in range(len(recorder.passed)):
        with fresh_cloud() as cloud:
            message = announcement(cloud, b"{")
            with pytest.raises((Crash, ClientError, ReadTimeoutError)):
                worker(cloud, FaultAt(moment, FAULTS[fault])).process(message)
            redeliver(cloud, message)
            assert {dead["Body"] for dead in cloud.dead()} == {message["body"]}


class Interleaving:
    """Runs actors in threads of which one at a time goes on, from one of its moments to the next."""

    def __init__(self, actors: dict[str, Callable[[OnCall], None]]) -> None:
        self._arrived = threading.Semaphore(0)
        self._turns = {name: threading.Semaphore(0) for name in actors}
        self._threads = {
            name: threading.Thread(target=self._run, args=(name, actor), daemon=True) for name, actor in actors.items()
        }
        self.running = set(actors)
        self.faults: dict[str, BaseException] = {}
        for thread in self._threads.values():
            thread.start()

    def let(self, name: str) -> None:
        """Lets an actor go on to its next moment or its end."""
        self._turns[name].release()
        assert self._arrived.acquire(timeout=30)

    def _run(self, name: str, actor: Callable[[OnCall], None]) -> None:
        self._turns[name].acquire()
        try:
            actor(lambda _: self._pause(name))
        except Exception as fault:  # noqa: BLE001 - told to the test
            self.faults[name] = fault
        self.running.discard(name)
        self._arrived.release()

    def _pause(self, name: str) -> None:
        self._arrived.release()
        self._turns[name].acquire()


def interleaved(choose: Callable[[list[str]], str]) -> tuple[State, State]:
    """The end state of two workers with different versions and the arrival of the second, and the clean one."""
    expected = clean_state([VERSIONS[0], VERSIONS[1]])
    with fresh_cloud() as cloud:
        first = announcement(cloud, VERSIONS[0])
        messages = {"first worker": first}

        def arrive(_: OnCall) -> None:
            messages["second worker"] = announcement(cloud, VERSIONS[1])

        running = Interleaving(
            {
                "first worker": lambda on_call: worker(cloud, on_call).process(first),
                "arrival": arrive,
                "second worker": lambda on_call: worker(cloud, on_call).process(messages["second worker"]),
            }
        )
        while running.running:
            waiting = {"second worker"} if "arrival" in running.running else set()
            running.let(choose(sorted(running.running - waiting)))
        for name in running.faults:
            redeliver(cloud, messages[name])
        return state(cloud), expected


@given(st.data())
@settings(max_examples=60, phases=WITHOUT_SHRINKING, suppress_health_check=list(HealthCheck))
def test_two_workers_interleaved_at_every_call_end_with_the_newer_snapshot(data: st.DataObject) -> None:
    at_hand: list[str] = []

    def choose(able: list[str]) -> str:
        if not (at_hand and at_hand[-1] in able and data.draw(st.integers(0, 4), label="goes on")):
            at_hand.append(data.draw(st.sampled_from(able), label="turns to"))
        return at_hand[-1]

    ended, expected = interleaved(choose)

    assert ended == expected


@pytest.mark.parametrize("stale", [True, False], ids=["the older one is held up", "the newer one is held up"])
def test_a_worker_held_up_at_any_moment_while_the_other_completes_changes_nothing(stale: bool) -> None:  # noqa: FBT001
    moments = len(moments_of([], VERSIONS[0]))
    for moment in range(moments + 1):
        held, other = ("first worker", "second worker") if stale else ("second worker", "first worker")
        order = (["arrival"] if not stale else []) + [held] * moment + ["arrival", other]

        def choose(able: list[str], order: list[str] = order, other: str = other) -> str:
            while order and order[0] not in able:
                order.pop(0)
            if order and order[0] != other:
                return order.pop(0)
            return other if other in able else able[0]

        ended, expected = interleaved(choose)
        assert ended == expected


@given(st.data())
@settings(max_examples=30, phases=WITHOUT_SHRINKING, suppress_health_check=list(HealthCheck))
def test_duplicates_reordering_and_delays_end_as_a_clean_run_of_the_last_snapshot(data: st.DataObject) -> None:
    # given versions that arrive while announcements are delivered in any order, some more than once
    arrivals = data.draw(st.lists(st.sampled_from(VERSIONS), min_size=1, max_size=4), label="arrivals")
    with fresh_cloud() as cloud:
        pending: list[dict[str, Any]] = []
        for document in arrivals:
            pending.append(announcement(cloud, document))
            for _ in range(data.draw(st.integers(0, 2), label="deliveries")):
                place = data.draw(st.integers(0, len(pending) - 1), label="which")
                keep = data.draw(st.booleans(), label="again later")
                redeliver(cloud, pending[place] if keep or len(pending) == 1 else pending.pop(place))
        for message in data.draw(st.permutations(pending), label="the rest"):
            redeliver(cloud, message)
        ended = state(cloud)

    # then the lake is that of a clean run
    assert ended == clean_state(arrivals)
