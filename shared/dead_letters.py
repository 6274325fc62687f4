"""Messages that can never succeed, each with its diagnosis where an operator sees it."""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageSystemAttributeValueTypeDef

_NOT_ALLOWED = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_LONGEST_ATTRIBUTE = 1024


class DeadLetterQueue:
    """A service's dead-letter queue."""

    def __init__(self, sqs: "SQSClient", url: str) -> None:
        self._sqs = sqs
        self._url = url

    def send(self, record: Mapping[str, Any], diagnosis: Mapping[str, str | None]) -> None:
        """Sends a message there as it was received, with its diagnosis as message attributes.

        Args:
            record: The SQS record that a Lambda function was given.
            diagnosis: Names and texts; None is left out, as is what SQS does not allow in text.
        """
        trace = record.get("attributes", {}).get("AWSTraceHeader")
        system: dict[str, MessageSystemAttributeValueTypeDef] = (
            {"AWSTraceHeader": {"DataType": "String", "StringValue": trace}} if trace else {}
        )
        self._sqs.send_message(
            QueueUrl=self._url,
            MessageBody=record["body"],
            MessageAttributes={
                name: {"DataType": "String", "StringValue": _NOT_ALLOWED.sub("\ufffd", text)[:_LONGEST_ATTRIBUTE]}
                for name, text in diagnosis.items()
                if text
            },
            MessageSystemAttributes=system,  # type: ignore[arg-type]  # the stubs name the one key as a literal
        )
