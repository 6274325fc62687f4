"""The raw snapshot: the one input of every table.

The reader takes the envelope that the extractor writes and, from other archives, bare playlist documents, bare
pages and either of them in a one-element list, in both generations of the Web API. It is strict where a wrong
guess would invent data (not a playlist, an unknown schema version, a day that contradicts the key) and tolerant
everywhere else: an entry whose structure is broken costs that entry alone. The long lists are only found, and their
elements read when they are gone through.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import Annotated, Any, Generic, Literal, TypeVar

from msgspec import UNSET, Meta, Raw, Struct, UnsetType, ValidationError, convert

from contracts.candidates import Reject, Skip
from contracts.elements import Broken, Elements, UnreadableSnapshotError, decoder, tolerantly, where_and_what
from contracts.fields import Unverified, naive_utc
from contracts.spotify import Album, Artist, AudioFeatures, E, Entry, Noun, Page, Playlist, Track, isrc
from contracts.tables.table import Row

SCHEMA_VERSION = 1

SkipRule = Literal["null_entry", "episode", "unknown_type"]


@dataclass(frozen=True, slots=True)
class Provenance:
    """What the raw object's key and metadata tell of a snapshot.

    Attributes:
        run_id: The run that wrote the object, for a document without an envelope.
    """

    playlist_id: str
    snapshot_date: date
    run_id: str | None = None


class TrackEntry(Struct, frozen=True, gc=False):
    """An entry of the playlist that is a track.

    Attributes:
        position: Place in the playlist, null entries and episodes counted; 1 is the top.
        path: JSON path of the list of entries in the raw document.
    """

    position: int
    path: str
    entry: Entry
    track: Track

    @property
    def location(self) -> str:
        """JSON path of the entry."""
        return _location(self.path, self.position)

    @property
    def track_location(self) -> str:
        """JSON path of the track."""
        return f"{self.location}.{'item' if self.entry.item else 'track'}"

    @property
    def is_unknown_to_spotify(self) -> bool:
        """Whether Spotify has no such track: a local file, or one that was removed and lost its id.

        Spotify fills in zeros where it knows nothing of such a track.
        """
        return not self.track.id or bool(self.entry.is_local or self.track.is_local)


@dataclass(frozen=True, slots=True)
class Entries:
    """The entries of a playlist in order, each a track or why it is none."""

    elements: Elements[Entry]

    def __len__(self) -> int:
        return len(self.elements)

    def __iter__(self) -> Iterator["TrackEntry | Skip | Reject"]:
        path = self.elements.path
        for position, element in enumerate(self.elements, start=1):
            yield _entry(position, path, element)


@dataclass(frozen=True, slots=True)
class SourcedFeatures:
    """Audio features with who measured them."""

    source: str
    location: str
    features: AudioFeatures


@dataclass(frozen=True, slots=True)
class EarlierArtist:
    """An artist as Spotify told it before the day of the snapshot."""

    as_of: date
    artist: Artist


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A playlist on a day, in one shape whatever document it came from.

    Attributes:
        origin: The columns that every row of the snapshot shares.
        entries: Each entry in order: a track, or why it is none. Going through them can find that the document
            is not to be read after all, and raises UnreadableSnapshotError.
        artists: Full artists by id, as far as the extractor was given them.
        earlier_artists: Artists by id as Spotify told them on an earlier day, as far as it did not on this one.
        albums: Full albums by id, likewise.
        features: Audio features by track id, as far as they were asked for by it.
        features_by_isrc: Audio features by ISRC, likewise.
        body: The document itself.
    """

    origin: Row
    market: str | None
    outcome: str
    playlist: Playlist[Any]
    total: Unverified
    entries: Entries
    artists: Mapping[str, Artist]
    earlier_artists: Mapping[str, EarlierArtist]
    albums: Mapping[str, Album]
    features: Mapping[str, SourcedFeatures]
    features_by_isrc: Mapping[str, SourcedFeatures]
    body: bytes

    def genres_of(self, artist: Artist) -> tuple[Unverified, date | None]:
        """An artist's genres and the day that Spotify told them on, which may be an earlier one: genres last."""
        if artist.genres is not None:
            return artist.genres, date.fromisoformat(self.origin["snapshot_date"])
        earlier = self.earlier_artists.get(artist.id or "")
        return (earlier.artist.genres, earlier.as_of) if earlier else (None, None)

    def features_of(self, track: Track) -> SourcedFeatures | None:
        """The audio features of a track: by its id, or else by its ISRC."""
        return self.features.get(track.id or "") or self.features_by_isrc.get(str(isrc(track)))


class Envelope(Noun):
    """What the extractor tells of a snapshot beside what Spotify sent."""

    schema_version: Unverified
    run_id: Annotated[str, Meta(pattern=r"^[!-~]{1,128}$")]
    extracted_at: datetime
    snapshot_date: str
    source: str | None = None
    market: str | None = None
    capabilities: dict[str, str] | None = None
    calls: int | None = None
    outcome: str | None = None

    def __post_init__(self) -> None:
        self.extracted_at = naive_utc(self.extracted_at)


class FeatureBlock(Noun, Generic[E]):
    """Audio features of one provider."""

    source: str
    joined_by: Literal["id", "isrc"] = "id"
    items: list[E] | None = None


class ArtistBlock(Noun, Generic[E]):
    """Artists as Spotify told them on a day."""

    as_of: date
    items: list[E] | None = None


class RawDocument(Playlist[E], Generic[E]):
    """Every document that can be read, at once: an envelope, a playlist or a page.

    An element of its long lists is JSON that nobody has read yet, or what a more tolerant parser made of it.
    """

    snapshot: Envelope | None = None
    playlist: Playlist[E] | None = None
    artists: list[E] | None = None
    earlier_artists: list[ArtistBlock[E]] | None = None
    albums: list[E] | None = None
    audio_features: FeatureBlock[E] | list[FeatureBlock[E]] | None = None
    # A bare page's entries are a list.
    items: Page[E] | list[E] | UnsetType | None = UNSET  # type: ignore[assignment]
    total: Annotated[Unverified, int] = None


def long_lists(document: RawDocument[Any]) -> Iterator[Elements[Any]]:
    """All that a document holds in long lists, whether anybody reads it or not."""
    pages: list[tuple[str, Page[Any] | list[Any] | UnsetType | None]] = [
        ("$.items", document.items),
        ("$.tracks", document.tracks),
    ]
    if playlist := document.playlist:
        pages += [("$.playlist.items", playlist.items), ("$.playlist.tracks", playlist.tracks)]
    for path, page in pages:
        if isinstance(page, list):
            yield Elements(path, page, Entry)
        elif page:
            yield Elements(f"{path}.items", page.items or (), Entry)
    yield Elements("$.artists", document.artists or (), Artist)
    for index, artists in enumerate(document.earlier_artists or ()):
        yield Elements(f"$.earlier_artists[{index}].items", artists.items or (), Artist)
    yield Elements("$.albums", document.albums or (), Album)
    for path, block in _blocks(document.audio_features, "$.audio_features"):
        yield Elements(f"{path}.items", block.items or (), AudioFeatures)


T = TypeVar("T", Artist, Album)


class _ById(Mapping[str, T], Generic[T]):
    """Objects by their id, read when the first is asked for."""

    def __init__(self, elements: Elements[T]) -> None:
        self._elements: Elements[T] = elements

    @cached_property
    def _found(self) -> dict[str, T]:
        return {each.id: each for each in self._elements if not isinstance(each, Broken) and each.id is not None}

    def __getitem__(self, name: str) -> T:
        return self._found[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)


def read_snapshot(body: bytes, provenance: Provenance) -> Snapshot:
    """Reads a raw document.

    Args:
        body: The document, JSON in UTF-8.
        provenance: What the object's key and metadata tell; the envelope wins where it tells the same.

    Raises:
        UnreadableSnapshotError: The document is not JSON, no playlist, of an unknown schema version, or of
            another day than its key says.
    """
    document, path = read_document(body)
    envelope = document.snapshot
    if envelope is None:
        return _bare_snapshot(document, path, body, provenance)
    _check_envelope(envelope, path, provenance)
    playlist = document.playlist
    if playlist is None:
        raise UnreadableSnapshotError(f"{path}.playlist", "the envelope holds no playlist; extract it again")
    entries, total, has_contents = _contents(playlist, f"{path}.playlist")
    blocks = list(_blocks(document.audio_features, f"{path}.audio_features"))
    return Snapshot(
        origin={
            "snapshot_date": provenance.snapshot_date.isoformat(),
            "playlist_id": provenance.playlist_id,
            "run_id": envelope.run_id,
            "extracted_at": envelope.extracted_at,
        },
        market=envelope.market,
        outcome=envelope.outcome or _outcome(entries, total, has_contents=has_contents),
        playlist=playlist,
        total=total,
        entries=entries,
        artists=_ById(Elements(f"{path}.artists", document.artists or (), Artist)),
        earlier_artists=dict(_earlier_artists(document.earlier_artists or (), f"{path}.earlier_artists")),
        albums=_ById(Elements(f"{path}.albums", document.albums or (), Album)),
        features=_features(blocks, "id"),
        features_by_isrc=_features(blocks, "isrc"),
        body=body,
    )


def read_document(body: bytes) -> tuple[RawDocument[Any], str]:
    """The document, its long lists unread, and its JSON path: `$`, or `$[0]` in a list.

    Raises:
        UnreadableSnapshotError: It is not JSON, or has not the structure of any document that can be read.
    """
    try:
        found = decoder(RawDocument[Raw] | list[RawDocument[Raw]]).decode(body)
    except ValidationError as fault:
        raise _no_playlist(fault) from None
    except (ValueError, RecursionError):
        try:
            found = convert(tolerantly(body), RawDocument[Any] | list[RawDocument[Any]])
        except ValidationError as fault:
            raise _no_playlist(fault) from None
    if isinstance(found, RawDocument):
        return found, "$"
    if len(found) != 1:
        raise UnreadableSnapshotError("$", f"a list of {len(found)}: it should hold one playlist document")
    return found[0], "$[0]"


def _no_playlist(fault: ValidationError) -> UnreadableSnapshotError:
    where, what = where_and_what(fault)
    return UnreadableSnapshotError(f"${where}", f"no playlist document: {what}")


def _check_envelope(envelope: Envelope, path: str, provenance: Provenance) -> None:
    version = envelope.schema_version
    if version != SCHEMA_VERSION:
        raise UnreadableSnapshotError(
            f"{path}.snapshot.schema_version",
            f"{version!r} is unknown: this release reads {SCHEMA_VERSION}; deploy one that reads it and replay",
        )
    day = provenance.snapshot_date.isoformat()
    if envelope.snapshot_date != day:
        raise UnreadableSnapshotError(
            f"{path}.snapshot.snapshot_date",
            f"{envelope.snapshot_date!r} contradicts the object's key, which says {day}: put it under its day",
        )


def _bare_snapshot(document: RawDocument[Any], path: str, body: bytes, provenance: Provenance) -> Snapshot:
    playlist: Playlist[Any] = document
    if isinstance(document.items, list):
        playlist = Playlist(items=Page(document.items, document.total))
        entries, total, has_contents = Entries(Elements(f"{path}.items", document.items, Entry)), document.total, True
    elif document.type != "playlist" and document.items is UNSET and document.tracks is UNSET:
        raise UnreadableSnapshotError(
            path, "no playlist: it has neither `type: playlist` nor `items` or `tracks`; load playlists only"
        )
    else:
        entries, total, has_contents = _contents(document, path)
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
        earlier_artists={},
        albums={},
        features={},
        features_by_isrc={},
        body=body,
    )


def _contents(playlist: Playlist[Any], path: str) -> tuple[Entries, Unverified, bool]:
    for name, page in (("items", playlist.items), ("tracks", playlist.tracks)):
        if page and page.items is not None:
            return Entries(Elements(f"{path}.{name}.items", page.items, Entry)), page.total, True
    return Entries(Elements(path, (), Entry)), None, False


def _entry(position: int, path: str, element: Entry | Broken) -> TrackEntry | Skip | Reject:
    rule: SkipRule
    if isinstance(element, Broken):
        if element.raw is not None:
            return Reject(_location(path, position), element.reason, element.raw)
        rule = "null_entry"
    elif not (track := element.item or element.track):
        rule = "null_entry"
    elif track.type in ("track", None):
        return TrackEntry(position, path, element, track)
    else:
        rule = "episode" if track.type == "episode" else "unknown_type"
    return Skip(_location(path, position), rule)


def _location(path: str, position: int) -> str:
    return f"{path}[{position - 1}]"


def _outcome(entries: Entries, total: Unverified, *, has_contents: bool) -> Literal["ok", "partial", "metadata_only"]:
    if not has_contents:
        return "metadata_only"
    return "partial" if isinstance(total, int) and total > len(entries) else "ok"


def _earlier_artists(blocks: Iterable[ArtistBlock[Any]], path: str) -> Iterator[tuple[str, EarlierArtist]]:
    for index, block in enumerate(blocks):
        artists = _ById(Elements(f"{path}[{index}].items", block.items or (), Artist))
        yield from ((name, EarlierArtist(block.as_of, artist)) for name, artist in artists.items())


def _blocks(
    blocks: FeatureBlock[Any] | list[FeatureBlock[Any]] | None, path: str
) -> Iterator[tuple[str, FeatureBlock[Any]]]:
    """Each with its JSON path: one may stand without a list."""
    if isinstance(blocks, list):
        yield from ((f"{path}[{number}]", block) for number, block in enumerate(blocks))
    elif blocks:
        yield path, blocks


def _features(
    blocks: Iterable[tuple[str, FeatureBlock[Any]]], joined_by: Literal["id", "isrc"]
) -> dict[str, SourcedFeatures]:
    found: dict[str, SourcedFeatures] = {}
    for path, block in blocks:
        if block.joined_by != joined_by:
            continue
        for index, features in enumerate(Elements(f"{path}.items", block.items or (), AudioFeatures)):
            if not isinstance(features, Broken) and (name := _name_of(features, joined_by)) is not None:
                found.setdefault(name, SourcedFeatures(block.source, f"{path}.items[{index}]", features))
    return found


def _name_of(features: AudioFeatures, joined_by: Literal["id", "isrc"]) -> str | None:
    if joined_by == "isrc":
        return features.isrc if isinstance(features.isrc, str) else None
    if isinstance(features.href, str):
        return features.href.rsplit("/", 1)[-1]
    return features.id if isinstance(features.id, str) else None
