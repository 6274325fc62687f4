"""The part of Spotify's objects that the tables are made of.

The nouns and field names are those of the Web API (https://developer.spotify.com/documentation/web-api).
Only the structure and the ids that join it are typed here; other values stay unverified until a table's contract
judges them, beside the type that Spotify documents for them, whose change `contracts.drift` reports. Every field may
be missing, which reads as null, and fields that are not named here are ignored: `contracts.drift` reports them.
"""

import re
from datetime import date, timedelta
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Generic, Optional, TypeAlias, TypeVar

from msgspec import UNSET, Raw, Struct, UnsetType
from msgspec.json import decode as decode_json
from msgspec.structs import astuple

from contracts.broken import Broken
from contracts.candidates import as_json
from contracts.fields import Unverified, integer

E = TypeVar("E")
"""An element of a long list that nobody has read yet."""
_P = TypeVar("_P")

# msgspec decodes the sound structure; whatever it refuses is read in pieces and `Broken` where it is broken.
if TYPE_CHECKING:
    Part: TypeAlias = _P | Broken | None
    Parts: TypeAlias = list[_P | Broken] | Broken | None
    Markets: TypeAlias = Raw | Broken | UnsetType
else:
    Part = Optional[_P]  # noqa: UP045 - at run time
    Parts = Optional[list[_P]]  # noqa: UP045
    Markets = Raw | UnsetType


class Noun(Struct, gc=False):
    """An object of the Web API; it holds no cycle, so that the garbage collector need not look into it.

    Attributes:
        structure: The fields without which, or with anything else in them, it is no such object.
    """

    structure: ClassVar[frozenset[str]] = frozenset()


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

    id: Part[str] = None
    name: Annotated[Unverified, str] = None
    genres: Annotated[Unverified, list] = None
    popularity: Annotated[Unverified, int] = None
    followers: Part[Followers] = None
    external_urls: Part[Link] = None
    images: Parts[Image] = None


class Album(Noun):
    """An album, full or as told on a track."""

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


class LinkedTrack(Noun):
    """The track that an owner added, where Spotify plays another one of the same recording in its place."""

    id: Annotated[Unverified, str] = None


class Track(Noun):
    """A track, or whatever else stands in its place: `type` tells."""

    type: Annotated[Unverified, str] = None
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


class Entry(Noun):
    """A playlist entry. The track is under `item` since 2026 and was under `track` before."""

    structure: ClassVar[frozenset[str]] = frozenset({"item", "track"})

    added_at: Annotated[Unverified, str] = None
    added_by: Part[User] = None
    is_local: Annotated[Unverified, bool] = None
    item: Track | UnsetType | None = UNSET
    track: Track | UnsetType | None = UNSET

    def __post_init__(self) -> None:
        if self.item is UNSET and self.track is UNSET:
            raise ValueError("neither `item` nor `track`: not an entry of a playlist")


class Page(Noun, Generic[E]):
    """A page of entries, or all pages merged into one."""

    href: Annotated[Unverified, str] = None
    items: list[E] | None = None
    offset: Annotated[Unverified, int] = None
    total: Annotated[Unverified, int] = None


class Playlist(Noun, Generic[E]):
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
    # Some archives keep the entries without the page that they came in.
    items: Page[E] | list[E] | UnsetType | None = UNSET
    tracks: Page[E] | list[E] | UnsetType | None = UNSET


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
    return type(told)(*map(_better, astuple(told), astuple(full)))


def _better(told: Unverified, full: Unverified) -> Unverified:
    return told if full is None or (isinstance(full, Broken) and told is not None) else full


def field_of(thing: Unverified, name: str) -> Unverified:
    """A field of a part that may be absent; where the part is broken, it stands for the field."""
    if thing is None:
        return None
    return thing if isinstance(thing, Broken) else getattr(thing, name)


def link(thing: Artist | Album | Track | Playlist[Any]) -> Unverified:
    """The thing's page on open.spotify.com."""
    urls = thing.external_urls
    return urls.spotify if isinstance(urls, Link) else urls


def largest_image(images: Parts[Image]) -> Unverified:
    """The address of the first image that is one: the Web API lists them widest first."""
    if not isinstance(images, list):
        return images
    broken: list[Broken] = []
    for image in images:
        if not isinstance(image, Broken):
            return image.url
        broken.append(image)
    return Broken([each.raw for each in broken], f"no image: {broken[0].reason}") if broken else None


def credits_of(thing: Track | Album) -> list[tuple[int, Artist | Broken]]:
    """The artists of a track or an album with their places in the list, without null ones."""
    artists = thing.artists if isinstance(thing.artists, list) else []
    return [(index, artist) for index, artist in enumerate(artists) if artist is not None]


def credited(thing: Track | Album) -> list[Artist]:
    """The artists of a track or an album in order, as far as they are such."""
    return [artist for _, artist in credits_of(thing) if not isinstance(artist, Broken)]


_NOBODY = Artist()


def first_artist(track: Track) -> Artist:
    """The artist whom a track credits first, of whom nothing is known if it credits nobody, or nobody readable."""
    for artist in track.artists if isinstance(track.artists, list) else ():
        if artist is not None:
            return artist if isinstance(artist, Artist) else _NOBODY
    return _NOBODY


def artist_columns(thing: Track | Album) -> tuple[Unverified, Unverified]:
    """The ids and the names of a track's or an album's artists, as JSON lists of one length; null for no list at all.

    If one of them is broken, so are the ids, and no names stand without them.
    """
    artists: Any = thing.artists
    if not isinstance(artists, list):
        return artists, None
    try:
        ids = [artist.id for artist in artists if artist is not None]
        if Broken not in map(type, ids):
            return as_json(ids), as_json([artist.name for artist in artists if artist is not None])
    except AttributeError:  # one of them is no artist
        pass
    named = ((index, field_of(artist, "id")) for index, artist in credits_of(thing))
    index, broken = next(each for each in named if isinstance(each[1], Broken))
    return Broken(broken.raw, f"[{index}]: {broken.reason}"), None


def sound(value: Part[_P]) -> _P | None:
    """A part, unless it is broken."""
    return None if isinstance(value, Broken) else value


_ISRC = re.compile(r"[A-Z]{2}[A-Z0-9]{3}[0-9]{7}")
_NO_LETTER_OR_DIGIT = re.compile(r"[\W_]+")


def isrc(track: Track) -> Unverified:
    """The track's International Standard Recording Code, `Broken` if what was sent for it is none."""
    ids = track.external_ids
    sent = ids.isrc if isinstance(ids, ExternalIds) else ids
    if not isinstance(sent, str) or _ISRC.fullmatch(sent):
        return sent
    return normalised_isrc(sent) or Broken(sent, "not an ISRC: two letters, three letters or digits, seven digits")


def normalised_isrc(text: str) -> str | None:
    """An ISRC in capitals without hyphens, blanks or its own name before it; None if the text is none.

    Source: ISO 3901, https://isrc.ifpi.org
    """
    bare = _NO_LETTER_OR_DIGIT.sub("", text)
    code = bare.upper() if bare.isascii() else ""
    return next((each for each in (code, code.removeprefix("ISRC")) if _ISRC.fullmatch(each)), None)


_DATE_LENGTHS = frozenset(map(len, ("YYYY", "YYYY-MM", "YYYY-MM-DD")))


def first_day(release_date: Unverified) -> date | None:
    """The first day that a release date can mean; None if it names no day, as `0000` does."""
    if not isinstance(release_date, str) or len(release_date) not in _DATE_LENGTHS:
        return None
    day = f"{release_date}-01-01"[: len("YYYY-MM-DD")]
    try:
        # Python would read a day of a week, `2026-W47-3`, as well.
        return date.fromisoformat(day) if day[4] == day[7] == "-" else None
    except ValueError:
        return None


_NEW_FOR = timedelta(days=14)


def measures_popularity(track: Track, day: date) -> bool:
    """Whether a track's popularity can be a measure.

    Spotify sends 0 where it has nothing to measure: of a track that no market has or that does not play, and of one
    that came out within two weeks before.

    Args:
        track: The track.
        day: The day on which Spotify was asked.
    """
    if track.popularity != 0 or integer(track.popularity) is None:
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
    if isinstance(markets, Broken):  # what another parser than msgspec has read
        return bool(markets.raw == [])
    return isinstance(markets, Raw) and bool(decode_json(markets) == [])
