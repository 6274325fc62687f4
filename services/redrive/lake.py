"""Looks up raw objects and archives dropped messages in the lake."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from pydantic_core import to_json

from contracts.operations.redrive import RawLook
from contracts.tables import TABLES
from services.redrive.letters import DeadLetter
from shared import objects
from shared.lake import PLAYLISTS, ListKind, SnapshotKey, kind_of

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

PREVIEW_CHARACTERS: Final = 200
_LONGEST_CHARACTER = 4


class LetterLake:
    """The bucket of the lake, for dead letters."""

    def __init__(self, s3: "S3Client", bucket: str) -> None:
        self._s3 = s3
        self._bucket = bucket

    def look(self, raw_key: str) -> RawLook:
        """Looks up the raw objects that a message announces."""
        if not SnapshotKey.find(raw_key):
            return RawLook(key=raw_key, exists=None)
        found = objects.get(self._s3, self._bucket, raw_key)
        if found is None:
            return RawLook(key=raw_key, exists=False)
        with found["Body"] as body:
            begins = body.read(PREVIEW_CHARACTERS * _LONGEST_CHARACTER)
        return RawLook(
            key=raw_key,
            exists=True,
            size=found["ContentLength"],
            last_modified=found["LastModified"],
            begins=begins.decode(errors="replace")[:PREVIEW_CHARACTERS],
        )

    def archive(self, service: str, letter: DeadLetter, reason: str) -> None:
        """Archives a dead letter with all that is needed to send it again."""
        key = f"{_kind(service).prefix('dead-letters')}{service}/{letter.message_id}.json"
        kept = {
            "service": service,
            "message_id": letter.message_id,
            "sent_at": letter.sent_at,
            "receive_count": letter.receive_count,
            "body": letter.body,
            "message_attributes": letter.attributes,
            "trace_header": letter.trace_header,
            "reason": reason,
            "dropped_at": datetime.now(UTC),
        }
        self._s3.put_object(
            Bucket=self._bucket, Key=key, Body=to_json(kept, bytes_mode="base64"), ContentType="application/json"
        )


def _kind(service: str) -> ListKind:
    """Returns the kind of list of a service's table; playlists for a service without one."""
    return kind_of(TABLES[service]) if service in TABLES else PLAYLISTS
