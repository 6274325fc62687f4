"""Raw playlist documents from elsewhere, put where the extractor puts its own."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from contracts.documents import Identity, decoded, identify, merged, read_document
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
    try:
        told = identify(body)
        key = _key(source, told, day or told.day or _day_in(name), playlist)
        snapshot = read_snapshot(body, Provenance(key.list_id, key.snapshot_date))
        for _ in snapshot.entries:  # finds what a worker would otherwise be the first to find
            pass
    except UnreadableSnapshotError as fault:
        raise ConsoleError(
            f"{source} cannot be loaded: {fault}. Load documents as the Web API gave them or the extractor wrote them."
        ) from fault
    return Document(source, key, body, len(snapshot.entries))


def _key(source: str, told: Identity, day: date | None, playlist: str | None) -> SnapshotKey:
    if day is None:
        raise ConsoleError(f"{source} does not tell its day: give it with --date YYYY-MM-DD, or put it into the name.")
    playlist = playlist or told.playlist_id
    if playlist is None:
        raise ConsoleError(f"{source} does not tell its playlist's id: give it with --playlist.")
    try:
        return SnapshotKey.from_raw(SnapshotKey(day, playlist).raw)
    except PermanentError as fault:
        raise ConsoleError(
            f"{source} cannot be loaded as playlist {playlist!r} of {day}: {fault.sentence}. "
            "Give others with --date and --playlist."
        ) from fault


def _day_in(name: str) -> date | None:
    found = _DAY_IN_NAME.search(name)
    try:
        return date.fromisoformat(found[0]) if found else None
    except ValueError:
        return None


def _merged(source: str, files: Sequence[Path]) -> bytes:
    """One document of all pages.

    Raises:
        ConsoleError: A file is not a page, or the pages do not follow each other.
    """
    bodies = [_bytes(file) for file in files]
    try:
        beginning_at: dict[int, Path] = {}
        for file, body in zip(files, bodies, strict=True):
            source_of_fault = str(file)
            beginning_at[identify(body).offset] = file
        source_of_fault = source
        whole = merged(bodies)
        pages = read_document(whole).pages
    except UnreadableSnapshotError as fault:
        raise ConsoleError(
            f"{source_of_fault} cannot be merged: {fault}. Name playlists and pages as the Web API gave them."
        ) from fault
    before = 0
    for page in pages:
        if page.offset != before:
            raise ConsoleError(
                f"The pages do not follow each other: {beginning_at.get(page.offset, 'one')} begins at entry "
                f"{page.offset}, where {before} entries came before it. Name every page, each once."
            )
        before = page.end
    return whole


def _bytes(file: Path) -> bytes:
    try:
        body = file.read_bytes()
    except OSError as fault:
        raise ConsoleError(f"{file} cannot be read: {fault.strerror}. Name files that hold documents.") from None
    try:
        decoded(body).decode()
    except (UnicodeDecodeError, UnreadableSnapshotError):
        raise ConsoleError(
            f"{file} is neither UTF-8 nor UTF-16, nor either of them packed by gzip: save it as one of these, and load "
            "it again."
        ) from None
    return body
