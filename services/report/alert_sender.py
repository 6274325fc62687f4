"""Sends the alert of a week: one message at most, however often it is asked for.

An object beside the page says how far it is, and each of its writes is conditional on what was seen. It is `sending`
before the message is published and `sent` after. Whoever finds it `sending` leaves it alone for as long as a function
may run: another is at it. After that the other one must have died in between, and nobody knows whether the message went
out; it is sent, perhaps again: twice rather than never. If SNS did not take it, it is `failed`, and the next attempt
sends it. A week in which nothing happened is `nothing`, until its receipts change.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from botocore.exceptions import BotoCoreError, ClientError

from services.report.page_store import folder_of
from shared import objects

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import PutObjectRequestTypeDef
    from mypy_boto3_sns import SNSClient

    from analytics.alerts import Message

State: TypeAlias = Literal["nothing", "sending", "sent", "failed"]

_LONGEST_RUN: Final = timedelta(minutes=15)
"""Source: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""


@dataclass(frozen=True, slots=True)
class AlertRecord:
    """How far the alert of a week is.

    Attributes:
        etag: Its version.
        state: See the module.
        receipts: The fingerprint of the receipts that it was made from.
        written: When.
    """

    etag: str
    state: str | None
    receipts: str | None
    written: datetime

    def leaves_to_do(self, receipts: str, now: datetime) -> bool:
        """Whether there may be something to send, if the receipts are these by now."""
        match self.state:
            case "sent":
                return False
            case "sending":
                return now - self.written > _LONGEST_RUN
            case "nothing":
                return self.receipts != receipts
            case _:
                return True


@dataclass(frozen=True, slots=True)
class AlertSender:
    """Sends the alert of a week.

    Attributes:
        s3: A client.
        sns: A client.
        bucket: The lake.
        topic_arn: Where alerts go.
        monday: The first day of the week.
        service_version: Written to the metadata of the object.
    """

    s3: "S3Client"
    sns: "SNSClient"
    bucket: str
    topic_arn: str
    monday: date
    service_version: str

    @property
    def key(self) -> str:
        """The key of the alert."""
        return f"{folder_of(self.monday)}alert.txt"

    def record(self) -> AlertRecord | None:
        """Returns how far the alert is; None if nothing was tried yet."""
        # Without the right to list the whole bucket, S3 answers 403 for a key that does not exist.
        listed = self.s3.list_objects_v2(Bucket=self.bucket, Prefix=self.key).get("Contents", ())
        if self.key not in {each["Key"] for each in listed}:
            return None
        head = self.s3.head_object(Bucket=self.bucket, Key=self.key)
        metadata = head["Metadata"]
        return AlertRecord(head["ETag"], metadata.get("state"), metadata.get("receipts"), head["LastModified"])

    def settle(self, message: "Message | None", receipts: str, record: AlertRecord | None) -> bool:
        """Sends a message, or notes that there is none; returns whether it was sent.

        Args:
            message: The message; None if nothing happened.
            receipts: The fingerprint of the receipts that it was made from.
            record: How far the alert was before; if it is another by now, somebody else is at it.

        Raises:
            BotoCoreError, ClientError: SNS refused the message, or S3 the record of it.
        """
        text = message.text if message else "Nothing happened that an alert tells.\n"
        claim = self._put(text, "sending" if message else "nothing", receipts, record.etag if record else None)
        if message is None or claim is None:
            return False
        try:
            self.sns.publish(TopicArn=self.topic_arn, Subject=message.subject, Message=message.text)
        except (BotoCoreError, ClientError):
            self._put(text, "failed", receipts, claim)
            raise
        self._put(text, "sent", receipts, claim)
        return True

    def _put(self, text: str, state: State, receipts: str, replaces: str | None) -> str | None:
        """Writes the record in the place of the version that was seen; None if there is another by now."""
        metadata = {"state": state, "receipts": receipts, "service-version": self.service_version}
        request: PutObjectRequestTypeDef = {
            "Bucket": self.bucket,
            "Key": self.key,
            "Body": text.encode(),
            "Metadata": metadata,
        }
        return objects.put_over(self.s3, request, replaces)
