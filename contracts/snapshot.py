"""The raw snapshot: the one input of every table.

The reader takes the envelope that the extractor writes and, from other archives, bare playlist documents, bare
pages and either of them in a one-element list, in both generations of the Web API. It is strict where a wrong
guess would invent data (not a playlist, an unknown schema version, a day that contradicts the key) and tolerant
everywhere else: an entry whose structure is broken costs that entry alone.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Literal, NotRequired, Required, cast

from pydantic import Field, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails
from typing_extensions import TypedDict

from contracts.candidates import Reject, Skip
from contracts.fields import Timestamp, Unverified
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
        entries: Each entry in order: a track, or why it is none.
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
    entries: tuple[TrackEntry | Skip | Reject, ...]
    artists: Mapping[str, Artist]
    albums: Mapping[str, Album]
    features: Mapping[str, SourcedFeatures]
    features_by_isrc: Mapping[str, SourcedFeatures]
    body: bytes

    def features_of(self, track: Track) -> SourcedFeatures | None:
        """The audio features of a track: by its id, or else by its ISRC."""
        isrc = (track.get("external_ids") or {}).get("isrc")
        return self.features.get(track.get("id") or "") or self.features_by_isrc.get(str(isrc))

    @property
    def tracks(self) -> Iterator[TrackEntry]:
        """The entries that are tracks."""
        return (entry for entry in self.entries if isinstance(entry, TrackEntry))

    @property
    def skipped(self) -> Counter[str]:
        """The entries that are no tracks, counted by rule."""
        return Counter(entry.rule for entry in self.entries if isinstance(entry, Skip))


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


_DOCUMENT: TypeAdapter[RawDocument] = TypeAdapter(RawDocument)
_WRAPPED_DOCUMENT: TypeAdapter[list[RawDocument]] = TypeAdapter(Annotated[list[RawDocument], Field(max_length=1)])
_ENTRY: TypeAdapter[Entry] = TypeAdapter(Entry)


def read_snapshot(body: bytes, provenance: Provenance) -> Snapshot:
    """Reads a raw document.

    Args:
        body: The document, JSON in UTF-8.
        provenance: What the object's key and metadata tell; the envelope wins where it tells the same.

    Raises:
        UnreadableSnapshotError: The document is not JSON, no playlist, of an unknown schema version, or of
            another day than its key says.
    """
    try:
        document, path = _parse(body)
    except UnreadableSnapshotError as fault:
        if _HALF_A_CHARACTER not in fault.problem:
            raise
        body = _with_whole_characters(body)
        document, path = _parse(body)
    envelope = document.get("snapshot")
    if envelope is None:
        return _bare_snapshot(document, path, provenance, body)
    _check_envelope(envelope, path, provenance)
    playlist = document.get("playlist")
    if playlist is None:
        raise UnreadableSnapshotError(f"{path}.playlist", "the envelope holds no playlist; extract it again")
    entries, total, has_contents = _contents(playlist, f"{path}.playlist")
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
        artists=_by_id(document.get("artists")),
        albums=_by_id(document.get("albums")),
        features=_features(document.get("audio_features"), f"{path}.audio_features", joined_by="id"),
        features_by_isrc=_features(document.get("audio_features"), f"{path}.audio_features", joined_by="isrc"),
        body=body,
    )


def _parse(body: bytes) -> tuple[RawDocument, str]:
    wrapped = body.lstrip()[:1] == b"["
    try:
        if not wrapped:
            return _DOCUMENT.validate_json(body), "$"
        documents = _WRAPPED_DOCUMENT.validate_json(body)
    except ValidationError as fault:
        first = fault.errors(include_url=False, include_input=False)[0]
        raise UnreadableSnapshotError(_json_path("$", first), f"no playlist document: {first['msg']}") from None
    if not documents:
        raise UnreadableSnapshotError("$", "an empty list: it should hold one playlist document")
    return documents[0], "$[0]"


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


def _bare_snapshot(document: RawDocument, path: str, provenance: Provenance, body: bytes) -> Snapshot:
    items = document.get("items")
    playlist: Playlist
    if isinstance(items, list):
        playlist = {"items": {"items": items, "total": document.get("total")}}
        entries = _entries(items, f"{path}.items")
        total, has_contents = document.get("total"), True
    else:
        playlist = cast("Playlist", document)
        if document.get("type") != "playlist" and "items" not in document and "tracks" not in document:
            raise UnreadableSnapshotError(
                path,
                "no playlist: it has neither `type: playlist` nor `items` or `tracks`; load playlists only",
            )
        entries, total, has_contents = _contents(playlist, path)
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
        body=body,
    )


def _contents(playlist: Playlist, path: str) -> tuple[tuple[TrackEntry | Skip | Reject, ...], Unverified, bool]:
    for name in ("items", "tracks"):
        page: Page | None = playlist.get(name)  # type: ignore[assignment]  # a literal name, which mypy widens
        if page is not None and page.get("items") is not None:
            return _entries(page["items"] or [], f"{path}.{name}.items"), page.get("total"), True
    return (), None, False


def _entries(items: list[Any], path: str) -> tuple[TrackEntry | Skip | Reject, ...]:
    return tuple(_entry(index + 1, f"{path}[{index}]", item) for index, item in enumerate(items))


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
        _ENTRY.validate_python(raw)
    except ValidationError as fault:
        faults = fault.errors(include_url=False, include_input=False)
        return Reject(location, "; ".join(f"{_json_path('', each)}: {each['msg']}" for each in faults), raw)
    raise AssertionError(f"{location} was told broken, yet it is not")


def _json_path(root: str, fault: ErrorDetails) -> str:
    steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in fault["loc"])
    return (root + "".join(steps)).removeprefix(".") or "entry"


def _outcome(
    entries: tuple[TrackEntry | Skip | Reject, ...], total: Unverified, *, has_contents: bool
) -> Literal["ok", "partial", "metadata_only"]:
    if not has_contents:
        return "metadata_only"
    return "partial" if isinstance(total, int) and total > len(entries) else "ok"


def _by_id(objects: list[Any] | None) -> dict[str, Any]:
    return {
        each["id"]: each for each in objects or () if not isinstance(each, Broken) and isinstance(each.get("id"), str)
    }


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
