"""Dead letters, and the two queues that they lie between."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Final, Self

from shared.errors import PermanentError
from shared.events import announced_keys
from shared.lake import SnapshotKey

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageAttributeValueOutputTypeDef, MessageTypeDef

DIAGNOSIS: Final = frozenset({"error_class", "location", "sentence", "raw_key", "run_id", "service_version"})
"""The message attributes that a worker adds to what it gives up."""
NO_DIAGNOSIS: Final = "redriven by SQS"
"""The class of what no worker gave up: it was received too often, or could not be delivered."""

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
        """The class of its diagnosis, or that it has none."""
        told = self.attributes.get("error_class")
        return told.get("StringValue", NO_DIAGNOSIS) if told else NO_DIAGNOSIS

    @property
    def raw_keys(self) -> list[str]:
        """The raw keys that it announces; none if it is no S3 event."""
        try:
            return announced_keys(self.body)
        except PermanentError:
            return []

    @property
    def days(self) -> set[date]:
        """The days of the snapshots that it announces."""
        return {key.snapshot_date for key in map(snapshot_key, self.raw_keys) if key}


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


class ServiceQueues:
    """A service's queue and its dead-letter queue.

    Args:
        sqs: The client.
        name: The name of the service's queue.
        wait_seconds: How long to wait for a message before the dead-letter queue counts as empty. Above 0 SQS asks all
            of its servers.
    """

    def __init__(self, sqs: "SQSClient", name: str, *, wait_seconds: int) -> None:
        self._sqs = sqs
        self._source = _url(sqs, name)
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

    def send_back(self, letter: DeadLetter) -> None:
        """Sends a dead letter to the source queue as it was before its diagnosis; it stays a dead letter, too."""
        self._sqs.send_message(
            QueueUrl=self._source,
            MessageBody=letter.body,
            MessageAttributes={name: value for name, value in letter.attributes.items() if name not in DIAGNOSIS},
            MessageSystemAttributes=(
                {"AWSTraceHeader": {"DataType": "String", "StringValue": letter.trace_header}}
                if letter.trace_header
                else {}
            ),
        )

    def delete(self, letter: DeadLetter) -> None:
        """Deletes a dead letter."""
        self._sqs.delete_message(QueueUrl=self._dead_letters, ReceiptHandle=letter.receipt)


def _url(sqs: "SQSClient", name: str) -> str:
    try:
        return sqs.get_queue_url(QueueName=name)["QueueUrl"]
    except sqs.exceptions.QueueDoesNotExist:
        raise PermanentError(f"queue {name}", "there is none; deploy the service that owns it") from None
