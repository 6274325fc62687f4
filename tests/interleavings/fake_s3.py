"""S3 as far as the lake uses it: a pure function of an object and a call, and clients over that.

Sources: https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html,
https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-deletes.html
"""
# ruff: noqa: ARG002, N803 - the names of boto3's parameters

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from hashlib import md5
from io import BytesIO
from typing import Any, TypeAlias

from botocore.exceptions import ClientError

_LAST_MODIFIED = datetime(2026, 11, 22, 6, tzinfo=UTC)

Metadata: TypeAlias = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class StoredObject:
    """The current version of a key; `version_id` is None in a bucket without versions."""

    body: bytes
    metadata: Metadata = ()
    version_id: str | None = None

    @cached_property
    def etag(self) -> str:
        return f'"{md5(self.body).hexdigest()}"'

    @property
    def made_from(self) -> str | None:
        return dict(self.metadata).get("raw-version")


@dataclass(frozen=True, slots=True)
class Call:
    """A call with all that is told to AWS."""

    operation: str
    key: str
    body: bytes = b""
    metadata: Metadata = ()
    if_match: str | None = None
    if_none_match: str | None = None

    @property
    def writes(self) -> bool:
        return self.operation in {"PutObject", "DeleteObject"}

    def __str__(self) -> str:
        made_from = dict(self.metadata).get("raw-version")
        parts = [self.operation, self.key.split("/")[0]]
        if self.if_match:
            parts.append(f"if it is {self.if_match[1:7]}")
        if self.if_none_match:
            parts.append("if there is none")
        if made_from:
            parts.append(f"of {made_from}")
        return " ".join(parts)


@dataclass(frozen=True, slots=True)
class Answer:
    """What S3 answers: an error's code, or what it tells of the object."""

    error: str | None = None
    read: StoredObject | None = None
    etag: str | None = None

    def __str__(self) -> str:
        if self.error:
            return self.error
        return f"{self.read.etag[1:7]} of {self.read.made_from or self.read.version_id}" if self.read else "done"


CONFLICT = Answer(error="ConditionalRequestConflict")
"""A write to the same key was under way: nothing was written."""


def answer(existing: StoredObject | None, call: Call, version_id: str | None) -> tuple[StoredObject | None, Answer]:
    """The key's object after a call, and the answer; a put makes a version of the given id."""
    missing = Answer(error="404" if call.operation == "HeadObject" else "NoSuchKey")
    if call.operation in {"GetObject", "HeadObject"}:
        return existing, Answer(read=existing) if existing else missing
    if call.if_match and not existing:
        return existing, missing
    if (call.if_match and existing and call.if_match != existing.etag) or (call.if_none_match and existing):
        return existing, Answer(error="PreconditionFailed")
    if call.operation == "DeleteObject":
        return None, Answer()
    written = StoredObject(call.body, call.metadata, version_id)
    return written, Answer(etag=written.etag)


class FakeClient:
    """Those methods of boto3's clients for S3 and SQS that a worker uses; a subclass answers the calls."""

    def answer(self, call: Call) -> Answer:
        raise NotImplementedError

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:
        return self._call(Call("GetObject", Key))

    def head_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:
        return self._call(Call("HeadObject", Key))

    def delete_object(self, *, Bucket: str, Key: str, IfMatch: str | None = None) -> dict[str, Any]:
        return self._call(Call("DeleteObject", Key, if_match=IfMatch))

    def put_object(
        self,
        *,
        Bucket: str,
        Key: str,
        Body: bytes,
        Metadata: Mapping[str, str],
        IfMatch: str | None = None,
        IfNoneMatch: str | None = None,
    ) -> dict[str, Any]:
        return self._call(Call("PutObject", Key, Body, tuple(sorted(Metadata.items())), IfMatch, IfNoneMatch))

    def send_message(
        self,
        *,
        QueueUrl: str,
        MessageBody: str,
        MessageAttributes: Mapping[str, Any],
        MessageSystemAttributes: Mapping[str, Any],
    ) -> dict[str, Any]:
        return self._call(Call("SendMessage", QueueUrl, MessageBody.encode()))

    def change_message_visibility(self, *, QueueUrl: str, ReceiptHandle: str, VisibilityTimeout: int) -> None:
        """Changes nothing: a message may be shown again at any time."""

    def _call(self, call: Call) -> dict[str, Any]:
        got = self.answer(call)
        if got.error:
            raise ClientError({"Error": {"Code": got.error, "Message": "as the fake answers"}}, call.operation)
        if got.read is None:
            return {"ETag": got.etag} if got.etag else {}
        told: dict[str, Any] = {
            "ETag": got.read.etag,
            "Metadata": dict(got.read.metadata),
            "ContentLength": len(got.read.body),
            "LastModified": _LAST_MODIFIED,
        }
        if got.read.version_id:
            told["VersionId"] = got.read.version_id
        if call.operation == "GetObject":
            told["Body"] = BytesIO(got.read.body)
        return told


class FakeS3(FakeClient):
    """A bucket in memory, with versions."""

    def __init__(self) -> None:
        self._objects: dict[str, StoredObject | None] = {}
        self._puts = 0

    def answer(self, call: Call) -> Answer:
        self._puts += 1
        self._objects[call.key], answered = answer(self._objects.get(call.key), call, f"version-{self._puts}")
        return answered
