"""Reads messages, which announce raw objects that changed.

A message is a claim check: it says that a key changed, and the worker reads the object as it is now.
Sources: https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html,
https://docs.aws.amazon.com/sns/latest/dg/sns-sqs-as-subscriber.html
"""

from urllib.parse import unquote_plus

from pydantic import TypeAdapter, ValidationError
from typing_extensions import TypedDict

from shared.errors import PermanentError


class _Object(TypedDict):
    key: str


class _S3(TypedDict):
    object: _Object


class _Record(TypedDict):
    s3: _S3


class _S3Event(TypedDict, total=False):
    Records: list[_Record]
    Event: str


class _SnsEnvelope(TypedDict):
    Type: str
    Message: str


_S3_EVENT: TypeAdapter[_S3Event] = TypeAdapter(_S3Event)
_SNS_ENVELOPE: TypeAdapter[_SnsEnvelope] = TypeAdapter(_SnsEnvelope)
_TEST_EVENT = "s3:TestEvent"


def announced_keys(body: str) -> list[str]:
    """Returns the raw keys that an SQS message's body announces.

    Args:
        body: An S3 event, delivered raw or wrapped by SNS, or S3's test event, which announces nothing.

    Raises:
        PermanentError: The body is none of these.
    """
    event = _s3_event(body)
    if event.get("Event") == _TEST_EVENT:
        return []
    if "Records" not in event:
        raise PermanentError("message body", "not an S3 event: no `Records`; announce raw keys with S3 events only")
    return [unquote_plus(record["s3"]["object"]["key"]) for record in event["Records"]]


def _s3_event(body: str) -> _S3Event:
    try:
        return _S3_EVENT.validate_json(_unwrapped(body))
    except ValidationError as fault:
        first = fault.errors(include_url=False, include_input=False)[0]
        path = ".".join(str(step) for step in first["loc"])
        raise PermanentError(
            f"message body {path}".rstrip(),
            f"not an S3 event: {first['msg']}; announce raw keys with S3 events only",
        ) from None


def _unwrapped(body: str) -> str:
    try:
        return _SNS_ENVELOPE.validate_json(body)["Message"]
    except ValidationError:
        return body
