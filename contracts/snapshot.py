"""The raw snapshot: the one input of every table.

`contracts.documents` recognizes a document and finds its entries; here it becomes one shape, in which each entry is a
track or says why it is not. The reader is strict where a wrong guess would invent data (an unknown schema version, a
day or a playlist that contradicts the key) and tolerant everywhere else: a broken entry costs that entry alone, a
broken optional part costs that part. Elements of long lists are decoded only on iteration.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any, Generic, Literal

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
from contracts.spotify import (
    Album,
    Artist,
    AudioFeatures,
    CreditedT,
    Entry,
    Playlist,
    Track,
    isrc,
    kind_of,
    normalised_isrc,
    not_texts,
)
from contracts.tables.table import Row

SkipRule = Literal["null_entry", "episode", "unknown_type"]


@dataclass(frozen=True, slots=True)
class Provenance:
    """A snapshot's key and metadata in S3.

    Attributes:
        run_id: The run that wrote the object, for a document without an envelope.
    """

    playlist_id: str
    snapshot_date: date
    run_id: str | None = None


class TrackEntry(Struct, frozen=True, gc=False):
    """An entry of the playlist that is a track.

    Attributes:
        position: Its position in the playlist, null entries and episodes included; 1 is the top.
        index: Its index in the list of entries in the raw document, from 0.
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

        Spotify sends zeros for what it does not know about such a track.
        """
        return not self.track.id or bool(self.entry.is_local or self.track.is_local)


@dataclass(frozen=True, slots=True)
class Entries:
    """The entries of a playlist in order, each a track or the reason why it is not."""

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
    """Audio features with their source."""

    source: str
    location: str
    features: AudioFeatures


@dataclass(frozen=True, slots=True)
class EarlierArtist:
    """An artist as Spotify described it before the day of the snapshot."""

    as_of: date
    artist: Artist


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A playlist on a day, in the same shape for every kind of document.

    Attributes:
        origin: The columns that every row of the snapshot shares.
        day: Its day.
        total: How many entries the source counts, unvalidated.
        unexplained: How many of them are missing; None if unknown.
        entries: Each entry in order: a track, or the reason why it is not. Iteration raises UnreadableSnapshotError
            where the document turns out not to be JSON.
        artists: Full artists by id, as far as the extractor received them.
        earlier_artists: Artists by id as of an earlier day, where Spotify did not describe them on this one.
        albums: Full albums by id, likewise.
        features: Audio features by track id, where the source was asked by track id.
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

    @property
    def length(self) -> int | None:
        """None, for entries have no ranks: what is missing of them is `unexplained`."""
        return None

    def genres_of(self, artist: Artist) -> tuple[Unverified, date | None]:
        """Returns an artist's genres, `Broken` unless a list of texts, and their day.

        That may be an earlier one, for genres rarely change.
        """
        genres, as_of = artist.genres, self.day
        if genres is None:
            earlier = self.earlier_artists.get(artist.id) if isinstance(artist.id, str) else None
            if earlier is None or (genres := earlier.artist.genres) is None:
                return None, None
            as_of = earlier.as_of
        if not isinstance(genres, list):
            return Broken(genres, "Expected `array`"), None
        return (genres, as_of) if all(isinstance(each, str) for each in genres) else (not_texts(genres), None)

    def features_of(self, track: Track) -> SourcedFeatures | None:
        """Returns the audio features of a track, by its id or else by its ISRC."""
        by_id = self.features.get(track.id) if isinstance(track.id, str) else None
        return by_id or (self.features_by_isrc.get(str(isrc(track))) if self.features_by_isrc else None)


class _ById(Mapping[str, CreditedT], Generic[CreditedT]):
    """Objects by their id, read on first use."""

    def __init__(self, elements: Elements[CreditedT]) -> None:
        self._elements: Elements[CreditedT] = elements

    @cached_property
    def _found(self) -> dict[str, CreditedT]:
        return {each.id: each for each in self._elements if not isinstance(each, Broken) and isinstance(each.id, str)}

    def __getitem__(self, name: str) -> CreditedT:
        return self._found[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)


def read_snapshot(body: bytes, provenance: Provenance) -> Snapshot:
    """Reads a raw document.

    Args:
        body: The document, in any of the encodings that `contracts.documents` knows.
        provenance: The object's key and metadata; fields of the envelope take precedence.

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


def _enrichment(document: Document, name: Literal["artists", "albums"], model: type[CreditedT]) -> Elements[CreditedT]:
    """Returns a list that the extractor keeps beside the playlist; in other documents the name means something else."""
    listed = getattr(document.raw, name) if document.envelope else None
    return Elements(f"{document.path}.{name}", listed or (), model)


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
    elif (kind := kind_of(track)) in ("track", None):
        return TrackEntry(position, index, path, element, track)
    else:
        rule = "episode" if kind == "episode" else "unknown_type"
    return Skip(rule)


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
