"""Raw playlist documents from elsewhere, put where the extractor puts its own."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from contracts.documents import identify, merged, read_document
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
        return [_document(named, files[0].name, _merged(named, files), day, playlist)]
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
    lake = Lake(s3, bucket)
    try:
        if lake.read_raw(document.key.raw).body == document.body:
            return False
    except PermanentError:
        pass
    lake.put_raw(document.key, document.body, run_id=f"load-{uuid4()}")
    return True


def _document(source: str, name: str, body: bytes, day: date | None, playlist: str | None) -> Document:
    try:
        told = identify(body)
        day = day or told.day or _day_in(name)
        if day is None:
            raise ConsoleError(
                f"{source} does not tell its day: give it with --date YYYY-MM-DD, or put it into the name."
            )
        playlist = playlist or told.playlist_id
        if playlist is None:
            raise ConsoleError(f"{source} does not tell its playlist's id: give one with --playlist.")
        key = SnapshotKey.from_raw(SnapshotKey(day, playlist).raw)
        snapshot = read_snapshot(body, Provenance(playlist, day))
    except (PermanentError, UnreadableSnapshotError) as fault:
        raise ConsoleError(f"{source} cannot be loaded: {fault}") from fault
    return Document(source, key, body, len(snapshot.entries))


def _day_in(name: str) -> date | None:
    found = _DAY_IN_NAME.search(name)
    try:
        return date.fromisoformat(found[0]) if found else None
    except ValueError:
        return None


def _merged(source: str, files: Sequence[Path]) -> bytes:
    """One document of all pages.

    Raises:
        ConsoleError: A file is no page, or they do not follow each other.
    """
    try:
        body = merged([_bytes(file) for file in files])
        pages = read_document(body).pages
    except UnreadableSnapshotError as fault:
        raise ConsoleError(f"{source} cannot be loaded: {fault}") from fault
    before = 0
    for page in pages:
        if page.offset != before:
            raise ConsoleError(
                f"The pages do not follow each other: one begins at entry {page.offset}, where {before} entries came "
                "before it. Name every page, each once."
            )
        before = page.end
    return body


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as fault:
        raise ConsoleError(f"{file} cannot be read: {fault.strerror}") from fault
