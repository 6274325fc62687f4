"""Raw playlist documents from elsewhere, put where the extractor puts its own."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from contracts.elements import UnreadableSnapshotError
from contracts.snapshot import Provenance, read_snapshot
from infra.cli.screen import ConsoleError
from shared.errors import PermanentError
from shared.lake import Lake, SnapshotKey

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_DAY_IN_NAME = re.compile(r"(?<!\d)\d{4}-\d{2}-\d{2}(?!\d)")


@dataclass(frozen=True, slots=True)
class Document:
    """A raw document with the key that it belongs under."""

    source: str
    key: SnapshotKey
    body: bytes
    entries: int


def documents(files: Sequence[Path], *, day: date | None, playlist: str | None, pages_of_one: bool) -> list[Document]:
    """Reads files as raw documents and finds out where each belongs.

    Args:
        files: One document each, or the pages of one playlist.
        day: The day of the snapshots; None takes it from the envelope or the file's name.
        playlist: The playlist's id; None takes it from the document.
        pages_of_one: Whether the files are the pages of one playlist, to be merged in the order of their offsets.

    Raises:
        ConsoleError: A file cannot be read, or does not tell its day or playlist and nobody else does.
    """
    if pages_of_one:
        named = f"{files[0]} and {len(files) - 1} more pages"
        return [_document(named, files[0].name, _merged(files), day, playlist)]
    read = [_document(str(file), file.name, _bytes(file), day, playlist) for file in files]
    twice = {document.key for document in read if sum(other.key == document.key for other in read) > 1}
    if twice:
        raise ConsoleError(
            f"Several files are the snapshot of {', '.join(key.raw for key in twice)}: only one could stay. "
            "Give each its own day with --date, or merge pages with --pages."
        )
    return read


def store(s3: "S3Client", bucket: str, document: Document) -> bool:
    """Puts a document under its raw key, and tells whether it was new: an equal one stays as it is."""
    if _stored(s3, bucket, document.key) == document.body:
        return False
    Lake(s3, bucket).put_raw(document.key, document.body, run_id=f"load-{uuid4()}")
    return True


def replaces(s3: "S3Client", bucket: str, document: Document) -> bool:
    """Whether another document is stored under the key of this one."""
    return _stored(s3, bucket, document.key) not in {None, document.body}


def _stored(s3: "S3Client", bucket: str, key: SnapshotKey) -> bytes | None:
    try:
        return Lake(s3, bucket).read_raw(key.raw).body
    except PermanentError:
        return None


def _document(source: str, name: str, body: bytes, day: date | None, playlist: str | None) -> Document:
    told = _Told.of(body, source)
    day = day or told.day or _day_in(name)
    if day is None:
        raise ConsoleError(f"{source} does not tell its day: give it with --date YYYY-MM-DD, or put it into the name.")
    playlist = playlist or told.playlist
    if playlist is None:
        raise ConsoleError(f"{source} does not tell its playlist's id: give one with --playlist.")
    try:
        key = SnapshotKey.from_raw(SnapshotKey(day, playlist).raw)
        snapshot = read_snapshot(body, Provenance(playlist, day))
    except (PermanentError, UnreadableSnapshotError) as fault:
        raise ConsoleError(f"{source} cannot be loaded: {fault}") from fault
    return Document(source, key, body, len(snapshot.entries))


@dataclass(frozen=True, slots=True)
class _Told:
    """What a document tells of itself."""

    day: date | None
    playlist: str | None

    @classmethod
    def of(cls, body: bytes, source: str) -> "_Told":
        document = _parsed(body, source)
        if isinstance(document, list) and len(document) == 1:
            document = document[0]
        if not isinstance(document, dict):
            return cls(None, None)
        envelope = document.get("snapshot") or {}
        playlist = document.get("playlist") or document
        day = envelope.get("snapshot_date")
        playlist_id = playlist.get("id")
        return cls(date.fromisoformat(day) if day else None, playlist_id if isinstance(playlist_id, str) else None)


def _day_in(name: str) -> date | None:
    found = _DAY_IN_NAME.search(name)
    try:
        return date.fromisoformat(found[0]) if found else None
    except ValueError:
        return None


def _merged(files: Sequence[Path]) -> bytes:
    """The first document with the entries of all pages in place.

    Raises:
        ConsoleError: The pages do not follow each other.
    """
    parsed = [_parsed(_bytes(file), str(file)) for file in files]
    whole = next((document for document in parsed if _container(document) is not document), parsed[0])
    pages = sorted((_container(document) for document in parsed), key=lambda page: page.get("offset") or 0)
    entries: list[Any] = []
    for page in pages:
        if page.get("offset", len(entries)) != len(entries):
            raise ConsoleError(
                f"The pages do not follow each other: one begins at entry {page['offset']}, where "
                f"{len(entries)} entries came before it. Name every page, each once."
            )
        entries += page["items"]
    _container(whole).update(items=entries, offset=0, limit=len(entries), next=None, previous=None)
    return json.dumps(whole, ensure_ascii=False).encode()


def _container(document: Any) -> dict[str, Any]:
    if isinstance(document, list) and len(document) == 1:
        document = document[0]
    if isinstance(document, dict):
        for page in (document, document.get("items"), document.get("tracks")):
            if isinstance(page, dict) and isinstance(page.get("items"), list):
                return page
    raise ConsoleError("A file with --pages is neither a playlist with entries nor a page of one.")


def _parsed(body: bytes, source: str) -> Any:
    try:
        return json.loads(body)
    except ValueError as fault:
        raise ConsoleError(f"{source} is not JSON: {fault}") from fault


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as fault:
        raise ConsoleError(f"{file} cannot be read: {fault.strerror}") from fault
