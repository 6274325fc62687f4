"""Dead letters, the queues that they lie in, and where they came from: a queue, or the schedule of a function.

Sources: https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html,
https://docs.aws.amazon.com/scheduler/latest/UserGuide/configuring-schedule-dlq.html
"""

import json
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Self

from contracts.fields import naive_utc
from contracts.operations.dead_letters import FAILED_RUN, NO_DIAGNOSIS, Diagnosis
from shared.errors import PermanentError
from shared.events import announced_keys
from shared.lake import SnapshotKey

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageAttributeValueOutputTypeDef, MessageTypeDef

_BATCH = 10
_LONGEST_HIDDEN = 43_200


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message of a dead-letter queue, as it was received.

    Attributes:
        receipt: Stands for this one receipt of the message.
        attributes: Its message attributes, the diagnosis among them.
        trace_header: The trace that it belongs to.
        sent_at: When it was sent: to the dead-letter queue by a worker, or to the source queue if SQS moved it.
    """

    message_id: str
    receipt: str
    body: str
    attributes: Mapping[str, "MessageAttributeValueOutputTypeDef"]
    trace_header: str | None
    sent_at: datetime
    receive_count: int

    @classmethod
    def from_sqs(cls, message: "MessageTypeDef") -> Self:
        """Reads what SQS answered."""
        told = message["Attributes"]
        return cls(
            message_id=message["MessageId"],
            receipt=message["ReceiptHandle"],
            body=message["Body"],
            attributes=message.get("MessageAttributes", {}),
            trace_header=told.get("AWSTraceHeader"),
            sent_at=datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=int(told["SentTimestamp"])),
            receive_count=int(told["ApproximateReceiveCount"]),
        )

    @property
    def error_class(self) -> str:
        """The class of its diagnosis, or that it has none.

        Scheduler tells a code where it could not start a function, and Lambda the id of the request that failed.
        """
        for name in ("error_class", "ERROR_CODE"):
            if name in self.texts:
                return self.texts[name]
        if self._failure:
            return str(self._failure.get("errorType", FAILED_RUN))
        return FAILED_RUN if "RequestID" in self.attributes else NO_DIAGNOSIS

    @property
    def texts(self) -> dict[str, str]:
        """Its message attributes that are text, and what Lambda tells of the failure in the body instead."""
        told = {"sentence": str(self._failure["errorMessage"])} if "errorMessage" in self._failure else {}
        return told | {name: each["StringValue"] for name, each in self.attributes.items() if "StringValue" in each}

    @property
    def event(self) -> dict[str, Any]:
        """What a function was to be started with.

        Lambda sets it aside as it is or in a record of the failure, and Scheduler as it is or in its request.

        Raises:
            PermanentError: It is not such an event.
        """
        event = self._document
        for name in ("requestPayload", "Payload"):
            if isinstance(event, dict) and name in event:
                event = event[name]
        event = _parsed(event) if isinstance(event, str) else event
        if isinstance(event, dict):
            return event
        raise PermanentError(f"message {self.message_id}", "not the event of a function; drop it")

    @property
    def _document(self) -> Any:
        return _parsed(self.body)

    @property
    def _failure(self) -> Mapping[str, Any]:
        record = self._document
        failure = record.get("responsePayload") if isinstance(record, dict) else None
        return failure if isinstance(failure, dict) else {}

    @property
    def raw_keys(self) -> list[str]:
        """The raw keys that it announces; none if it is no S3 event."""
        try:
            return announced_keys(self.body)
        except PermanentError:
            return []

    @property
    def days(self) -> set[date]:
        """The days of the snapshots that it announces, or the day of the run that it would have started."""
        if keys := self.raw_keys:
            return {key.snapshot_date for key in map(snapshot_key, keys) if key}
        try:
            return {naive_utc(datetime.fromisoformat(self.event["scheduled_time"])).date()}
        except (PermanentError, KeyError, TypeError, ValueError):
            return set()


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def snapshot_key(raw_key: str) -> SnapshotKey | None:
    """The snapshot of a raw key, or None if it is no such key."""
    try:
        return SnapshotKey.from_raw(raw_key)
    except PermanentError:
        return None


@dataclass(frozen=True, slots=True)
class Depth:
    """About how many messages a queue holds: those that can be received, and those that somebody is at work on."""

    visible: int
    hidden: int


class DeadLetters(ABC):
    """A service's dead-letter queue, and the way back.

    Args:
        sqs: The client.
        name: The name of the service's queue, or of its function.
        wait_seconds: How long to wait for a message before the dead-letter queue counts as empty. Above 0 SQS asks all
            of its servers.
    """

    def __init__(self, sqs: "SQSClient", name: str, *, wait_seconds: int) -> None:
        self._sqs = sqs
        self._dead_letters = _url(sqs, f"{name}-dead-letters")
        self._wait_seconds = wait_seconds

    def depth(self) -> Depth:
        """How much the dead-letter queue holds."""
        told = self._sqs.get_queue_attributes(
            QueueUrl=self._dead_letters,
            AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
        )["Attributes"]
        return Depth(int(told["ApproximateNumberOfMessages"]), int(told["ApproximateNumberOfMessagesNotVisible"]))

    def receive(self, *, hidden_for: float) -> list[DeadLetter]:
        """Receives some of the dead letters, which nobody else can for so many seconds; empty if there are no more."""
        answer = self._sqs.receive_message(
            QueueUrl=self._dead_letters,
            MaxNumberOfMessages=_BATCH,
            WaitTimeSeconds=self._wait_seconds,
            VisibilityTimeout=min(int(hidden_for), _LONGEST_HIDDEN),
            MessageSystemAttributeNames=["SentTimestamp", "ApproximateReceiveCount", "AWSTraceHeader"],
            MessageAttributeNames=["All"],
        )
        return [DeadLetter.from_sqs(message) for message in answer.get("Messages", ())]

    def release(self, letters: Iterable[DeadLetter]) -> None:
        """Lets others receive dead letters at once."""
        every = list(letters)
        for start in range(0, len(every), _BATCH):
            self._sqs.change_message_visibility_batch(
                QueueUrl=self._dead_letters,
                Entries=[
                    {"Id": str(place), "ReceiptHandle": letter.receipt, "VisibilityTimeout": 0}
                    for place, letter in enumerate(every[start : start + _BATCH])
                ],
            )

    @abstractmethod
    def send_back(self, letter: DeadLetter) -> None:
        """Has a dead letter tried again; it stays a dead letter, too."""

    def delete(self, letter: DeadLetter) -> None:
        """Deletes a dead letter."""
        self._sqs.delete_message(QueueUrl=self._dead_letters, ReceiptHandle=letter.receipt)


class QueueDeadLetters(DeadLetters):
    """The dead letters of a service that a queue feeds."""

    def __init__(self, sqs: "SQSClient", name: str, *, wait_seconds: int) -> None:
        super().__init__(sqs, name, wait_seconds=wait_seconds)
        self._source = _url(sqs, name)

    def send_back(self, letter: DeadLetter) -> None:
        """Sends a dead letter to the source queue as it was before its diagnosis."""
        self._sqs.send_message(
            QueueUrl=self._source,
            MessageBody=letter.body,
            MessageAttributes={
                name: value for name, value in letter.attributes.items() if name not in Diagnosis.__annotations__
            },
            MessageSystemAttributes=(
                {"AWSTraceHeader": {"DataType": "String", "StringValue": letter.trace_header}}
                if letter.trace_header
                else {}
            ),
        )


class FunctionDeadLetters(DeadLetters):
    """The dead letters of a function that a schedule starts.

    Args:
        functions: The client that starts it.
        on_its_day: Whether a run counts only on the day that it was due.
    """

    def __init__(
        self, sqs: "SQSClient", functions: "LambdaClient", name: str, *, wait_seconds: int, on_its_day: bool
    ) -> None:
        super().__init__(sqs, name, wait_seconds=wait_seconds)
        self._functions = functions
        self._name = name
        self._on_its_day = on_its_day

    def send_back(self, letter: DeadLetter) -> None:
        """Starts the function with the event of a dead letter, as its schedule would.

        Raises:
            PermanentError: It is not an event, or that of a snapshot of a day that is over.
        """
        late = sorted(day for day in letter.days if day != datetime.now(UTC).date())
        if late and self._on_its_day:
            raise PermanentError(
                f"run of {late[0]}",
                "Spotify keeps no history, so that the playlists of today would be stored under that day; drop it",
            )
        self._functions.invoke(
            FunctionName=self._name, InvocationType="Event", Payload=json.dumps(letter.event).encode()
        )


def _url(sqs: "SQSClient", name: str) -> str:
    try:
        return sqs.get_queue_url(QueueName=name)["QueueUrl"]
    except sqs.exceptions.QueueDoesNotExist:
        raise PermanentError(f"queue {name}", "there is none; deploy the service that owns it") from None
