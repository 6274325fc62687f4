"""Raw playlist documents from elsewhere, put where the extractor puts its own."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import uuid4

from contracts.elements import UnreadableSnapshotError, tolerantly
from contracts.snapshot import Provenance, RawDocument, read_document, read_snapshot
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
    try:
        document, path = read_document(body)
        key = _key(source, document, path, day or _day_told(document, path) or _day_in(name), playlist)
        snapshot = read_snapshot(body, Provenance(key.playlist_id, key.snapshot_date))
        for _ in snapshot.entries:  # finds what a worker would otherwise be the first to find
            pass
    except UnreadableSnapshotError as fault:
        raise ConsoleError(
            f"{source} cannot be loaded: {fault}. Load documents as the Web API gave them or the extractor wrote them."
        ) from fault
    return Document(source, key, body, len(snapshot.entries))


def _key(source: str, document: RawDocument[Any], path: str, day: date | None, playlist: str | None) -> SnapshotKey:
    if day is None:
        raise ConsoleError(f"{source} does not tell its day: give it with --date YYYY-MM-DD, or put it into the name.")
    told = (document.playlist or document).id
    playlist = playlist or (told if isinstance(told, str) and told else None)
    if playlist is None:
        where = f"{path}.playlist.id" if document.playlist else f"{path}.id"
        raise ConsoleError(f"{source} does not tell its playlist's id at {where}: give it with --playlist.")
    try:
        return SnapshotKey.from_raw(SnapshotKey(day, playlist).raw)
    except PermanentError as fault:
        raise ConsoleError(
            f"{source} cannot be loaded as playlist {playlist!r} of {day}: {fault.sentence}. "
            "Give others with --date and --playlist."
        ) from fault


def _day_told(document: RawDocument[Any], path: str) -> date | None:
    if document.snapshot is None:
        return None
    try:
        return date.fromisoformat(document.snapshot.snapshot_date)
    except ValueError:
        raise UnreadableSnapshotError(
            f"{path}.snapshot.snapshot_date", f"{document.snapshot.snapshot_date!r} is not a day, YYYY-MM-DD"
        ) from None


def _day_in(name: str) -> date | None:
    found = _DAY_IN_NAME.search(name)
    try:
        return date.fromisoformat(found[0]) if found else None
    except ValueError:
        return None


def _merged(files: Sequence[Path]) -> bytes:
    """The first document with the entries of all pages in place.

    Raises:
        ConsoleError: A file is not a page, or the pages do not follow each other.
    """
    parsed = [(str(file), _parsed(_bytes(file), str(file))) for file in files]
    pages = sorted((_page(source, document) for source, document in parsed), key=lambda page: page.offset)
    entries: list[Any] = []
    for page in pages:
        if page.offset != len(entries):
            raise ConsoleError(
                f"The pages do not follow each other: {page.source} begins at entry {page.offset}, where "
                f"{len(entries)} entries came before it. Name every page, each once."
            )
        entries += page.container["items"]
    whole = next((document for source, document in parsed if _page(source, document).container is not document), None)
    whole = parsed[0][1] if whole is None else whole
    _page(parsed[0][0], whole).container.update(items=entries, offset=0, limit=len(entries), next=None, previous=None)
    return json.dumps(whole).encode()


class _Page(NamedTuple):
    """A page in a file: what holds its entries, and at which entry of the playlist it begins."""

    source: str
    container: dict[str, Any]
    offset: int


def _page(source: str, document: Any) -> _Page:
    if isinstance(document, list) and len(document) == 1:
        document = document[0]
    if isinstance(document, dict):
        for page in (document, document.get("items"), document.get("tracks")):
            if isinstance(page, dict) and isinstance(page.get("items"), list):
                offset = page.get("offset") or 0
                if isinstance(offset, int):
                    return _Page(source, page, offset)
                raise ConsoleError(
                    f"{source} cannot be merged: its `offset` is not a number. Mend it, or leave the file out."
                )
    raise ConsoleError(
        f"{source} is neither a playlist with entries nor a page of one: name only such files with --pages."
    )


def _parsed(body: bytes, source: str) -> Any:
    try:
        return tolerantly(body)
    except UnreadableSnapshotError as fault:
        raise ConsoleError(
            f"{source} cannot be merged: {fault}. Name playlists and pages as the Web API gave them."
        ) from fault


def _bytes(file: Path) -> bytes:
    try:
        body = file.read_bytes()
    except OSError as fault:
        raise ConsoleError(f"{file} cannot be read: {fault.strerror}. Name files that hold documents.") from None
    try:
        is_plain = not body.decode().startswith("\ufeff")
    except UnicodeDecodeError:
        is_plain = False
    if not is_plain:
        raise ConsoleError(f"{file} is not UTF-8 without a byte order mark: save it as that, and load it again.")
    return body
