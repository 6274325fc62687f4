"""Recognizes raw documents: whose entries one holds, where they are, and how its pages become one list.

It may be the envelope that the extractor writes, a playlist in either generation of the Web API, a page of one, a list
of pages or of bare entries, or any but the last in a list of one; in UTF-8, in UTF-16 or with a byte order mark, and
compressed with gzip. Reading is strict where a wrong guess would invent data: anything but a playlist, pages that
overlap or belong to several playlists, and invalid offsets are refused.
"""

import gzip
import re
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from io import BytesIO
from itertools import pairwise
from json import detect_encoding
from typing import Annotated, Any, Final, Generic, Literal, TypeAlias

from msgspec import UNSET, Meta, Raw, Struct

from contracts.broken import Broken
from contracts.elements import (
    AS_SENT,
    Elements,
    InvalidJsonError,
    UnreadableSnapshotError,
    decoder,
    in_pieces,
    parse_leniently,
)
from contracts.fields import Unverified, integer, naive_utc
from contracts.foreign import ADVICE, foreign, foreign_address, foreign_text, foreign_type, is_entry, is_null
from contracts.ids import RUN_ID
from contracts.spotify import Album, Artist, AudioFeatures, ElementT, Entry, Page, Part, Playlist

SCHEMA_VERSION: Final = 1
CONTAINERS: Final = ("items", "tracks")
"""The fields of a playlist that may hold its entries: the one that holds most is used, of equals the first."""

MOST_BYTES: Final = 200_000_000
"""Of a document that is read, unpacked: 10,000 entries, the most that a playlist holds, of 20 kB each.

A track with all its markets takes that much where the JSON is indented, and 4 kB where it is not.
"""

DocumentKind: TypeAlias = Literal["snapshot", "playlist", "page", "pages", "entries"]

_MOST_ENTRIES: Final = 10**9
_PAGING_IN_ADDRESS = re.compile(r"[?&](offset|limit)=([0-9]{1,18})(?=[&#]|$)")
_PLAYLIST_IN_ADDRESS = re.compile(r"(?:/playlists/|\bplaylist:)([0-9A-Za-z_-]{1,128})(?:[/?#]|$)")


class Envelope(Struct, gc=False):
    """The extractor's metadata of a snapshot, beside what Spotify sent."""

    schema_version: Unverified
    run_id: Annotated[str, Meta(pattern=f"^{RUN_ID.pattern}$")]
    extracted_at: datetime
    snapshot_date: str
    source: str | None = None
    market: str | None = None
    capabilities: dict[str, str] | None = None
    calls: int | None = None
    outcome: str | None = None

    def __post_init__(self) -> None:
        self.extracted_at = naive_utc(self.extracted_at)


class FeatureBlock(Struct, Generic[ElementT], gc=False):
    """Audio features of one provider."""

    source: str
    joined_by: Literal["id", "isrc"] = "id"
    items: list[ElementT] | None = None


class ArtistBlock(Struct, Generic[ElementT], gc=False):
    """Artists as Spotify described them on a day."""

    as_of: date
    items: list[ElementT] | None = None


class RawDocument(Playlist[ElementT], Generic[ElementT]):
    """The union of all readable objects: an envelope, a playlist or a page.

    An element of its long lists is unparsed JSON, or a value from a more lenient parser.
    """

    snapshot: Part[Envelope] = None
    playlist: Part[Playlist[ElementT]] = None
    artists: Part[list[ElementT]] = None
    earlier_artists: Part[list[ArtistBlock[ElementT]]] = None
    albums: Part[list[ElementT]] = None
    audio_features: Part[FeatureBlock[ElementT] | list[FeatureBlock[ElementT]]] = None
    next: Annotated[Unverified, str] = None
    offset: Annotated[Unverified, int] = None
    previous: Annotated[Unverified, str] = None
    total: Annotated[Unverified, int] = None


@dataclass(frozen=True, slots=True)
class EntryPage:
    """Consecutive entries.

    Attributes:
        offset: How many entries of the playlist come before them.
    """

    offset: int
    elements: Elements[Entry]

    @property
    def end(self) -> int:
        """The offset after its last entry."""
        return self.offset + len(self.elements)


@dataclass(frozen=True, slots=True)
class Document:
    """A readable document.

    Attributes:
        found: Its outermost level.
        path: JSON path of the envelope.
        raw: The fields beside the playlist in an envelope, if it is one.
        envelope: The envelope, if there is one.
        playlist: The playlist's metadata.
        pages: Its entries in the order of their offsets.
        total: How many entries the source counts, unvalidated.
        has_entries: Whether it has a list of entries, even an empty one.
        says: Each JSON path that names the playlist, with the id that it names; all ids are equal.
    """

    kind: DocumentKind
    found: "Parsed"
    path: str
    raw: RawDocument[Any]
    envelope: Envelope | None
    playlist: Playlist[Any]
    pages: tuple[EntryPage, ...]
    total: Unverified
    has_entries: bool
    says: tuple[tuple[str, str], ...]

    @property
    def entries(self) -> int:
        """How many entries it holds."""
        return sum(len(page.elements) for page in self.pages)

    @property
    def missing(self) -> int | None:
        """How many entries the source counts and the document lacks; None if unknown."""
        total = integer(self.total)
        end = self.pages[-1].end if self.pages else 0
        known = max(end, total or 0)
        return known - self.entries if total is not None or end > self.entries else None


@dataclass(frozen=True, slots=True)
class Identity:
    """How a document identifies itself, whatever its file name or key.

    Attributes:
        playlist_id: The playlist that it names; None if it names none.
        day: The day of its envelope; None without one.
        offset: How many entries of the playlist come before its first.
        entries: How many it holds.
        missing: How many the source counts that it lacks; None if unknown.
    """

    kind: DocumentKind
    playlist_id: str | None
    day: date | None
    offset: int
    entries: int
    missing: int | None


def identify(body: bytes) -> Identity:
    """Finds out how a document identifies itself.

    Raises:
        UnreadableSnapshotError: It is not a playlist document; says what it is, as far as that is known.
    """
    document = read_document(body)
    try:
        day = date.fromisoformat(document.envelope.snapshot_date) if document.envelope else None
    except ValueError as fault:
        raise UnreadableSnapshotError(
            f"{document.path}.snapshot.snapshot_date", f"not a day: {fault}; {AS_SENT}"
        ) from None
    return Identity(
        document.kind,
        document.says[0][1] if document.says else None,
        day,
        document.pages[0].offset if document.pages else 0,
        document.entries,
        document.missing,
    )


def merged(bodies: Sequence[bytes]) -> bytes:
    """Merges documents with pages of one playlist, in any order, into one list of pages.

    Raises:
        UnreadableSnapshotError: One is not a page, or they overlap or belong to several playlists.
    """
    texts = [decoded(body).strip() for body in bodies]
    pages = b",\n".join(text[1:-1] if text.startswith(b"[") else text for text in texts)
    body = b"[" + pages + b"]"
    read_document(body)
    return body


def unpacked(body: bytes) -> bytes:
    """A document as it was before gzip packed it, if that did.

    Raises:
        UnreadableSnapshotError: It begins as gzip does, and does not go on as such, or it is larger than any document.
    """
    try:
        if body.startswith(b"\x1f\x8b"):
            with gzip.GzipFile(fileobj=BytesIO(body)) as packed:
                body = packed.read(MOST_BYTES + 1)
    except (EOFError, OSError, zlib.error) as fault:
        raise _undecodable(fault) from None
    if len(body) > MOST_BYTES:
        raise UnreadableSnapshotError(
            "$", f"over {MOST_BYTES // 10**6} MB, which no playlist takes; get it again from where it is kept"
        )
    return body


def decoded(body: bytes) -> bytes:
    """Decodes a document to UTF-8 without a byte order mark.

    Raises:
        UnreadableSnapshotError: It begins as gzip, UTF-16 or UTF-32 and is not valid as such, or it is larger than
            any document.
    """
    body = unpacked(body)
    # Text that begins in ASCII, as JSON and the header of a chart do, tells its encoding without a mark, too.
    encoding = detect_encoding(body)
    if encoding == "utf-8":
        return body
    if encoding == "utf-8-sig":
        return body.removeprefix(b"\xef\xbb\xbf")
    try:
        return body.decode(encoding).encode()
    except UnicodeError as fault:
        raise _undecodable(fault) from None


def _undecodable(fault: Exception) -> UnreadableSnapshotError:
    return UnreadableSnapshotError("$", f"it cannot be decoded: {fault}; get it again from where it is kept")


def container(field: Callable[[str], Unverified]) -> str | None:
    """Returns the field of a playlist that holds its entries: the one with most, or else the first that exists.

    Args:
        field: Returns the value of a field.
    """
    there = [name for name in CONTAINERS if isinstance(field(name), dict | list | Page)]
    return max(there, key=lambda name: -1 if (found := listed(field(name))) is None else len(found), default=None)


def listed(page: Unverified) -> list[Any] | None:
    """Returns the entries of a page or of a bare list; None if there is no list."""
    entries = page.items if isinstance(page, Page) else page.get("items") if isinstance(page, dict) else page
    return entries if isinstance(entries, list) else None


@dataclass(frozen=True, slots=True)
class Parsed:
    """The outermost level of a document, its long lists unparsed.

    Attributes:
        objects: Each envelope, playlist or page: its JSON path, its JSON, and its fields as far as they can be read.
        entries: The entries, if the document is a bare list of them.
    """

    objects: tuple[tuple[str, Raw | Unverified, RawDocument[Any] | Broken], ...] = ()
    entries: Elements[Entry] | None = None


def parsed(body: bytes) -> Parsed:
    """Reads the outermost level of a document.

    Args:
        body: The document, JSON in UTF-8.

    Raises:
        UnreadableSnapshotError: It is not JSON, or a list of other things than playlists, pages or entries.
    """
    try:
        found = decoder(RawDocument[Raw] | list[RawDocument[Raw]]).decode(body)
    except (ValueError, RecursionError):
        return _parsed_in_pieces(body)
    if isinstance(found, RawDocument):
        return Parsed((("$", Raw(body), found),))
    if len(found) == 1 and (found[0].type == "playlist" or found[0].snapshot):
        only = memoryview(body)[body.index(b"[") + 1 : body.rindex(b"]")]
        return Parsed((("$[0]", Raw(only), found[0]),))
    return _parsed_in_pieces(body)


def _parsed_in_pieces(body: bytes) -> Parsed:
    """Reads any document but a plain envelope, playlist or page."""
    document, found, element = _outermost(body)
    if not isinstance(found, list):
        return Parsed((("$", document, found),))
    if any(map(is_entry, found)):
        return Parsed(entries=Elements("$", found, Entry))
    if what := foreign(found):
        raise UnreadableSnapshotError("$", f"not a playlist: this is {what}")
    if not found:
        raise UnreadableSnapshotError("$", "an empty list: load a playlist document, its pages or its entries")
    model: Any = RawDocument[element]  # type: ignore[valid-type]  # known at run time only
    return Parsed(tuple((f"$[{index}]", each, in_pieces(each, model)) for index, each in enumerate(found)))


def _outermost(body: bytes) -> tuple[Raw | Unverified, Any, Any]:
    """Returns the document, its outermost level as far as it can be read, and the type of its unparsed elements."""
    document: Raw | Unverified = Raw(body)
    element: Any = Raw
    try:
        decoder(Raw).decode(body)
    except (ValueError, RecursionError):
        if what := foreign_text(body):
            raise UnreadableSnapshotError("$", f"not a playlist: this is {what}") from None
        document, element = parse_leniently(body), Any
    return document, in_pieces(document, RawDocument[element] | list[element]), element


def read_document(body: bytes) -> Document:
    """Finds out what a document is, and where in it the entries are.

    Raises:
        UnreadableSnapshotError: It is not a playlist document; says what it is, as far as that is known.
    """
    body = decoded(body)
    try:
        return _document(parsed(body))
    except InvalidJsonError as fault:
        raise UnreadableSnapshotError(
            "$", f"not a playlist document: Invalid JSON: {fault}; get the whole of it again"
        ) from None


def _document(found: Parsed) -> Document:
    if found.entries:
        pages = (EntryPage(0, found.entries),)
        return Document("entries", found, "$", RawDocument(), None, Playlist(), pages, None, True, ())
    parts = [_part(path, part, document) for path, part, document in found.objects]
    if len(parts) > 1 and any(each.envelope for each in parts):
        raise UnreadableSnapshotError("$", f"a list of {len(parts)} that contains a snapshot: load each alone")
    first = parts[0]
    says = tuple(each for part in parts for each in part.says())
    if other := next((each for each in says if each[1] != says[0][1]), None):
        raise UnreadableSnapshotError(
            other[0],
            f"{other[1]!r} is another playlist than {says[0][1]!r}, which {says[0][0]} names: load one at a time",
        )
    totals = [part.total for part in parts if part.total is not None]
    counted = [total for each in totals if (total := integer(each)) is not None]
    return Document(
        kind=first.kind if len(parts) == 1 else "pages",
        found=found,
        path=first.path,
        raw=first.document,
        envelope=first.envelope,
        playlist=next((part.playlist for part in parts if part.kind != "page"), Playlist()),
        pages=_in_order(parts),
        total=(totals[0] if len(totals) == 1 else max(counted)) if counted else next(iter(totals), None),
        has_entries=any(part.elements is not None for part in parts),
        says=says,
    )


@dataclass(frozen=True, slots=True)
class _Part:
    """An envelope, a playlist or a page.

    Attributes:
        playlist_path: JSON path of the playlist, or of the page.
        path_of_page: JSON path of the page or the list with the entries.
        page: The object with their count and offset: the page, or the object that holds the bare list.
        elements: The entries; None if there is no list of them.
    """

    kind: DocumentKind
    path: str
    document: RawDocument[Any]
    envelope: Envelope | None
    playlist: Playlist[Any]
    playlist_path: str
    path_of_page: str
    page: Page[Any] | RawDocument[Any] | None
    elements: Elements[Entry] | None

    @property
    def total(self) -> Unverified:
        return self.page.total if self.page else None

    def says(self) -> Iterator[tuple[str, str]]:
        """Each place that names the playlist, with the id that it names."""
        if self.kind != "page" and isinstance(self.playlist.id, str) and self.playlist.id:
            yield f"{self.playlist_path}.id", self.playlist.id
        addresses = {f"{self.playlist_path}.href": self.playlist.href, f"{self.playlist_path}.uri": self.playlist.uri}
        if self.page:
            addresses[f"{self.path_of_page}.href"] = self.page.href
        for place, address in addresses.items():
            if isinstance(address, str) and (named := _PLAYLIST_IN_ADDRESS.search(address)):
                yield place, named[1]


def _part(path: str, part: Raw | Unverified, document: RawDocument[Any] | Broken) -> _Part:
    if isinstance(document, Broken):
        raise UnreadableSnapshotError(path, f"not a playlist document: {document.reason}; {AS_SENT}")
    envelope, playlist, playlist_path = document.snapshot, document.playlist, f"{path}.playlist"
    if envelope is None:
        playlist, playlist_path = document, path
        _refuse_other_kinds(path, part, document)
    else:
        _refuse_broken(
            path, document, ("snapshot", "playlist", "artists", "earlier_artists", "albums", "audio_features")
        )
        if isinstance(envelope, Envelope) and envelope.schema_version != SCHEMA_VERSION:
            raise UnreadableSnapshotError(
                f"{path}.snapshot.schema_version",
                f"schema version {envelope.schema_version!r} is unknown: this release reads {SCHEMA_VERSION}; "
                "deploy one that reads it and replay",
            )
        if playlist is None:
            raise UnreadableSnapshotError(playlist_path, "the envelope holds no playlist; extract it again")
    assert not isinstance(envelope, Broken)
    assert isinstance(playlist, Playlist)
    _refuse_broken(playlist_path, playlist, CONTAINERS)
    for each in CONTAINERS:
        if isinstance(held := getattr(playlist, each), Page):
            _refuse_broken(f"{playlist_path}.{each}", held, ("items",))
    name = container(partial(getattr, playlist))
    field = getattr(playlist, name) if name else None
    page = field if isinstance(field, Page) else document if isinstance(field, list) else None
    elements, is_bare = listed(field), isinstance(field, list)
    list_path = f"{playlist_path}.{name}" if is_bare else f"{playlist_path}.{name}.items"
    is_page = is_bare and name == "items" and playlist.type is playlist.name is playlist.id is None
    return _Part(
        kind="snapshot" if envelope else "page" if is_page else "playlist",
        path=path,
        document=document,
        envelope=envelope,
        playlist=playlist,
        playlist_path=playlist_path,
        path_of_page=playlist_path if is_bare else f"{playlist_path}.{name}",
        page=page,
        elements=None if elements is None else Elements(list_path, elements, Entry),
    )


def _refuse_broken(path: str, thing: Playlist[Any] | Page[Any], names: Sequence[str]) -> None:
    for name in names:
        if isinstance(broken := getattr(thing, name), Broken):
            raise UnreadableSnapshotError(f"{path}.{name}", f"not a playlist document: {broken.reason}; {AS_SENT}")


def _refuse_other_kinds(path: str, part: Raw | Unverified, document: RawDocument[Any]) -> None:
    """Refuses an object that is neither a playlist by its type nor looks like a page of one."""
    if document.type == "playlist":
        return
    fields = [getattr(document, name) for name in CONTAINERS]
    elements = [each for field in fields for each in listed(field) or ()]
    what = foreign_type(document.type) or next(
        filter(None, map(foreign_address, (document.href, *(each.href for each in fields if isinstance(each, Page))))),
        None,
    )
    is_there = any(field is not UNSET for field in fields)
    if what is None and is_there and (any(map(is_entry, elements)) or all(map(is_null, elements))):
        return
    if what := what or foreign(part):
        problem = f"this is {what}"
    elif elements:
        problem = f"none of its elements is an entry of a playlist; {ADVICE}"
    else:
        problem = f"it has neither `type: playlist` nor `items` or `tracks`; {ADVICE}"
    raise UnreadableSnapshotError(path, f"not a playlist: {problem}")


def _in_order(parts: Sequence[_Part]) -> tuple[EntryPage, ...]:
    pages: list[EntryPage] = []
    for part in parts:
        if part.elements is not None:
            following = pages[-1].end if pages and part.kind == "page" else 0
            pages.append(EntryPage(_offset(part, part.elements, following), part.elements))
    pages.sort(key=lambda page: (page.offset, page.end))
    for before, after in pairwise(pages):
        if after.offset < before.end:
            raise UnreadableSnapshotError(
                after.elements.path,
                f"pages overlap: its first is entry {after.offset + 1} of the playlist, where {before.elements.path} "
                f"goes on to entry {before.end}; give every page once",
            )
    return tuple(pages)


def _offset(part: _Part, elements: Elements[Entry], following: int) -> int:
    """Returns a page's offset: its field, what its addresses say, or else where the page before it ends.

    A page with as many entries as the source counts is all pages merged, whatever the last of them said of itself.
    """
    sent = part.page.offset if part.page else None
    if sent is None:
        sent = _offset_by_address(part.page, len(elements)) if part.page else None
    offset = integer(following if sent is None else sent)
    place = f"{part.path_of_page}.offset"
    if offset is None or not 0 <= offset < _MOST_ENTRIES:
        raise UnreadableSnapshotError(place, f"{sent!r} is not a count of the entries before the page; correct it")
    total = integer(part.total)
    if not offset or total is None or offset + len(elements) <= total:
        return offset
    if sent is not None and len(elements) == total:
        return 0
    raise UnreadableSnapshotError(
        place,
        f"{len(elements)} entries after {offset} others are more than the {total} that the source counts; give every "
        "page once, or set `offset` to 0 if these are all pages merged",
    )


def _offset_by_address(page: Page[Any] | RawDocument[Any], entries: int) -> int | None:
    """Returns the offset that follows from the address of a page, of the next or of the previous one, if any does.

    An address whose limit is less than the entries is that of one page of several, which were merged.
    """
    for address, pages_on in ((page.href, 0), (page.next, -1), (page.previous, 1)):
        told = dict(_PAGING_IN_ADDRESS.findall(address)) if isinstance(address, str) else {}
        limit = int(told.get("limit", 0 if pages_on else entries))
        if "offset" in told and entries <= limit:
            return int(told["offset"]) + pages_on * limit
    return None


def long_lists(document: RawDocument[Any], path: str) -> Iterator[Elements[Any]]:
    """Yields every long list of an object, used by a table or not."""
    for place, playlist in ((path, document), (f"{path}.playlist", document.playlist)):
        for name in CONTAINERS if isinstance(playlist, Playlist) else ():
            field = getattr(playlist, name)
            if (elements := listed(field)) is not None:
                yield Elements(f"{place}.{name}" if field is elements else f"{place}.{name}.items", elements, Entry)
    yield Elements(f"{path}.artists", _list(document.artists), Artist)
    for place, artists in artist_blocks(document, path):
        yield Elements(f"{place}.items", _list(artists.items), Artist)
    yield Elements(f"{path}.albums", _list(document.albums), Album)
    for place, block in feature_blocks(document, path):
        yield Elements(f"{place}.items", _list(block.items), AudioFeatures)


def artist_blocks(document: RawDocument[Any], path: str) -> Iterator[tuple[str, ArtistBlock[Any]]]:
    """Yields the artists of each earlier day with their JSON path."""
    for number, block in enumerate(_list(document.earlier_artists)):
        if isinstance(block, ArtistBlock):
            yield f"{path}.earlier_artists[{number}]", block


def feature_blocks(document: RawDocument[Any], path: str) -> Iterator[tuple[str, FeatureBlock[Any]]]:
    """Yields each block of audio features with its JSON path; a single one may come without a list."""
    blocks: Unverified = document.audio_features
    if isinstance(blocks, list):
        for number, block in enumerate(blocks):
            if isinstance(block, FeatureBlock):
                yield f"{path}.audio_features[{number}]", block
    elif isinstance(blocks, FeatureBlock):
        yield f"{path}.audio_features", blocks


def _list(value: Unverified) -> list[Any]:
    return value if isinstance(value, list) else []
