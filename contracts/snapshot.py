"""The raw snapshot: the one input of every table.

`contracts.documents` tells what a document is and where its entries are; here it becomes one shape, in which each
entry is a track or says why it is none. The reader is strict where a wrong guess would invent data (an unknown schema
version, a day or a playlist that contradicts the key) and tolerant everywhere else: an entry whose structure is broken
costs that entry alone, a part of it that a table can do without costs that part. The long lists are only found, and
their elements read when they are gone through.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any, Generic, Literal, TypeVar

from msgspec import Struct

from contracts.broken import Broken
from contracts.candidates import Reject, Skip
from contracts.documents import (
    Document,
    EntryPage,
    FeatureBlock,
    Parsed,
    artist_blocks,
    feature_blocks,
    read_document,
)
from contracts.elements import Elements, UnreadableSnapshotError
from contracts.fields import Unverified
from contracts.spotify import Album, Artist, AudioFeatures, Entry, Playlist, Track, isrc, normalised_isrc
from contracts.tables.table import Row

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
        index: Place in the list of entries in the raw document, from 0.
        path: JSON path of that list.
    """

    position: int
    index: int
    path: str
    entry: Entry
    track: Track

    @property
    def location(self) -> str:
        """JSON path of the entry."""
        return f"{self.path}[{self.index}]"

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

    pages: tuple[EntryPage, ...]

    def __len__(self) -> int:
        return sum(len(page.elements) for page in self.pages)

    def __iter__(self) -> Iterator["TrackEntry | Skip | Reject"]:
        for page in self.pages:
            path, first = page.elements.path, page.offset + 1
            for index, element in enumerate(page.elements):
                yield _entry(first + index, index, path, element)


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
        day: Its day.
        total: How many entries the source counts, as it came.
        unexplained: How many of them are not there; None if nothing tells.
        entries: Each entry in order: a track, or why it is none. Going through them can find that the document
            is not to be read after all, and raises UnreadableSnapshotError.
        artists: Full artists by id, as far as the extractor was given them.
        earlier_artists: Artists by id as Spotify told them on an earlier day, as far as it did not on this one.
        albums: Full albums by id, likewise.
        features: Audio features by track id, as far as they were asked for by it.
        features_by_isrc: Audio features by ISRC, likewise.
        document: The document itself, as far as it was read.
    """

    origin: Row
    day: date
    market: str | None
    outcome: str
    playlist: Playlist[Any]
    total: Unverified
    unexplained: int | None
    entries: Entries
    artists: Mapping[str, Artist]
    earlier_artists: Mapping[str, EarlierArtist]
    albums: Mapping[str, Album]
    features: Mapping[str, SourcedFeatures]
    features_by_isrc: Mapping[str, SourcedFeatures]
    document: Parsed

    def genres_of(self, artist: Artist) -> tuple[Unverified, date | None]:
        """An artist's genres and the day that Spotify told them on, which may be an earlier one: genres last."""
        if artist.genres is not None:
            return artist.genres, self.day if isinstance(artist.genres, list) else None
        earlier = self.earlier_artists.get(artist.id) if isinstance(artist.id, str) else None
        return (earlier.artist.genres, earlier.as_of) if earlier else (None, None)

    def features_of(self, track: Track) -> SourcedFeatures | None:
        """The audio features of a track: by its id, or else by its ISRC."""
        by_id = self.features.get(track.id) if isinstance(track.id, str) else None
        return by_id or self.features_by_isrc.get(str(isrc(track)))


T = TypeVar("T", Artist, Album)


class _ById(Mapping[str, T], Generic[T]):
    """Objects by their id, read when the first is asked for."""

    def __init__(self, elements: Elements[T]) -> None:
        self._elements: Elements[T] = elements

    @cached_property
    def _found(self) -> dict[str, T]:
        return {each.id: each for each in self._elements if not isinstance(each, Broken) and isinstance(each.id, str)}

    def __getitem__(self, name: str) -> T:
        return self._found[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)


def read_snapshot(body: bytes, provenance: Provenance) -> Snapshot:
    """Reads a raw document.

    Args:
        body: The document, in any of the encodings that `contracts.documents` knows.
        provenance: What the object's key and metadata tell; the envelope wins where it tells the same.

    Raises:
        UnreadableSnapshotError: The document is not JSON, not a playlist, of an unknown schema version, or of another
            day or playlist than its key says.
    """
    document = read_document(body)
    envelope, path = document.envelope, document.path
    day = provenance.snapshot_date.isoformat()
    if envelope and envelope.snapshot_date != day:
        raise UnreadableSnapshotError(
            f"{path}.snapshot.snapshot_date",
            f"{envelope.snapshot_date!r} contradicts the object's key, which says {day}: put it under its day",
        )
    for place, playlist_id in document.says:
        if playlist_id != provenance.playlist_id:
            raise UnreadableSnapshotError(
                place,
                f"{playlist_id!r} contradicts the object's key, which says {provenance.playlist_id}: put it under its "
                "own playlist",
            )
    blocks = list(feature_blocks(document.raw, path)) if envelope else []
    return Snapshot(
        origin={
            "snapshot_date": day,
            "playlist_id": provenance.playlist_id,
            "run_id": envelope.run_id if envelope else provenance.run_id,
            "extracted_at": envelope.extracted_at if envelope else None,
        },
        day=provenance.snapshot_date,
        market=envelope.market if envelope else None,
        outcome=(envelope and envelope.outcome) or _outcome(document),
        playlist=document.playlist,
        total=document.total,
        unexplained=document.missing,
        entries=Entries(document.pages),
        artists=_ById(_enrichment(document, "artists", Artist)),
        earlier_artists=dict(_earlier_artists(document)),
        albums=_ById(_enrichment(document, "albums", Album)),
        features=_features(blocks, "id"),
        features_by_isrc=_features(blocks, "isrc"),
        document=document.found,
    )


def _enrichment(document: Document, name: Literal["artists", "albums"], noun: type[T]) -> Elements[T]:
    """What the extractor keeps beside the playlist; elsewhere such a name means something else."""
    listed = getattr(document.raw, name) if document.envelope else None
    return Elements(f"{document.path}.{name}", listed or (), noun)


def _earlier_artists(document: Document) -> Iterator[tuple[str, EarlierArtist]]:
    for path, block in artist_blocks(document.raw, document.path) if document.envelope else ():
        artists = _ById(Elements(f"{path}.items", block.items or (), Artist))
        yield from ((name, EarlierArtist(block.as_of, artist)) for name, artist in artists.items())


def _entry(position: int, index: int, path: str, element: Entry | Broken) -> TrackEntry | Skip | Reject:
    rule: SkipRule
    if isinstance(element, Broken):
        if element.raw is not None:
            return Reject(f"{path}[{index}]", element.reason, element.raw)
        rule = "null_entry"
    elif not (track := element.item or element.track):
        rule = "null_entry"
    elif track.type in ("track", None):
        return TrackEntry(position, index, path, element, track)
    else:
        rule = "episode" if track.type == "episode" else "unknown_type"
    return Skip(f"{path}[{index}]", rule)


def _outcome(document: Document) -> Literal["ok", "partial", "metadata_only"]:
    if not document.has_entries:
        return "metadata_only"
    return "partial" if document.missing else "ok"


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
        return normalised_isrc(features.isrc) if isinstance(features.isrc, str) else None
    if isinstance(features.href, str):
        return features.href.rsplit("/", 1)[-1]
    return features.id if isinstance(features.id, str) else None
