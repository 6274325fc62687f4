"""Queues: how much is in one, and a transformer's, seen from a message that failed."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

SECONDS_UNTIL_SHOWN_AGAIN: Final = (15, 60, 240, 960)
"""After the first, second … receive of a message that failed. After the last one its redrive policy takes it."""


class Depth(NamedTuple):
    """About how many messages a queue holds: visible ones, and those in flight."""

    visible: int
    hidden: int


def depth(sqs: "SQSClient", url: str) -> Depth:
    """Returns about how many messages a queue holds."""
    attributes = sqs.get_queue_attributes(
        QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    )["Attributes"]
    return Depth(
        int(attributes["ApproximateNumberOfMessages"]), int(attributes["ApproximateNumberOfMessagesNotVisible"])
    )


class Queue:
    """A queue whose messages are shown again after a while that grows, if they failed."""

    def __init__(self, sqs: "SQSClient", url: str) -> None:
        self._sqs = sqs
        self._url = url

    def show_again(self, record: Mapping[str, Any]) -> None:
        """Shows a failed message again sooner than its visibility time-out would, which is meant for a lost worker.

        A message that was received as often as it may be is shown at once: the next look at the queue moves it to
        the dead-letter queue.

        Args:
            record: The SQS record that a Lambda function was given.

        Raises:
            ClientError: SQS refuses.
            BotoCoreError: It cannot be reached.
        """
        receives = int(record["attributes"]["ApproximateReceiveCount"])
        waits = SECONDS_UNTIL_SHOWN_AGAIN
        self._sqs.change_message_visibility(
            QueueUrl=self._url,
            ReceiptHandle=record["receiptHandle"],
            VisibilityTimeout=waits[receives - 1] if receives <= len(waits) else 0,
        )
