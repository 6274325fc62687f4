"""Dead letters, their queues, and their source: a queue, or the schedule of a function.

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
from shared import queue
from shared.batches import batches
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
        receipt: SQS's handle for this reception of the message.
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
        """Reads a message from SQS's answer."""
        system = message["Attributes"]
        return cls(
            message_id=message["MessageId"],
            receipt=message["ReceiptHandle"],
            body=message["Body"],
            attributes=message.get("MessageAttributes", {}),
            trace_header=system.get("AWSTraceHeader"),
            sent_at=datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=int(system["SentTimestamp"])),
            receive_count=int(system["ApproximateReceiveCount"]),
        )

    @property
    def error_class(self) -> str:
        """The class of its diagnosis, or the one for none.

        Scheduler adds an error code if it could not start a function, and Lambda the id of the request that failed.
        """
        for name in ("error_class", "ERROR_CODE"):
            if name in self.texts:
                return self.texts[name]
        if self._failure:
            return str(self._failure.get("errorType", FAILED_RUN))
        return FAILED_RUN if "RequestID" in self.attributes else NO_DIAGNOSIS

    @property
    def texts(self) -> dict[str, str]:
        """Its text attributes, or the error that Lambda recorded in the body."""
        error = {"sentence": str(self._failure["errorMessage"])} if "errorMessage" in self._failure else {}
        return error | {name: each["StringValue"] for name, each in self.attributes.items() if "StringValue" in each}

    @property
    def event(self) -> dict[str, Any]:
        """The event that a function was to be started with.

        Lambda keeps it verbatim or in a record of the failure, and Scheduler verbatim or in its request.

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
        """The raw keys that it announces; none if it is not an S3 event."""
        try:
            return announced_keys(self.body)
        except PermanentError:
            return []

    @property
    def days(self) -> set[date]:
        """The days of the snapshots that it announces, or the day of the run that it would have started."""
        if keys := self.raw_keys:
            return {key.snapshot_date for key in map(SnapshotKey.find, keys) if key}
        try:
            return {naive_utc(datetime.fromisoformat(self.event["scheduled_time"])).date()}
        except (PermanentError, KeyError, TypeError, ValueError):
            return set()


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


class DeadLetters(ABC):
    """A service's dead-letter queue, and how its messages are tried again.

    Args:
        sqs: The client.
        name: The name of the service's queue, or of its function.
        wait_seconds: How long to wait for a message before the dead-letter queue counts as empty. Above 0, SQS queries
            all of its servers.
    """

    def __init__(self, sqs: "SQSClient", name: str, *, wait_seconds: int) -> None:
        self._sqs = sqs
        self._dead_letters = _url(sqs, f"{name}-dead-letters")
        self._wait_seconds = wait_seconds

    def depth(self) -> queue.Depth:
        """Returns about how many messages the dead-letter queue holds."""
        return queue.depth(self._sqs, self._dead_letters)

    def receive(self, *, hidden_for: float) -> list[DeadLetter]:
        """Receives some dead letters and hides them for some seconds; empty if there are no more."""
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
        """Makes dead letters visible again at once."""
        for batch in batches(list(letters), _BATCH):
            self._sqs.change_message_visibility_batch(
                QueueUrl=self._dead_letters,
                Entries=[
                    {"Id": str(place), "ReceiptHandle": letter.receipt, "VisibilityTimeout": 0}
                    for place, letter in enumerate(batch)
                ],
            )

    @abstractmethod
    def send_back(self, letter: DeadLetter) -> None:
        """Sends a dead letter to be tried again, without deleting it."""

    def delete(self, letter: DeadLetter) -> None:
        """Deletes a dead letter."""
        self._sqs.delete_message(QueueUrl=self._dead_letters, ReceiptHandle=letter.receipt)


class QueueDeadLetters(DeadLetters):
    """The dead letters of a service that a queue feeds."""

    def __init__(self, sqs: "SQSClient", name: str, *, wait_seconds: int) -> None:
        super().__init__(sqs, name, wait_seconds=wait_seconds)
        self._source = _url(sqs, name)

    def send_back(self, letter: DeadLetter) -> None:
        """Sends a dead letter to the source queue without its diagnosis."""
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
            PermanentError: It is not an event, or it is for a day that is over.
        """
        late = sorted(day for day in letter.days if day != datetime.now(UTC).date())
        if late and self._on_its_day:
            raise PermanentError(
                f"run of {late[0]}",
                "Spotify keeps no history, so today's playlists would be stored under that day; drop it",
            )
        self._functions.invoke(
            FunctionName=self._name, InvocationType="Event", Payload=json.dumps(letter.event).encode()
        )


def _url(sqs: "SQSClient", name: str) -> str:
    try:
        return sqs.get_queue_url(QueueName=name)["QueueUrl"]
    except sqs.exceptions.QueueDoesNotExist:
        raise PermanentError(f"queue {name}", "it does not exist; deploy the service that owns it") from None
