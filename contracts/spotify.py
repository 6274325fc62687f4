"""The parts of Spotify's objects that the tables are made of.

Names are those of the Web API (https://developer.spotify.com/documentation/web-api). Only the structure and the ids
that join it are typed; other values stay unverified until a table's contract validates them, beside the type that
Spotify documents, whose change `contracts.drift` reports. Every field may be missing, which reads as null; unknown
fields are ignored, and `contracts.drift` reports them.
"""

import re
from datetime import date, timedelta
from types import NoneType
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Generic, Optional, TypeAlias, TypeVar

from msgspec import UNSET, Raw, Struct, UnsetType
from msgspec.json import decode as decode_json
from msgspec.structs import astuple

from contracts.broken import Broken
from contracts.candidates import as_json
from contracts.fields import Unverified, integer

ElementT = TypeVar("ElementT")
"""An element of a long list, not yet decoded."""
PartT = TypeVar("PartT")

# msgspec decodes the valid structure; what it refuses is read in pieces, with `Broken` in place of broken ones.
if TYPE_CHECKING:
    Part: TypeAlias = PartT | Broken | None
    Parts: TypeAlias = list[PartT | Broken] | Broken | None
    Markets: TypeAlias = Raw | Broken | UnsetType
else:
    Part = Optional[PartT]  # noqa: UP045 - at run time
    Parts = Optional[list[PartT]]  # noqa: UP045
    Markets = Raw | UnsetType


class ApiObject(Struct, gc=False):
    """An object of the Web API; it contains no cycles, so the garbage collector can skip it.

    Attributes:
        structure: The fields that make it such an object: if one is broken, so is the object.
    """

    structure: ClassVar[frozenset[str]] = frozenset()


class Link(ApiObject):
    spotify: Annotated[Unverified, str] = None


class ExternalIds(ApiObject):
    isrc: Annotated[Unverified, str] = None
    upc: Annotated[Unverified, str] = None


class Image(ApiObject):
    url: Annotated[Unverified, str] = None


class Followers(ApiObject):
    total: Annotated[Unverified, int] = None


class User(ApiObject):
    id: Annotated[Unverified, str] = None
    display_name: Annotated[Unverified, str] = None


class Artist(ApiObject):
    """An artist, full or as credited on a track or an album."""

    id: Part[str] = None
    name: Annotated[Unverified, str] = None
    genres: Annotated[Unverified, list] = None
    popularity: Annotated[Unverified, int] = None
    followers: Part[Followers] = None
    external_urls: Part[Link] = None
    images: Parts[Image] = None


class Album(ApiObject):
    """An album, full or as credited on a track."""

    id: Part[str] = None
    name: Annotated[Unverified, str] = None
    album_type: Annotated[Unverified, str] = None
    artists: Parts[Artist | None] = None
    release_date: Annotated[Unverified, str] = None
    release_date_precision: Annotated[Unverified, str] = None
    total_tracks: Annotated[Unverified, int] = None
    label: Annotated[Unverified, str] = None
    external_ids: Part[ExternalIds] = None
    popularity: Annotated[Unverified, int] = None
    external_urls: Part[Link] = None
    images: Parts[Image] = None


class LinkedTrack(ApiObject):
    """The track that an owner added, where Spotify plays another track of the same recording instead."""

    id: Annotated[Unverified, str] = None


class Track(ApiObject):
    """A track, or another object in its place, according to `type`."""

    type: Annotated[Unverified, str] = None
    uri: Annotated[Unverified, str] = None
    id: Part[str] = None
    name: Annotated[Unverified, str] = None
    artists: Parts[Artist | None] = None
    album: Part[Album] = None
    popularity: Annotated[Unverified, int] = None
    duration_ms: Annotated[Unverified, int] = None
    explicit: Annotated[Unverified, bool] = None
    is_local: Annotated[Unverified, bool] = None
    is_playable: Annotated[Unverified, bool] = None
    disc_number: Annotated[Unverified, int] = None
    track_number: Annotated[Unverified, int] = None
    linked_from: Part[LinkedTrack] = None
    available_markets: Markets = UNSET
    external_ids: Part[ExternalIds] = None
    external_urls: Part[Link] = None


class Entry(ApiObject):
    """A playlist entry. The track is under `item` since 2026, and was under `track` before."""

    structure: ClassVar[frozenset[str]] = frozenset({"item", "track"})

    added_at: Annotated[Unverified, str] = None
    added_by: Part[User] = None
    is_local: Annotated[Unverified, bool] = None
    item: Track | UnsetType | None = UNSET
    track: Track | UnsetType | None = UNSET

    def __post_init__(self) -> None:
        if self.item is UNSET and self.track is UNSET:
            raise ValueError("neither `item` nor `track`: not an entry of a playlist")


class Page(ApiObject, Generic[ElementT]):
    """A page of entries, or all pages merged into one."""

    href: Annotated[Unverified, str] = None
    items: list[ElementT] | None = None
    next: Annotated[Unverified, str] = None
    offset: Annotated[Unverified, int] = None
    previous: Annotated[Unverified, str] = None
    total: Annotated[Unverified, int] = None


class Playlist(ApiObject, Generic[ElementT]):
    """A playlist. Its entries are under `items` since 2026 and were under `tracks` before."""

    href: Annotated[Unverified, str] = None
    uri: Annotated[Unverified, str] = None
    id: Annotated[Unverified, str] = None
    type: Annotated[Unverified, str] = None
    name: Annotated[Unverified, str] = None
    description: Annotated[Unverified, str] = None
    owner: Part[User] = None
    public: Annotated[Unverified, bool] = None
    collaborative: Annotated[Unverified, bool] = None
    followers: Part[Followers] = None
    snapshot_id: Annotated[Unverified, str] = None
    external_urls: Part[Link] = None
    # A simulator says so of itself; Spotify sends no such field.
    simulated: Annotated[Unverified, bool] = None
    # Some archives keep the entries without their page.
    items: Page[ElementT] | list[ElementT] | UnsetType | None = UNSET
    tracks: Page[ElementT] | list[ElementT] | UnsetType | None = UNSET


class AudioFeatures(ApiObject):
    """The audio features of a track, which Spotify's `id`, ReccoBeats' `href` or an ISRC identifies."""

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


_KIND_IN_URI = re.compile(r"spotify:([a-z]+):")


def kind_of(track: Track) -> Unverified:
    """Returns what stands in a track's place: its type or, where a filter of fields left that out, what its URI says.

    None if neither does.
    """
    if track.type is not None or not isinstance(track.uri, str):
        return track.type
    found = _KIND_IN_URI.match(track.uri)
    return ("track" if found[1] == "local" else found[1]) if found else None


CreditedT = TypeVar("CreditedT", Artist, Album)


def merge_with_full(credited: CreditedT, full: CreditedT | None) -> CreditedT:
    """Completes an artist or album as credited on a track with the fields of the full object."""
    if full is None:
        return credited
    return type(credited)(*map(_better, astuple(credited), astuple(full)))


def _better(credited: Unverified, full: Unverified) -> Unverified:
    return credited if full is None or (isinstance(full, Broken) and credited is not None) else full


def field_of(thing: Unverified, name: str) -> Unverified:
    """Returns a field of a part that may be absent; of a broken part, the part."""
    if thing is None:
        return None
    return thing if isinstance(thing, Broken) else getattr(thing, name)


def link(thing: Artist | Album | Track | Playlist[Any]) -> Unverified:
    """Returns the address of an object's page on open.spotify.com."""
    urls = thing.external_urls
    return urls.spotify if isinstance(urls, Link) else urls


def largest_image(images: Parts[Image]) -> Unverified:
    """Returns the address of the first valid image: the Web API lists the widest first."""
    if not isinstance(images, list):
        return images
    broken: list[Broken] = []
    for image in images:
        if not isinstance(image, Broken):
            return image.url
        broken.append(image)
    return Broken([each.raw for each in broken], f"not an image: {broken[0].reason}") if broken else None


def credits_of(thing: Track | Album) -> list[tuple[int, Artist | Broken]]:
    """Returns the artists of a track or an album with their indexes in the list, without nulls."""
    artists = thing.artists if isinstance(thing.artists, list) else []
    return [(index, artist) for index, artist in enumerate(artists) if artist is not None]


def credited(thing: Track | Album) -> list[Artist]:
    """Returns the artists of a track or an album in order, without broken ones."""
    return [artist for _, artist in credits_of(thing) if not isinstance(artist, Broken)]


_NOBODY = Artist()


def first_artist(track: Track) -> Artist:
    """Returns the artist whom a track credits first; one without any fields if there is none or it is broken."""
    for artist in track.artists if isinstance(track.artists, list) else ():
        if artist is not None:
            return artist if isinstance(artist, Artist) else _NOBODY
    return _NOBODY


def artist_columns(thing: Track | Album) -> tuple[Unverified, Unverified]:
    """Returns the ids and names of an object's artists as JSON lists of equal length; null if there is no list.

    If one artist is broken, the ids are `Broken` and the names are null; if one name is not a text, the names are
    `Broken`.
    """
    artists: Any = thing.artists
    if not isinstance(artists, list):
        return artists, None
    try:
        ids = [artist.id or None for artist in artists if artist is not None]
        if Broken not in map(type, ids):
            names = [artist.name for artist in artists if artist is not None]
            return as_json(ids), as_json(names) if _TEXT_OR_NULL.issuperset(map(type, names)) else not_texts(names)
    except AttributeError:  # one of them is not an artist
        pass
    named = ((index, field_of(artist, "id")) for index, artist in credits_of(thing))
    index, broken = next(each for each in named if isinstance(each[1], Broken))
    return Broken(broken.raw, f"[{index}]: {broken.reason}"), None


_TEXT_OR_NULL = frozenset({str, NoneType})


def not_texts(values: list[Unverified]) -> Broken:
    """Returns a list as broken of which a query of texts would fail at what is none, and with it for all other rows."""
    return Broken(values, "not every element is a text")


def sound(value: Part[PartT]) -> PartT | None:
    """Returns a part, or None if it is broken."""
    return None if isinstance(value, Broken) else value


_ISRC = re.compile(r"[A-Z]{2}[A-Z0-9]{3}[0-9]{7}")
_NO_LETTER_OR_DIGIT = re.compile(r"[\W_]+")


def isrc(track: Track) -> Unverified:
    """Returns the track's International Standard Recording Code, `Broken` if it is not valid."""
    ids = track.external_ids
    sent = ids.isrc if isinstance(ids, ExternalIds) else ids
    if not isinstance(sent, str) or _ISRC.fullmatch(sent):
        return sent
    return normalised_isrc(sent) or Broken(sent, "not an ISRC: two letters, three letters or digits, seven digits")


def normalised_isrc(text: str) -> str | None:
    """Returns an ISRC in capitals without hyphens, blanks or the prefix `ISRC`; None if the text is not one.

    Source: ISO 3901, https://isrc.ifpi.org
    """
    bare = _NO_LETTER_OR_DIGIT.sub("", text)
    code = bare.upper() if bare.isascii() else ""
    return next((each for each in (code, code.removeprefix("ISRC")) if _ISRC.fullmatch(each)), None)


_DATE_LENGTHS = frozenset(map(len, ("YYYY", "YYYY-MM", "YYYY-MM-DD")))


def first_day(release_date: Unverified) -> date | None:
    """Returns the first day that a release date can mean; None if it is not a date, as `0000`."""
    if not isinstance(release_date, str) or len(release_date) not in _DATE_LENGTHS:
        return None
    day = f"{release_date}-01-01"[: len("YYYY-MM-DD")]
    try:
        # Python would also accept an ISO week date, `2026-W47-3`.
        return date.fromisoformat(day) if day[4] == day[7] == "-" else None
    except ValueError:
        return None


_NEW_FOR = timedelta(days=14)
_MOST_POPULAR = 100


def measures_popularity(track: Track, day: date) -> bool | None:
    """Returns whether a track's popularity can be a measurement; None if it has none from 0 to 100.

    Spotify sends 0 where it has nothing to measure: for a track that is in no market or not playable, and for one
    released within the two weeks before.

    Args:
        track: The track.
        day: The day on which Spotify was asked.
    """
    popularity = integer(track.popularity)
    if popularity is None or not 0 <= popularity <= _MOST_POPULAR:
        return None
    if popularity > 0:
        return True
    if track.is_playable is False or _is_in_no_market(track):
        return False
    released = sound(track.album) and field_of(track.album, "release_date")
    if not isinstance(released, str) or len(released) != len("YYYY-MM-DD"):
        return True
    released_on = first_day(released)
    return released_on is None or released_on < day - _NEW_FOR


def _is_in_no_market(track: Track) -> bool:
    markets = track.available_markets
    if isinstance(markets, Broken):  # read by another parser than msgspec
        return bool(markets.raw == [])
    return isinstance(markets, Raw) and bool(decode_json(markets) == [])
