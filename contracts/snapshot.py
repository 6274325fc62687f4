"""The raw snapshot: the one input of every table.

The reader takes the envelope that the extractor writes and, from other archives, bare playlist documents, bare
pages and either of them in a one-element list, in both generations of the Web API. It is strict where a wrong
guess would invent data (not a playlist, an unknown schema version, a day that contradicts the key) and tolerant
everywhere else: an entry whose structure is broken costs that entry alone. The long lists are decoded when they are
gone through, a few elements at a time.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache, cached_property
from typing import Annotated, Any, Generic, Literal, NoReturn, NotRequired, Required, TypeVar, cast

from pydantic import Field, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails
from typing_extensions import TypedDict

from contracts.candidates import Reject, Skip
from contracts.fields import Timestamp, Unverified
from contracts.outline import LongList, Names, outline
from contracts.spotify import Album, Artist, AudioFeatures, Broken, Entry, OrBroken, Page, Playlist, Track
from contracts.tables.table import Row

SCHEMA_VERSION = 1

_HALF_A_CHARACTER = "hex escape"
"""What the JSON parser complains of where it meets half of a surrogate pair."""

SkipRule = Literal["null_entry", "episode", "unknown_type"]


class UnreadableSnapshotError(ValueError):
    """The document is no snapshot that can be read.

    Attributes:
        location: JSON path of what is wrong.
        problem: What is wrong and what to do.
    """

    def __init__(self, location: str, problem: str) -> None:
        super().__init__(f"{location}: {problem}")
        self.location = location
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Provenance:
    """What the raw object's key and metadata tell of a snapshot.

    Attributes:
        run_id: The run that wrote the object, for a document without an envelope.
    """

    playlist_id: str
    snapshot_date: date
    run_id: str | None = None


@dataclass(frozen=True, slots=True)
class TrackEntry:
    """An entry of the playlist that is a track.

    Attributes:
        position: Place in the playlist, null entries and episodes counted; 1 is the top.
        location: JSON path in the raw document.
    """

    position: int
    location: str
    entry: Entry
    track: Track

    @property
    def track_location(self) -> str:
        """JSON path of the track."""
        return f"{self.location}.{'item' if self.entry.get('item') else 'track'}"

    @property
    def is_unknown_to_spotify(self) -> bool:
        """Whether Spotify has no such track: a local file, or one that was removed and lost its id.

        Spotify fills in zeros where it knows nothing of such a track.
        """
        return not self.track.get("id") or bool(self.entry.get("is_local") or self.track.get("is_local"))


@dataclass(frozen=True, slots=True)
class Entries:
    """The entries of a playlist in order, each a track or why it is none.

    Attributes:
        path: JSON path of their list.
        items: What the list holds.
    """

    path: str
    items: "LongList[Entry | Broken] | Sequence[Entry | Broken]"

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self) -> Iterator["TrackEntry | Skip | Reject"]:
        for index, item in enumerate(self.items):
            yield _entry(index + 1, f"{self.path}[{index}]", item)


@dataclass(frozen=True, slots=True)
class SourcedFeatures:
    """Audio features with who measured them."""

    source: str
    location: str
    features: AudioFeatures


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A playlist on a day, in one shape whatever document it came from.

    Attributes:
        origin: The columns that every row of the snapshot shares.
        entries: Each entry in order: a track, or why it is none. Going through them can find that the document
            is not to be read after all, and raises UnreadableSnapshotError.
        artists: Full artists by id, as far as the extractor was given them.
        albums: Full albums by id, likewise.
        features: Audio features by track id, as far as they were asked for by it.
        features_by_isrc: Audio features by ISRC, likewise.
        body: The document itself.
    """

    origin: Row
    market: str | None
    outcome: str
    playlist: Playlist
    total: Unverified
    entries: Entries
    artists: Mapping[str, Artist]
    albums: Mapping[str, Album]
    features: Mapping[str, SourcedFeatures]
    features_by_isrc: Mapping[str, SourcedFeatures]
    body: bytes

    def features_of(self, track: Track) -> SourcedFeatures | None:
        """The audio features of a track: by its id, or else by its ISRC."""
        isrc = (track.get("external_ids") or {}).get("isrc")
        return self.features.get(track.get("id") or "") or self.features_by_isrc.get(str(isrc))


class Envelope(TypedDict):
    """What the extractor tells of a snapshot beside what Spotify sent."""

    schema_version: Unverified
    run_id: Annotated[str, Field(pattern=r"^[!-~]{1,128}$")]
    extracted_at: Timestamp
    snapshot_date: str
    source: NotRequired[str]
    market: NotRequired[str | None]
    capabilities: NotRequired[dict[str, str]]
    calls: NotRequired[int]
    outcome: NotRequired[str]


_Lenient = Field(union_mode="left_to_right")


class _FeatureBlock(TypedDict, total=False):
    source: Required[str]
    joined_by: Literal["id", "isrc"]
    items: list[Annotated[AudioFeatures | OrBroken, _Lenient]] | None


class RawDocument(Playlist, total=False):
    """Every document that can be read, at once: an envelope, a playlist or a page."""

    snapshot: Envelope | None
    playlist: Playlist | None
    artists: list[Annotated[Artist | OrBroken, _Lenient]] | None
    albums: list[Annotated[Album | OrBroken, _Lenient]] | None
    audio_features: _FeatureBlock | list[_FeatureBlock] | None
    items: Page | list[Annotated[Entry | OrBroken, _Lenient]] | None  # type: ignore[misc]  # a bare page's are a list
    total: Unverified


_WRAPPED_DOCUMENT = Annotated[list[RawDocument], Field(max_length=1)]

_ENTRIES = list[Annotated[Entry | OrBroken, _Lenient]]
LONG_LISTS: Mapping[Names, Any] = {
    ("playlist", "items", "items"): _ENTRIES,
    ("playlist", "tracks", "items"): _ENTRIES,
    ("items", "items"): _ENTRIES,
    ("tracks", "items"): _ENTRIES,
    ("items",): _ENTRIES,
    ("artists",): list[Annotated[Artist | OrBroken, _Lenient]],
    ("albums",): list[Annotated[Album | OrBroken, _Lenient]],
}
"""Lists whose elements are decoded apart from the document, with their types: a broken element costs no other."""

_T = TypeVar("_T")


class _ById(Mapping[str, _T], Generic[_T]):
    """Objects by their id, decoded when the first is asked for."""

    def __init__(self, objects: LongList[Any] | Sequence[Any]) -> None:
        self._objects = objects

    @cached_property
    def _found(self) -> dict[str, _T]:
        return {
            each["id"]: each
            for each in self._objects
            if not isinstance(each, Broken) and isinstance(each.get("id"), str)
        }

    def __getitem__(self, name: str) -> _T:
        return self._found[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)


@dataclass(frozen=True, slots=True)
class _Read:
    """A document that was read.

    Attributes:
        document: With nothing in the lists that were cut out.
        lists: What those hold.
        path: JSON path of the document.
        body: What was read.
    """

    document: RawDocument
    lists: Mapping[Names, LongList[Any]]
    path: str
    body: bytes

    def long_list(self, *names: str) -> LongList[Any] | Sequence[Any]:
        """What a list holds, whether it was cut out or not; nothing if it is none."""
        if names in self.lists:
            return self.lists[names]
        value: Any = self.document
        for name in names:
            value = (value or {}).get(name)
        return value or ()


def read_snapshot(body: bytes, provenance: Provenance) -> Snapshot:
    """Reads a raw document.

    Args:
        body: The document, JSON in UTF-8.
        provenance: What the object's key and metadata tell; the envelope wins where it tells the same.

    Raises:
        UnreadableSnapshotError: The document is not JSON, no playlist, of an unknown schema version, or of
            another day than its key says.
    """
    read = _parse(body)
    envelope = read.document.get("snapshot")
    if envelope is None:
        return _bare_snapshot(read, provenance)
    _check_envelope(envelope, read.path, provenance)
    playlist = read.document.get("playlist")
    if playlist is None:
        raise UnreadableSnapshotError(f"{read.path}.playlist", "the envelope holds no playlist; extract it again")
    entries, total, has_contents = _contents(playlist, read, "playlist")
    features = read.document.get("audio_features")
    return Snapshot(
        origin={
            "snapshot_date": provenance.snapshot_date.isoformat(),
            "playlist_id": provenance.playlist_id,
            "run_id": envelope["run_id"],
            "extracted_at": envelope["extracted_at"],
        },
        market=envelope.get("market"),
        outcome=envelope.get("outcome") or _outcome(entries, total, has_contents=has_contents),
        playlist=playlist,
        total=total,
        entries=entries,
        artists=_ById(read.long_list("artists")),
        albums=_ById(read.long_list("albums")),
        features=_features(features, f"{read.path}.audio_features", joined_by="id"),
        features_by_isrc=_features(features, f"{read.path}.audio_features", joined_by="isrc"),
        body=read.body,
    )


def _parse(body: bytes) -> _Read:
    try:
        outlined = outline(body, LONG_LISTS)
        document = _adapter(RawDocument).validate_json(outlined.skeleton)
    except (ValueError, RecursionError):
        # The parser of the whole tells best what is wrong, or reads what the outline's is too strict for.
        return _parse_whole(body)
    lists = {names: LongList(elements, _decoder(body, LONG_LISTS[names])) for names, elements in outlined.lists.items()}
    return _Read(document, lists, outlined.path, body)


def _decoder(body: bytes, of: Any) -> Callable[[bytes], list[Any]]:
    adapter: TypeAdapter[list[Any]] = _adapter(of)

    def decode(some: bytes) -> list[Any]:
        try:
            return adapter.validate_json(some)
        except ValidationError as fault:
            _complain_of(body, fault)

    return decode


@cache
def _adapter(of: Any) -> TypeAdapter[Any]:
    """Made when it is first needed: to make one takes longer than to read a small snapshot with it."""
    return TypeAdapter(of)


def _complain_of(body: bytes, fault: ValidationError) -> NoReturn:
    """Raises what the parser of the whole finds wrong with a document of which a part could not be decoded."""
    _parse_whole(body)
    raise fault


def _parse_whole(body: bytes) -> _Read:
    try:
        return _read_whole(body)
    except UnreadableSnapshotError as fault:
        if _HALF_A_CHARACTER not in fault.problem:
            raise
    return _read_whole(_with_whole_characters(body))


def _read_whole(body: bytes) -> _Read:
    wrapped = body.lstrip()[:1] == b"["
    try:
        if not wrapped:
            return _Read(_adapter(RawDocument).validate_json(body), {}, "$", body)
        documents = _adapter(_WRAPPED_DOCUMENT).validate_json(body)
    except ValidationError as fault:
        first = fault.errors(include_url=False, include_input=False)[0]
        raise UnreadableSnapshotError(_json_path("$", first), f"no playlist document: {first['msg']}") from None
    if not documents:
        raise UnreadableSnapshotError("$", "an empty list: it should hold one playlist document")
    return _Read(documents[0], {}, "$[0]", body)


def _with_whole_characters(body: bytes) -> bytes:
    """The document with U+FFFD for each half of a surrogate pair: JSON can say it, UTF-8 and the parser cannot.

    Spotify cuts long descriptions by UTF-16 units, which can leave half of an emoji.
    """
    try:
        text = json.dumps(json.loads(body), ensure_ascii=False)
    except (ValueError, RecursionError):
        return body
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode()


def _check_envelope(envelope: Envelope, path: str, provenance: Provenance) -> None:
    version = envelope["schema_version"]
    if version != SCHEMA_VERSION:
        raise UnreadableSnapshotError(
            f"{path}.snapshot.schema_version",
            f"{version!r} is unknown: this release reads {SCHEMA_VERSION}; deploy one that reads it and replay",
        )
    day = provenance.snapshot_date.isoformat()
    if envelope["snapshot_date"] != day:
        raise UnreadableSnapshotError(
            f"{path}.snapshot.snapshot_date",
            f"{envelope['snapshot_date']!r} contradicts the object's key, which says {day}: put it under its day",
        )


def _bare_snapshot(read: _Read, provenance: Provenance) -> Snapshot:
    document = read.document
    playlist: Playlist
    if isinstance(document.get("items"), list):
        total, has_contents = document.get("total"), True
        playlist = {"items": {"total": total}}
        entries = Entries(f"{read.path}.items", read.long_list("items"))
    else:
        playlist = cast("Playlist", document)
        if document.get("type") != "playlist" and "items" not in document and "tracks" not in document:
            raise UnreadableSnapshotError(
                read.path,
                "no playlist: it has neither `type: playlist` nor `items` or `tracks`; load playlists only",
            )
        entries, total, has_contents = _contents(playlist, read)
    return Snapshot(
        origin={
            "snapshot_date": provenance.snapshot_date.isoformat(),
            "playlist_id": provenance.playlist_id,
            "run_id": provenance.run_id,
            "extracted_at": None,
        },
        market=None,
        outcome=_outcome(entries, total, has_contents=has_contents),
        playlist=playlist,
        total=total,
        entries=entries,
        artists={},
        albums={},
        features={},
        features_by_isrc={},
        body=read.body,
    )


def _contents(playlist: Playlist, read: _Read, *within: str) -> tuple[Entries, Unverified, bool]:
    path = ".".join((read.path, *within))
    for name in ("items", "tracks"):
        page: Page | None = playlist.get(name)  # type: ignore[assignment]  # a literal name, which mypy widens
        if page is not None and page.get("items") is not None:
            return Entries(f"{path}.{name}.items", read.long_list(*within, name, "items")), page.get("total"), True
    return Entries(path, ()), None, False


def _entry(position: int, location: str, item: Entry | Broken) -> TrackEntry | Skip | Reject:
    if isinstance(item, Broken):
        return _skip("null_entry", location) if item.raw is None else _reject(location, item.raw)
    if "item" not in item and "track" not in item:
        return Reject(location, "neither `item` nor `track`: not an entry of a playlist", item)
    track = item.get("item") or item.get("track")
    if not track:
        return _skip("null_entry", location)
    match track.get("type"):
        case "track" | None:
            return TrackEntry(position, location, item, track)
        case "episode":
            return _skip("episode", location)
        case _:
            return _skip("unknown_type", location)


def _skip(rule: SkipRule, location: str) -> Skip:
    return Skip(location, rule)


def _reject(location: str, raw: Unverified) -> Reject:
    try:
        _adapter(Entry).validate_python(raw)
    except ValidationError as fault:
        faults = fault.errors(include_url=False, include_input=False)
        return Reject(location, "; ".join(f"{_json_path('', each)}: {each['msg']}" for each in faults), raw)
    raise AssertionError(f"{location} was told broken, yet it is not")


def _json_path(root: str, fault: ErrorDetails) -> str:
    steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in fault["loc"])
    return (root + "".join(steps)).removeprefix(".") or "entry"


def _outcome(entries: Entries, total: Unverified, *, has_contents: bool) -> Literal["ok", "partial", "metadata_only"]:
    if not has_contents:
        return "metadata_only"
    return "partial" if isinstance(total, int) and total > len(entries) else "ok"


def _features(
    blocks: _FeatureBlock | list[_FeatureBlock] | None, path: str, *, joined_by: Literal["id", "isrc"]
) -> dict[str, SourcedFeatures]:
    found: dict[str, SourcedFeatures] = {}
    for number, block in enumerate(blocks if isinstance(blocks, list) else filter(None, [blocks])):
        if block.get("joined_by", "id") != joined_by:
            continue
        place = f"{path}[{number}]" if isinstance(blocks, list) else path
        for index, features in enumerate(block.get("items") or ()):
            name = None if isinstance(features, Broken) else _name_of(features, joined_by)
            if name is not None:
                found.setdefault(name, SourcedFeatures(block["source"], f"{place}.items[{index}]", features))
    return found


def _name_of(features: AudioFeatures, joined_by: Literal["id", "isrc"]) -> str | None:
    if joined_by == "isrc":
        isrc = features.get("isrc")
        return isrc if isinstance(isrc, str) else None
    href = features.get("href")
    if isinstance(href, str):
        return href.rsplit("/", 1)[-1]
    track_id = features.get("id")
    return track_id if isinstance(track_id, str) else None
