"""Sends messages that can never succeed to the dead-letter queue, with a diagnosis for the operator."""

import re
from base64 import b64decode
from collections.abc import Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any

from contracts.operations.dead_letters import Diagnosis

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageAttributeValueTypeDef, MessageSystemAttributeValueTypeDef

_NOT_ALLOWED = "[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
"""Compiled with the first letter: it takes 4 ms, which most cold starts would spend in vain."""
_LONGEST_ATTRIBUTE = 1024
_MOST_ATTRIBUTES = 10
"""Limit per message.

Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
"""


class DeadLetterQueue:
    """A service's dead-letter queue."""

    def __init__(self, sqs: "SQSClient", url: str) -> None:
        self._sqs = sqs
        self._url = url

    def send(self, record: Mapping[str, Any], diagnosis: Diagnosis) -> None:
        """Sends a message there as it was received, with its diagnosis as further message attributes.

        Args:
            record: The SQS record that a Lambda function was given.
            diagnosis: Why, without fields that are None; characters that SQS does not allow become U+FFFD. It takes
                precedence over the message's own attributes where SQS allows no more.
        """
        trace = record.get("attributes", {}).get("AWSTraceHeader")
        system: dict[str, MessageSystemAttributeValueTypeDef] = (
            {"AWSTraceHeader": {"DataType": "String", "StringValue": trace}} if trace else {}
        )
        attributes: dict[str, MessageAttributeValueTypeDef] = {
            name: {"DataType": "String", "StringValue": re.sub(_NOT_ALLOWED, "\ufffd", text)[:_LONGEST_ATTRIBUTE]}
            for name, text in diagnosis.items()
            if isinstance(text, str) and text
        }
        others = {
            name: _as_sent(each) for name, each in record.get("messageAttributes", {}).items() if name not in attributes
        }
        self._sqs.send_message(
            QueueUrl=self._url,
            MessageBody=record["body"],
            MessageAttributes=dict(islice((attributes | others).items(), _MOST_ATTRIBUTES)),
            MessageSystemAttributes=system,  # type: ignore[arg-type]  # the stubs name the one key as a literal
        )


def _as_sent(attribute: Mapping[str, Any]) -> "MessageAttributeValueTypeDef":
    """Converts a message attribute from Lambda's event to SQS's request.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
    """
    if attribute["dataType"].startswith("Binary"):
        return {"DataType": attribute["dataType"], "BinaryValue": b64decode(attribute["binaryValue"])}
    return {"DataType": attribute["dataType"], "StringValue": attribute["stringValue"]}
