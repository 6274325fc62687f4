"""The part of Spotify's objects that the tables are made of.

The nouns and field names are those of the Web API (https://developer.spotify.com/documentation/web-api).
Only the structure and the ids that join it are typed here; other values stay unverified until a table's contract
judges them. Every field may be missing, and fields that are not named here are ignored: `contracts.drift` reports them.
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
    spotify: Unverified


class ExternalIds(TypedDict, total=False):
    isrc: Unverified
    upc: Unverified


class Image(TypedDict, total=False):
    url: Unverified
    width: Unverified


class Followers(TypedDict, total=False):
    total: Unverified


class User(TypedDict, total=False):
    id: Unverified
    display_name: Unverified


class Artist(TypedDict, total=False):
    """An artist, full or as credited on a track or an album."""

    id: Text | None
    name: Unverified
    genres: Unverified
    popularity: Unverified
    followers: Followers | None
    external_urls: Link | None
    images: list[Image] | None


class Album(TypedDict, total=False):
    """An album, full or as told on a track."""

    id: Text | None
    name: Unverified
    album_type: Unverified
    artists: list[Artist | None] | None
    release_date: Unverified
    release_date_precision: Unverified
    total_tracks: Unverified
    label: Unverified
    external_ids: ExternalIds | None
    popularity: Unverified
    external_urls: Link | None
    images: list[Image] | None


class Track(TypedDict, total=False):
    """A track, or whatever else stands in its place: `type` tells."""

    type: Unverified
    id: Text | None
    name: Unverified
    artists: list[Artist | None] | None
    album: Album | None
    popularity: Unverified
    duration_ms: Unverified
    explicit: Unverified
    is_local: Unverified
    is_playable: Unverified
    disc_number: Unverified
    track_number: Unverified
    external_ids: ExternalIds | None
    external_urls: Link | None


class Entry(TypedDict, total=False):
    """A playlist entry. The track is under `item` since 2026 and was under `track` before."""

    added_at: Unverified
    added_by: User | None
    is_local: Unverified
    item: Track | None
    track: Track | None


class Page(TypedDict, total=False):
    """A page of entries, or all pages merged into one."""

    items: list[Annotated[Entry | OrBroken, Field(union_mode="left_to_right")]] | None
    total: Unverified


class Playlist(TypedDict, total=False):
    """A playlist. Its entries are under `items` since 2026 and were under `tracks` before."""

    id: Unverified
    type: Unverified
    name: Unverified
    description: Unverified
    owner: User | None
    public: Unverified
    collaborative: Unverified
    followers: Followers | None
    snapshot_id: Unverified
    external_urls: Link | None
    items: Page | None
    tracks: Page | None


class AudioFeatures(TypedDict, total=False):
    """How a track sounds: Spotify's `id` and ReccoBeats' `href` tell which."""

    id: Unverified
    href: Unverified
    danceability: Unverified
    energy: Unverified
    key: Unverified
    loudness: Unverified
    mode: Unverified
    speechiness: Unverified
    acousticness: Unverified
    instrumentalness: Unverified
    liveness: Unverified
    valence: Unverified
    tempo: Unverified
    time_signature: Unverified
    duration_ms: Unverified


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
