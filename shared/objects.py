"""Objects of S3: listed, looked at, read, and written where nobody else has changed them since."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final, TypeVar

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import (
        GetObjectOutputTypeDef,
        HeadObjectOutputTypeDef,
        ObjectTypeDef,
        PutObjectRequestTypeDef,
    )

AnswerT = TypeVar("AnswerT")

_ABSENT: Final = frozenset({"404", "NoSuchKey"})
"""The error codes of a key without an object: the answer to HEAD has no body, and so no code but its status."""
OVERTAKEN: Final = _ABSENT | {"409", "ConditionalRequestConflict", "412", "PreconditionFailed"}
"""The error codes of a conditional request about an object that changed since it was seen.

Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-requests.html
"""


def listed(s3: "S3Client", bucket: str, prefix: str) -> "Iterator[ObjectTypeDef]":
    """Yields the objects below a prefix, in the order of their keys."""
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        yield from page.get("Contents", ())


def folders(s3: "S3Client", bucket: str, prefix: str) -> Iterator[str]:
    """Yields the prefixes of the folders directly below a prefix."""
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix, Delimiter="/"):
        yield from (folder["Prefix"] for folder in page.get("CommonPrefixes", ()))


def head(s3: "S3Client", bucket: str, key: str) -> "HeadObjectOutputTypeDef | None":
    """Returns what S3 tells of an object without its body; None if there is none."""
    return _unless_absent(lambda: s3.head_object(Bucket=bucket, Key=key))


def get(s3: "S3Client", bucket: str, key: str) -> "GetObjectOutputTypeDef | None":
    """Returns an object, its body unread; None if there is none."""
    return _unless_absent(lambda: s3.get_object(Bucket=bucket, Key=key))


def _unless_absent(ask: Callable[[], AnswerT]) -> AnswerT | None:
    try:
        return ask()
    except ClientError as fault:
        if fault.response["Error"]["Code"] in _ABSENT:
            return None
        raise


def put_over(s3: "S3Client", request: "PutObjectRequestTypeDef", seen: str | None) -> str | None:
    """Writes an object in the place of the one that was seen.

    Args:
        s3: The client.
        request: What to write, and where.
        seen: The ETag of the object that was seen; None if there was none.

    Returns:
        The ETag of what was written; None if nothing was, as there is another object by now.
    """
    condition: PutObjectRequestTypeDef = {**request, "IfMatch": seen} if seen else {**request, "IfNoneMatch": "*"}
    try:
        return s3.put_object(**condition)["ETag"]
    except ClientError as fault:
        if fault.response["Error"]["Code"] in OVERTAKEN:
            return None
        raise
