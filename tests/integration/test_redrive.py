"""Dead letters under an operator's hands: nothing is lost, whatever is asked for and wherever it breaks."""

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError
from moto import mock_aws

from contracts.operations.dead_letters import FAILED_RUN, NO_DIAGNOSIS, Diagnosis
from contracts.operations.redrive import FUNCTIONS, SERVICES, RedriveRequest
from contracts.tables.songs import SONGS
from services.redrive.lake import LetterLake
from services.redrive.redrive import MOST_SHOWN, Redrive, redriver
from services.songs.transform import songs
from shared.catalog import Catalog
from shared.dead_letters import DeadLetterQueue
from shared.errors import PermanentError
from shared.invocation import read
from shared.lake import Lake
from shared.queue import Queue
from shared.worker import Worker
from tests.clock import NOW
from tests.documents import entry, playlist, track
from tests.faults import FAULTS, Crash, FaultAt, OnCall, tell_of_calls
from tests.integration.cloud import BUCKET, KEY, SESSION, UNSHARED, Context, record
from tests.integration.tables import DATABASE, declare_tables

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.literals import QueueAttributeNameType
    from mypy_boto3_sqs.type_defs import MessageTypeDef

PREFIX = "earworm-dev-"
TRACE = "Root=1-67aa0000-000000000000000000000001;Parent=0000000000000001;Sampled=1"
OTHER_DAY = "raw/spotify/2026-11-15/3cEYpjA9oz9GiPac4AsH4n/playlist.json"


def event_of(*keys: str) -> str:
    return json.dumps({"Records": [{"s3": {"object": {"key": key}}} for key in keys]})


def for_ever() -> float:
    return 60.0


@dataclass
class Desk:
    """An operator with clients of their own, the redrive, the queues of an environment and a bucket."""

    sqs: "SQSClient"
    s3: "S3Client"
    operator: "SQSClient"
    slept: list[float] = field(default_factory=list)
    started: list[tuple[str, Any]] = field(default_factory=list)

    def invoke(self, *, FunctionName: str, InvocationType: str, Payload: bytes) -> None:  # noqa: N803  # as boto3 names them
        """Stands for Lambda's client: moto would need Docker to run a function."""
        assert InvocationType == "Event"
        self.started.append((FunctionName, json.loads(Payload)))

    def __post_init__(self) -> None:
        self.redrive = Redrive(
            sqs=self.sqs,
            lake=LetterLake(self.s3, BUCKET),
            functions=cast("LambdaClient", self),
            queue_prefix=PREFIX,
            sleep=self.slept.append,
            wait_seconds=0,
        )

    def ask(self, seconds_left: Callable[[], float] = for_ever, **event: Any) -> Any:
        request = read(RedriveRequest, {"service": "songs", **event})
        return self.redrive.carry_out(request, seconds_left).model_dump(mode="json")

    def settled(self, seconds_left: Callable[[], float] = for_ever, **event: Any) -> Any:
        (summary,) = self.ask(seconds_left, **event)["services"]
        return summary

    def url(self, name: str) -> str:
        return self.operator.get_queue_url(QueueName=f"{PREFIX}{name}")["QueueUrl"]

    def dead_letter(self, body: str = event_of(KEY.raw), *, service: str = "songs", **attributes: str) -> str:
        """Puts a message where dead letters are; without attributes it has no diagnosis."""
        sent = self.operator.send_message(
            QueueUrl=self.url(f"{service}-dead-letters"),
            MessageBody=body,
            MessageAttributes={name: {"DataType": "String", "StringValue": text} for name, text in attributes.items()},
            MessageSystemAttributes={"AWSTraceHeader": {"DataType": "String", "StringValue": TRACE}},
        )
        return sent["MessageId"]

    def depth(self, name: str, attribute: "QueueAttributeNameType" = "ApproximateNumberOfMessages") -> int:
        """How many messages can be received now, or what else the queue counts."""
        told = self.operator.get_queue_attributes(QueueUrl=self.url(name), AttributeNames=[attribute])["Attributes"]
        return int(told[attribute])

    def received(self, name: str) -> "list[MessageTypeDef]":
        """Takes every message out of a queue."""
        messages: list[MessageTypeDef] = []
        while batch := self.operator.receive_message(
            QueueUrl=self.url(name),
            MaxNumberOfMessages=10,
            MessageAttributeNames=["All"],
            MessageSystemAttributeNames=["AWSTraceHeader"],
        ).get("Messages", []):
            messages += batch
        return messages


@contextmanager
def fresh_desk(on_call: OnCall = lambda _: None, *, services: Iterable[str] = SERVICES) -> Iterator[Desk]:
    """A desk whose redrive tells before and after each call to AWS."""
    with mock_aws():
        sqs, s3, operator = UNSHARED.client("sqs"), UNSHARED.client("s3"), SESSION.client("sqs")
        s3.create_bucket(Bucket=BUCKET)
        for service in services:
            for suffix in ("-dead-letters",) if service in FUNCTIONS else ("", "-dead-letters"):
                operator.create_queue(QueueName=f"{PREFIX}{service.replace('_', '-')}{suffix}")
        tell_of_calls(on_call, sqs, s3)
        yield Desk(sqs, s3, operator)


@pytest.fixture
def desk() -> Iterator[Desk]:
    with fresh_desk() as desk:
        yield desk


def test_a_list_counts_by_error_class_and_leaves_every_message_where_it_was(desk: Desk) -> None:
    # given more messages than SQS hands out at once, of two classes and of none
    for _ in range(12):
        desk.dead_letter(error_class="UnreadableSnapshotError")
    desk.dead_letter(error_class="PermanentError")
    desk.dead_letter()

    # when they are counted, twice
    first, second = desk.settled(action="list"), desk.settled(action="list")

    # then each counts once, and can still be received
    assert first == second
    assert first["classes"] == {"UnreadableSnapshotError": 12, "PermanentError": 1, NO_DIAGNOSIS: 1}
    assert (first["visible"], first["hidden"]) == (14, 0)
    assert desk.depth("songs-dead-letters") == 14


def test_without_a_service_every_queue_is_looked_at(desk: Desk) -> None:
    desk.dead_letter(service="playlist-metadata", error_class="KeyError")

    answer = desk.ask(action="list", service=None)

    assert {each["service"]: each["classes"] for each in answer["services"]} == {
        service: {"KeyError": 1} if service == "playlist_metadata" else {} for service in SERVICES
    }
    assert answer["more"] is False


def test_a_shown_message_tells_its_diagnosis_and_what_is_at_its_raw_key(desk: Desk) -> None:
    broken = '{"tracks": ' + "é" * 500
    desk.s3.put_object(Bucket=BUCKET, Key=KEY.raw, Body=broken.encode())
    message_id = desk.dead_letter(error_class="UnreadableSnapshotError", sentence="no playlist document")

    (message,) = desk.settled(action="show")["messages"]

    assert message["message_id"] == message_id
    assert message["attributes"] == {
        "error_class": "UnreadableSnapshotError",
        "sentence": "no playlist document",
    }
    assert datetime.fromisoformat(message["sent_at"]) > datetime.now(UTC) - timedelta(minutes=1)
    assert message["receive_count"] == 1
    (raw,) = message["raw_objects"]
    assert (raw["key"], raw["exists"], raw["size"]) == (KEY.raw, True, len(broken.encode()))
    assert raw["begins"] == broken[:200]
    assert desk.depth("songs-dead-letters") == 1


@pytest.mark.parametrize(
    ("body", "begins"),
    [(b"", ""), (b"\xff\xfe\x00", "��\x00"), (b"[" * 1000, "[" * 200)],
    ids=["empty", "no text", "long"],
)
def test_any_raw_object_can_be_looked_at(desk: Desk, body: bytes, begins: str) -> None:
    desk.s3.put_object(Bucket=BUCKET, Key=KEY.raw, Body=body)
    desk.dead_letter()

    (message,) = desk.settled(action="show")["messages"]

    assert message["raw_objects"][0]["begins"] == begins


@pytest.mark.parametrize(
    ("key", "exists"), [(KEY.raw, False), ("raw/spotify/../secrets.json", None), ("", None), ("\x00", None)]
)
def test_a_raw_object_that_is_not_there_is_shown_as_such(desk: Desk, key: str, *, exists: bool | None) -> None:
    desk.dead_letter(event_of(key))

    (message,) = desk.settled(action="show")["messages"]

    assert message["raw_objects"] == [
        {"key": key, "exists": exists, "size": None, "last_modified": None, "begins": None}
    ]


@pytest.mark.parametrize("body", ["hello", "{}", '{"Records": [{"s3": 1}]}', "[" * 300])
def test_a_message_that_is_no_s3_event_is_shown_counted_and_sent_back_like_any_other(desk: Desk, body: str) -> None:
    desk.dead_letter(body, error_class="PermanentError")

    (message,) = desk.settled(action="show")["messages"]
    assert (message["begins"], message["raw_objects"]) == (body[:200], [])
    assert desk.settled(action="redrive", date="2026-11-22")["skipped"] == 1
    assert desk.settled(action="redrive")["done"] == 1
    assert [each["Body"] for each in desk.received("songs")] == [body]


def test_a_look_shows_no_more_than_an_answer_holds(desk: Desk) -> None:
    for _ in range(MOST_SHOWN + 1):
        desk.dead_letter()

    answer = desk.ask(action="show")

    assert len(answer["services"][0]["messages"]) == MOST_SHOWN
    assert answer["more"] is True
    assert desk.depth("songs-dead-letters") == MOST_SHOWN + 1


def test_what_a_worker_gave_up_goes_back_as_it_was_received(desk: Desk) -> None:
    # given a message that a worker gave up
    desk.s3.put_object(Bucket=BUCKET, Key=KEY.raw, Body=b'{"tracks": ', Metadata={"run-id": "run-1"})
    declare_tables()
    worker = Worker(
        table=SONGS,
        transform=songs,
        lake=Lake(desk.s3, BUCKET),
        catalog=Catalog(SESSION.client("glue"), DATABASE, BUCKET),
        queue=Queue(desk.sqs, desk.url("songs")),
        dead_letters=DeadLetterQueue(desk.sqs, desk.url("songs-dead-letters")),
        service_version="1.0.0",
    )
    received = {
        **record(event_of(KEY.raw), AWSTraceHeader=TRACE),
        "messageAttributes": {
            "announced_by": {"dataType": "String", "stringValue": "an archive"},
            "checksum": {"dataType": "Binary.sha1", "binaryValue": "AAH/"},
        },
    }
    worker.process(received)
    (told,) = desk.settled(action="show")["messages"]
    assert told["attributes"].keys() == {*Diagnosis.__annotations__, "announced_by"}

    # when its document is mended and it is redriven
    desk.s3.put_object(Bucket=BUCKET, Key=KEY.raw, Body=json.dumps(playlist(entry(track("One")))).encode())
    assert desk.settled(action="redrive")["done"] == 1

    # then the worker is given body, trace and attributes as before, and no diagnosis, and gets through
    (message,) = desk.received("songs")
    assert message["Body"] == received["body"]
    assert message["Attributes"]["AWSTraceHeader"] == TRACE
    assert message["MessageAttributes"] == {
        "announced_by": {"DataType": "String", "StringValue": "an archive"},
        "checksum": {"DataType": "Binary.sha1", "BinaryValue": b"\x00\x01\xff"},
    }
    worker.process(record(message["Body"]))
    assert Lake(desk.s3, BUCKET).read_raw(KEY.receipt("songs")).body
    assert desk.depth("songs-dead-letters") == 0


def test_a_diagnosis_comes_before_attributes_for_which_sqs_has_no_place(desk: Desk) -> None:
    received = {f"attribute_{place}": {"dataType": "String", "stringValue": "any"} for place in range(10)}
    dead_letters = DeadLetterQueue(desk.sqs, desk.url("songs-dead-letters"))

    diagnosis: Diagnosis = {
        "error_class": "told",
        "location": "told",
        "sentence": "told",
        "raw_key": "told",
        "run_id": "told",
        "service_version": "told",
    }
    dead_letters.send({"body": "message", "messageAttributes": received}, diagnosis)

    (told,) = desk.settled(action="show")["messages"]
    assert len(told["attributes"]) == 10
    assert told["attributes"].keys() > diagnosis.keys()


def test_attributes_that_are_no_diagnosis_survive(desk: Desk) -> None:
    desk.dead_letter(error_class="KeyError", raw_key=KEY.raw, announced_by="replay")

    desk.settled(action="redrive")

    (message,) = desk.received("songs")
    assert message["MessageAttributes"] == {"announced_by": {"DataType": "String", "StringValue": "replay"}}
    assert message["Attributes"]["AWSTraceHeader"] == TRACE


@pytest.mark.parametrize(
    ("chosen", "taken"),
    [
        ({}, 15),
        ({"error_class": "KeyError"}, 12),
        ({"error_class": NO_DIAGNOSIS}, 1),
        ({"error_class": "keyerror"}, 0),
        ({"date": "2026-11-15"}, 2),
        ({"error_class": "KeyError", "date": "2026-11-22"}, 11),
    ],
    ids=str,
)
@pytest.mark.parametrize("action", ["redrive", "drop"])
def test_what_a_filter_leaves_out_stays_and_can_be_received_at_once(
    desk: Desk, action: str, chosen: dict[str, Any], taken: int
) -> None:
    # given 11 messages of a class and day, one of the same class on the other day, and three more
    for _ in range(11):
        desk.dead_letter(error_class="KeyError")
    desk.dead_letter(event_of(OTHER_DAY), error_class="KeyError")
    desk.dead_letter(event_of(KEY.raw, OTHER_DAY), error_class="PermanentError")
    desk.dead_letter(error_class="PermanentError")
    desk.dead_letter("no event")
    reason: dict[str, Any] = {"reason": "told so"} if action == "drop" else {}

    # when some of them are chosen, first to try it and then in earnest
    tried = desk.settled(action=action, dry_run=True, **chosen, **reason)
    assert desk.depth("songs-dead-letters") == 15
    assert desk.depth("songs") == 0
    assert "Contents" not in desk.s3.list_objects_v2(Bucket=BUCKET)
    done = desk.settled(action=action, **chosen, **reason)

    # then the try told the truth, and each message is in exactly one place
    assert tried == done
    assert done == {"service": "songs", "done": taken, "skipped": 15 - taken, "newer": 0, "failed": {}}
    assert desk.depth("songs-dead-letters") == 15 - taken
    assert desk.depth("songs") == (taken if action == "redrive" else 0)
    archived = desk.s3.list_objects_v2(Bucket=BUCKET, Prefix="dead-letters/")["KeyCount"]
    assert archived == (taken if action == "drop" else 0)


def test_a_crash_after_the_send_leaves_a_duplicate_and_loses_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given three messages, and a function that is gone between the second's send and its deletion
    for place in range(3):
        desk.dead_letter(f"message {place}")
    deletions: list[str] = []
    delete = desk.sqs.delete_message

    def crash_at_the_second(**call: Any) -> None:
        deletions.append(call["ReceiptHandle"])
        if len(deletions) == 2:
            raise Crash
        delete(**call)

    with monkeypatch.context() as patched:
        patched.setattr(desk.sqs, "delete_message", crash_at_the_second)
        with pytest.raises(Crash):
            desk.ask(action="redrive")

    # when it is asked again
    assert desk.settled(action="redrive")["done"] == 2

    # then every message came, the second twice
    assert sorted(each["Body"] for each in desk.received("songs")) == [
        "message 0",
        "message 1",
        "message 1",
        "message 2",
    ]
    assert desk.depth("songs-dead-letters") == 0


def test_a_crash_before_the_send_leaves_the_message(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.dead_letter()

    def crash(**_: Any) -> None:
        raise Crash

    with monkeypatch.context() as patched:
        patched.setattr(desk.sqs, "send_message", crash)
        with pytest.raises(Crash):
            desk.ask(action="redrive")

    assert (desk.depth("songs-dead-letters"), desk.depth("songs")) == (1, 0)


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_at_any_moment_of_a_redrive_loses_no_message(fault: str) -> None:
    # given every moment before and after each call of a clean redrive
    bodies = {f"message {place}" for place in range(3)}
    moments = FaultAt()
    with fresh_desk(moments, services=["songs"]) as desk:
        for body in bodies:
            desk.dead_letter(body)
        desk.ask(action="redrive")
    assert len(moments.passed) >= 16

    for moment in range(len(moments.passed)):
        struck = FaultAt(moment, FAULTS[fault])
        with fresh_desk(struck, services=["songs"]) as desk:
            for body in bodies:
                desk.dead_letter(body)

            # when it meets a fault at that moment, and is asked again
            with suppress(Crash, ClientError, ReadTimeoutError):
                desk.ask(action="redrive")
            assert len(struck.passed) > moment
            desk.ask(action="redrive")

            # then each message came, but for those that are hidden until the dead function's time is over
            hidden = desk.depth("songs-dead-letters", "ApproximateNumberOfMessagesNotVisible")
            assert desk.depth("songs-dead-letters") == 0
            seen = {each["Body"] for each in desk.received("songs")}
            assert len(seen) + hidden >= len(bodies), f"after a {fault} {moments.passed[moment]}"


def test_a_message_that_aws_refuses_stays_and_holds_up_no_other(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.dead_letter("good")
    desk.dead_letter("refused")
    send = desk.sqs.send_message

    def refuse_one(**call: Any) -> Any:
        if call["MessageBody"] == "refused":
            raise ClientError({"Error": {"Code": "InvalidMessageContents", "Message": "no"}}, "SendMessage")
        return send(**call)

    monkeypatch.setattr(desk.sqs, "send_message", refuse_one)
    summary = desk.settled(action="redrive")

    assert summary["done"] == 1
    assert list(summary["failed"].values()) == [1]
    assert "InvalidMessageContents" in next(iter(summary["failed"]))
    assert (desk.depth("songs-dead-letters"), desk.depth("songs")) == (1, 1)


@pytest.mark.parametrize("fault", ["throttling", "500", "time-out"])
def test_a_queue_that_aws_fails_is_named_and_costs_no_other_its_numbers(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    # given a message for each of three services, and a queue that fails once its own was sent back
    for service in ("songs", "albums", "artists"):
        desk.dead_letter(service=service)
    receive, broken = desk.sqs.receive_message, desk.url("albums-dead-letters")
    looks = iter([receive])

    def fail_at_the_second(**call: Any) -> Any:
        if call["QueueUrl"] == broken and not next(looks, None):
            raise FAULTS[fault]("ReceiveMessage")
        return receive(**call)

    monkeypatch.setattr(desk.sqs, "receive_message", fail_at_the_second)

    # when everything is sent back
    answer = desk.ask(action="redrive", service=None)

    # then what was done is told of each, and which queue failed of what
    done = {each["service"]: each["done"] for each in answer["services"]}
    assert done == {service: int(service in {"songs", "albums", "artists"}) for service in SERVICES}
    assert answer["faults"] == {"albums": str(FAULTS[fault]("ReceiveMessage"))}


@pytest.mark.parametrize("action", ["list", "show"])
def test_a_queue_that_aws_fails_is_left_out_of_a_look_at_all(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, action: str
) -> None:
    desk.dead_letter(service="songs")
    receive, broken = desk.sqs.receive_message, desk.url("albums-dead-letters")

    def fail(**call: Any) -> Any:
        if call["QueueUrl"] == broken:
            raise FAULTS["throttling"]("ReceiveMessage")
        return receive(**call)

    monkeypatch.setattr(desk.sqs, "receive_message", fail)
    answer = desk.ask(action=action, service=None)

    assert {each["service"] for each in answer["services"]} == {*SERVICES} - {"albums"}
    assert answer["faults"].keys() == {"albums"}


def test_a_message_that_fails_again_is_not_taken_twice(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    # given a service that gives each message up again as soon as it is sent
    desk.dead_letter()
    send = desk.sqs.send_message
    sent: list[str] = []

    def fail_again(**call: Any) -> Any:
        sent.append(call["MessageBody"])
        return send(**{**call, "QueueUrl": desk.url("songs-dead-letters")})

    # when it is redriven, and once more as the console does while there is more
    with monkeypatch.context() as patched:
        patched.setattr(desk.sqs, "send_message", fail_again)
        answer = desk.ask(action="redrive")
        again = desk.settled(action="redrive", before=answer["before"])

    # then it was sent once
    assert len(sent) == 1
    assert answer["services"][0]["done"] == 1
    assert (again["done"], again["newer"]) == (0, 1)
    assert desk.depth("songs-dead-letters") == 1


def test_a_pass_ends_with_the_functions_time_and_the_next_one_goes_on(desk: Desk) -> None:
    for _ in range(13):
        desk.dead_letter()
    looks = iter([5.0] * 8)

    answer = desk.ask(lambda: next(looks, 0.0), action="redrive")

    first = answer["services"][0]["done"]
    assert answer["more"] is True
    assert 0 < first < 13
    assert desk.depth("songs-dead-letters") == 13 - first
    assert desk.settled(action="redrive") == {
        "service": "songs",
        "done": 13 - first,
        "skipped": 0,
        "newer": 0,
        "failed": {},
    }


def test_a_rate_is_kept_by_sleeping_between_sends(desk: Desk) -> None:
    for _ in range(4):
        desk.dead_letter()

    desk.ask(action="redrive", rate=2)

    assert desk.slept == [0.5, 0.5, 0.5]


def test_a_dropped_message_can_be_told_from_its_archive(desk: Desk) -> None:
    message_id = desk.dead_letter(error_class="PermanentError", announced_by="replay")

    assert desk.settled(action="drop", reason="the label asked for it")["done"] == 1

    kept = json.loads(
        desk.s3.get_object(Bucket=BUCKET, Key=f"dead-letters/spotify/songs/{message_id}.json")["Body"].read()
    )
    assert kept["body"] == event_of(KEY.raw)
    assert kept["reason"] == "the label asked for it"
    assert kept["trace_header"] == TRACE
    assert kept["message_attributes"] == {
        "error_class": {"DataType": "String", "StringValue": "PermanentError"},
        "announced_by": {"DataType": "String", "StringValue": "replay"},
    }
    assert desk.depth("songs-dead-letters") == desk.depth("songs") == 0


def test_what_cannot_be_archived_is_not_deleted(desk: Desk) -> None:
    desk.dead_letter()
    desk.s3.delete_bucket(Bucket=BUCKET)

    summary = desk.settled(action="drop", reason="no use")

    assert (summary["done"], sum(summary["failed"].values())) == (0, 1)
    assert desk.depth("songs-dead-letters") == 1


def test_a_service_without_queues_is_named(desk: Desk) -> None:
    desk.sqs.delete_queue(QueueUrl=desk.url("songs"))

    with pytest.raises(PermanentError, match="earworm-dev-songs: it does not exist; deploy the service"):
        desk.ask(action="redrive")


def test_the_function_stops_in_time_for_its_reserve(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("S3_BUCKET", BUCKET)
    monkeypatch.setenv("QUEUE_PREFIX", PREFIX)
    monkeypatch.setenv("SERVICE_VERSION", "1.0.0")
    desk.dead_letter()
    handler = redriver()

    late: Any = handler({"action": "redrive", "service": "songs"}, Context(seconds_left=29.0))
    early: Any = handler({"action": "redrive", "service": "songs"}, Context(seconds_left=60.0))

    assert (late["more"], late["services"][0]["done"]) == (True, 0)
    assert (early["more"], early["services"][0]["done"]) == (False, 1)


TODAY = f"{NOW:%Y-%m-%dT%H:%M:%SZ}"
EVENT = {"scheduled_time": TODAY, "playlists": ["3cEYpjA9oz9GiPac4AsH4n"]}
RECORD = {
    "requestContext": {"condition": "RetriesExhausted"},
    "requestPayload": EVENT,
    "responsePayload": {"errorType": "IncompleteRunError", "errorMessage": "2 playlists have no snapshot"},
}
SET_ASIDE: dict[str, tuple[Any, dict[str, str], str, str]] = {
    "by Lambda": (
        EVENT,
        {"RequestID": "r-1", "ErrorCode": "200", "ErrorMessage": "it failed"},
        FAILED_RUN,
        "it failed",
    ),
    "by Lambda in a record": (RECORD, {}, "IncompleteRunError", "2 playlists have no snapshot"),
    "by Scheduler": (EVENT, {"ERROR_CODE": "AccessDenied", "ERROR_MESSAGE": "no role"}, "AccessDenied", "no role"),
    "by Scheduler as a request": (
        {"FunctionName": "earworm-dev-extractor", "Payload": json.dumps(EVENT)},
        {"ERROR_CODE": "AccessDenied", "ERROR_MESSAGE": "no role"},
        "AccessDenied",
        "no role",
    ),
}


@pytest.mark.parametrize("how", SET_ASIDE)
def test_a_run_that_was_set_aside_is_shown_with_its_diagnosis_and_started_again(desk: Desk, how: str) -> None:
    body, attributes, error_class, sentence = SET_ASIDE[how]
    desk.dead_letter(json.dumps(body), service="extractor", **attributes)

    (message,) = desk.settled(action="show", service="extractor")["messages"]
    assert message["error_class"] == error_class
    assert sentence in message["attributes"].values()
    assert desk.settled(action="list", service="extractor")["classes"] == {error_class: 1}
    assert desk.settled(action="redrive", service="extractor", date="2026-11-15")["skipped"] == 1

    assert desk.settled(action="redrive", service="extractor", error_class=error_class, date=TODAY[:10])["done"] == 1
    assert desk.started == [("earworm-dev-extractor", EVENT)]
    assert desk.depth("extractor-dead-letters") == 0


@pytest.mark.parametrize("service", ["audit", "report"])
def test_an_audit_and_a_report_are_started_again_whenever_they_were_due(desk: Desk, service: str) -> None:
    desk.dead_letter("{}", service=service)

    assert desk.settled(action="redrive", service=service)["done"] == 1
    assert desk.started == [(f"earworm-dev-{service}", {})]


def test_a_chart_is_collected_again_on_any_day_for_its_source_says_which_week_it_is_of(desk: Desk) -> None:
    late = {"scheduled_time": "2026-06-02T06:00:00Z"}
    desk.dead_letter(json.dumps(late), service="listenbrainz")

    assert desk.settled(action="redrive", service="listenbrainz")["done"] == 1
    assert desk.started == [("earworm-dev-listenbrainz", late)]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ('{"scheduled_time": "2026-06-01T06:00:00Z"}', "run of 2026-06-01: Spotify keeps no history"),
        ("hello", "not the event of a function"),
        ("[1]", "not the event of a function"),
        ('{"Payload": "{"}', "not the event of a function"),
    ],
)
def test_a_run_that_cannot_be_made_up_for_stays_with_the_reason_and_can_be_dropped(
    desk: Desk, body: str, reason: str
) -> None:
    desk.dead_letter(body, service="extractor")

    summary = desk.settled(action="redrive", service="extractor")

    assert (summary["done"], list(summary["failed"].values())) == (0, [1])
    assert reason in next(iter(summary["failed"]))
    assert desk.started == []
    assert desk.settled(action="drop", service="extractor", reason="too late")["done"] == 1
    assert desk.s3.list_objects_v2(Bucket=BUCKET, Prefix="dead-letters/spotify/extractor/")["KeyCount"] == 1


def test_services_that_are_not_deployed_have_no_dead_letters() -> None:
    with fresh_desk(services=["songs", "audit"]) as desk:
        desk.dead_letter("{}", service="audit")

        answer = desk.ask(action="redrive", service=None)

    assert [(each["service"], each["done"]) for each in answer["services"]] == [("songs", 0), ("audit", 1)]
