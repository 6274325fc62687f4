"""The part of Spotify's objects that the tables are made of.

The nouns and field names are those of the Web API (https://developer.spotify.com/documentation/web-api).
Only the structure and the ids that join it are typed here; other values stay unverified until a table's contract
judges them, beside the type that Spotify documents for them, whose change `contracts.drift` reports. Every field may
be missing, which reads as null, and fields that are not named here are ignored: `contracts.drift` reports them.
"""

from collections.abc import Sequence
from typing import Annotated, Generic, TypeVar

from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import astuple

from contracts.fields import Unverified

E = TypeVar("E")
"""An element of a long list that nobody has read yet."""


class Noun(Struct, gc=False):
    """An object of the Web API; it holds no cycle, so that the garbage collector need not look into it."""


class Link(Noun):
    spotify: Annotated[Unverified, str] = None


class ExternalIds(Noun):
    isrc: Annotated[Unverified, str] = None
    upc: Annotated[Unverified, str] = None


class Image(Noun):
    url: Annotated[Unverified, str] = None


class Followers(Noun):
    total: Annotated[Unverified, int] = None


class User(Noun):
    id: Annotated[Unverified, str] = None
    display_name: Annotated[Unverified, str] = None


class Artist(Noun):
    """An artist, full or as credited on a track or an album."""

    id: str | None = None
    name: Annotated[Unverified, str] = None
    genres: Annotated[Unverified, list] = None
    popularity: Annotated[Unverified, int] = None
    followers: Followers | None = None
    external_urls: Link | None = None
    images: list[Image] | None = None


class Album(Noun):
    """An album, full or as told on a track."""

    id: str | None = None
    name: Annotated[Unverified, str] = None
    album_type: Annotated[Unverified, str] = None
    artists: list[Artist | None] | None = None
    release_date: Annotated[Unverified, str] = None
    release_date_precision: Annotated[Unverified, str] = None
    total_tracks: Annotated[Unverified, int] = None
    label: Annotated[Unverified, str] = None
    external_ids: ExternalIds | None = None
    popularity: Annotated[Unverified, int] = None
    external_urls: Link | None = None
    images: list[Image] | None = None


class Track(Noun):
    """A track, or whatever else stands in its place: `type` tells."""

    type: Annotated[Unverified, str] = None
    id: str | None = None
    name: Annotated[Unverified, str] = None
    artists: list[Artist | None] | None = None
    album: Album | None = None
    popularity: Annotated[Unverified, int] = None
    duration_ms: Annotated[Unverified, int] = None
    explicit: Annotated[Unverified, bool] = None
    is_local: Annotated[Unverified, bool] = None
    is_playable: Annotated[Unverified, bool] = None
    disc_number: Annotated[Unverified, int] = None
    track_number: Annotated[Unverified, int] = None
    external_ids: ExternalIds | None = None
    external_urls: Link | None = None


class Entry(Noun):
    """A playlist entry. The track is under `item` since 2026 and was under `track` before."""

    added_at: Annotated[Unverified, str] = None
    added_by: User | None = None
    is_local: Annotated[Unverified, bool] = None
    item: Track | UnsetType | None = UNSET
    track: Track | UnsetType | None = UNSET

    def __post_init__(self) -> None:
        if self.item is UNSET and self.track is UNSET:
            raise ValueError("neither `item` nor `track`: not an entry of a playlist")


class Page(Noun, Generic[E]):
    """A page of entries, or all pages merged into one."""

    items: list[E] | None = None
    total: Annotated[Unverified, int] = None


class Playlist(Noun, Generic[E]):
    """A playlist. Its entries are under `items` since 2026 and were under `tracks` before."""

    id: Annotated[Unverified, str] = None
    type: Annotated[Unverified, str] = None
    name: Annotated[Unverified, str] = None
    description: Annotated[Unverified, str] = None
    owner: User | None = None
    public: Annotated[Unverified, bool] = None
    collaborative: Annotated[Unverified, bool] = None
    followers: Followers | None = None
    snapshot_id: Annotated[Unverified, str] = None
    external_urls: Link | None = None
    items: Page[E] | UnsetType | None = UNSET
    tracks: Page[E] | UnsetType | None = UNSET


class AudioFeatures(Noun):
    """How a track sounds: Spotify's `id`, ReccoBeats' `href` or an ISRC tell which."""

    id: Annotated[Unverified, str] = None
    href: Annotated[Unverified, str] = None
    isrc: Annotated[Unverified, str] = None
    danceability: Annotated[Unverified, float] = None
    energy: Annotated[Unverified, float] = None
    key: Annotated[Unverified, int] = None
    loudness: Annotated[Unverified, float] = None
    mode: Annotated[Unverified, int] = None
    speechiness: Annotated[Unverified, float] = None
    acousticness: Annotated[Unverified, float] = None
    instrumentalness: Annotated[Unverified, float] = None
    liveness: Annotated[Unverified, float] = None
    valence: Annotated[Unverified, float] = None
    tempo: Annotated[Unverified, float] = None
    time_signature: Annotated[Unverified, int] = None
    duration_ms: Annotated[Unverified, int] = None


T = TypeVar("T", Artist, Album)


def completed(told: T, full: T | None) -> T:
    """What a track tells of an artist or album, with what the full object knows beyond or better."""
    if full is None:
        return told
    return type(told)(*(old if new is None else new for old, new in zip(astuple(told), astuple(full), strict=True)))


def link(thing: Artist | Album | Track | Playlist[E]) -> Unverified:
    """The thing's page on open.spotify.com."""
    return thing.external_urls.spotify if thing.external_urls else None


def largest_image(images: Sequence[Image] | None) -> Unverified:
    """The address of the first image: the Web API lists them widest first."""
    return images[0].url if images else None


def credited(thing: Track | Album) -> list[Artist]:
    """The artists of a track or an album in order, without null ones."""
    return [artist for artist in thing.artists or () if artist]


def isrc(track: Track) -> Unverified:
    """The track's International Standard Recording Code."""
    return track.external_ids.isrc if track.external_ids else None
