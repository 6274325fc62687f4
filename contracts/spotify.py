"""The part of Spotify's objects that the tables are made of.

The nouns and field names are those of the Web API (https://developer.spotify.com/documentation/web-api).
Only the structure and the ids that join it are typed here; other values stay unverified until a table's contract
judges them, beside the type that Spotify documents for them, whose change `contracts.drift` reports. Every field may
be missing, and fields that are not named here are ignored: `contracts.drift` reports them.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, TypeVar, cast

from pydantic import AfterValidator, Field
from typing_extensions import TypedDict

from contracts.fields import Text, Unverified


class Broken:
    """A part of a document whose structure is not Spotify's; it keeps what was there instead."""

    __slots__ = ("raw",)

    def __init__(self, raw: Unverified) -> None:
        self.raw = raw


OrBroken = Annotated[Any, AfterValidator(Broken)]


class Link(TypedDict, total=False):
    spotify: Annotated[Unverified, str]


class ExternalIds(TypedDict, total=False):
    isrc: Annotated[Unverified, str]
    upc: Annotated[Unverified, str]


class Image(TypedDict, total=False):
    url: Annotated[Unverified, str]
    width: Annotated[Unverified, int]


class Followers(TypedDict, total=False):
    total: Annotated[Unverified, int]


class User(TypedDict, total=False):
    id: Annotated[Unverified, str]
    display_name: Annotated[Unverified, str]


class Artist(TypedDict, total=False):
    """An artist, full or as credited on a track or an album."""

    id: Text | None
    name: Annotated[Unverified, str]
    genres: Annotated[Unverified, list]
    popularity: Annotated[Unverified, int]
    followers: Followers | None
    external_urls: Link | None
    images: list[Image] | None


class Album(TypedDict, total=False):
    """An album, full or as told on a track."""

    id: Text | None
    name: Annotated[Unverified, str]
    album_type: Annotated[Unverified, str]
    artists: list[Artist | None] | None
    release_date: Annotated[Unverified, str]
    release_date_precision: Annotated[Unverified, str]
    total_tracks: Annotated[Unverified, int]
    label: Annotated[Unverified, str]
    external_ids: ExternalIds | None
    popularity: Annotated[Unverified, int]
    external_urls: Link | None
    images: list[Image] | None


class Track(TypedDict, total=False):
    """A track, or whatever else stands in its place: `type` tells."""

    type: Annotated[Unverified, str]
    id: Text | None
    name: Annotated[Unverified, str]
    artists: list[Artist | None] | None
    album: Album | None
    popularity: Annotated[Unverified, int]
    duration_ms: Annotated[Unverified, int]
    explicit: Annotated[Unverified, bool]
    is_local: Annotated[Unverified, bool]
    is_playable: Annotated[Unverified, bool]
    disc_number: Annotated[Unverified, int]
    track_number: Annotated[Unverified, int]
    external_ids: ExternalIds | None
    external_urls: Link | None


class Entry(TypedDict, total=False):
    """A playlist entry. The track is under `item` since 2026 and was under `track` before."""

    added_at: Annotated[Unverified, str]
    added_by: User | None
    is_local: Annotated[Unverified, bool]
    item: Track | None
    track: Track | None


class Page(TypedDict, total=False):
    """A page of entries, or all pages merged into one."""

    items: list[Annotated[Entry | OrBroken, Field(union_mode="left_to_right")]] | None
    total: Annotated[Unverified, int]


class Playlist(TypedDict, total=False):
    """A playlist. Its entries are under `items` since 2026 and were under `tracks` before."""

    id: Annotated[Unverified, str]
    type: Annotated[Unverified, str]
    name: Annotated[Unverified, str]
    description: Annotated[Unverified, str]
    owner: User | None
    public: Annotated[Unverified, bool]
    collaborative: Annotated[Unverified, bool]
    followers: Followers | None
    snapshot_id: Annotated[Unverified, str]
    external_urls: Link | None
    items: Page | None
    tracks: Page | None


class AudioFeatures(TypedDict, total=False):
    """How a track sounds: Spotify's `id`, ReccoBeats' `href` or an ISRC tell which."""

    id: Annotated[Unverified, str]
    href: Annotated[Unverified, str]
    isrc: Annotated[Unverified, str]
    danceability: Annotated[Unverified, float]
    energy: Annotated[Unverified, float]
    key: Annotated[Unverified, int]
    loudness: Annotated[Unverified, float]
    mode: Annotated[Unverified, int]
    speechiness: Annotated[Unverified, float]
    acousticness: Annotated[Unverified, float]
    instrumentalness: Annotated[Unverified, float]
    liveness: Annotated[Unverified, float]
    valence: Annotated[Unverified, float]
    tempo: Annotated[Unverified, float]
    time_signature: Annotated[Unverified, int]
    duration_ms: Annotated[Unverified, int]


T = TypeVar("T", Artist, Album)


def completed(told: T, full: Mapping[str, Unverified]) -> T:
    """What a track tells of an artist or album, with what the full object knows beyond or better."""
    return cast("T", {**told, **{name: value for name, value in full.items() if value is not None}})


def link(thing: Artist | Album | Track | Playlist) -> Unverified:
    """The thing's page on open.spotify.com."""
    return (thing.get("external_urls") or {}).get("spotify")


def largest_image(images: Sequence[Image] | None) -> Unverified:
    """The address of the first image: the Web API lists them widest first."""
    return images[0].get("url") if images else None


def credited(thing: Track | Album) -> list[Artist]:
    """The artists of a track or an album in order, without null ones."""
    return [artist for artist in thing.get("artists") or () if artist]
