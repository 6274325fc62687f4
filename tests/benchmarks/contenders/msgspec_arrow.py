"""A floor: msgspec's typed decoding of exactly the fields that are needed, and columns into Arrow."""

import json
from collections import Counter, defaultdict
from datetime import date, datetime
from pathlib import Path
from typing import Any

import msgspec

from tests.benchmarks.contenders.arrow import SCHEMAS, write_columns
from tests.benchmarks.contenders.flatten import metadata_row
from tests.benchmarks.contenders.tables import DAY, PLAYLIST


class _Struct(msgspec.Struct, gc=False):
    pass


class _Link(_Struct):
    spotify: str


class _Image(_Struct):
    url: str


class _Ids(_Struct):
    isrc: str


class _User(_Struct):
    id: str


class _Artist(_Struct):
    id: str
    name: str
    external_urls: _Link


class _Album(_Struct):
    id: str
    name: str
    album_type: str
    artists: list[_Artist]
    release_date: str
    release_date_precision: str
    total_tracks: int
    external_urls: _Link
    images: list[_Image]


class _Track(_Struct):
    id: str
    name: str
    artists: list[_Artist]
    album: _Album
    popularity: int
    duration_ms: int
    explicit: bool
    disc_number: int
    track_number: int
    external_ids: _Ids
    external_urls: _Link


class _Entry(_Struct):
    added_at: datetime
    added_by: _User
    is_local: bool
    track: _Track


class _Page(_Struct):
    items: list[_Entry]
    total: int


class _Playlist(_Struct):
    name: str
    description: str
    owner: dict[str, Any]
    public: bool
    collaborative: bool
    followers: dict[str, Any]
    snapshot_id: str
    external_urls: dict[str, Any]
    tracks: _Page


_DECODER = msgspec.json.Decoder(list[_Playlist])


def write(body: bytes, folder: Path) -> None:
    """All five tables."""
    playlist = _DECODER.decode(body)[0]
    entries = playlist.tracks.items
    write_columns(
        {
            "songs": _songs(entries),
            "artists": _artists(entries),
            "albums": _albums(entries),
            "track_features": {name: [] for name in SCHEMAS["track_features"].names},
            "playlist_metadata": _metadata(playlist),
        },
        folder,
    )


def _with_origin(rows: int, table: str, columns: dict[str, list[Any]]) -> dict[str, list[Any]]:
    nulls = [None] * rows
    given = {"snapshot_date": [DAY] * rows, "playlist_id": [PLAYLIST] * rows, **columns}
    return {name: given.get(name, nulls) for name in SCHEMAS[table].names}


def _songs(entries: list[_Entry]) -> dict[str, list[Any]]:
    tracks = [entry.track for entry in entries]
    return _with_origin(
        len(entries),
        "songs",
        {
            "position": list(range(1, len(entries) + 1)),
            "track_id": [track.id for track in tracks],
            "isrc": [track.external_ids.isrc for track in tracks],
            "track_name": [track.name for track in tracks],
            "artist_id": [track.artists[0].id for track in tracks],
            "artist_name": [track.artists[0].name for track in tracks],
            "artist_ids": [_json([artist.id for artist in track.artists]) for track in tracks],
            "artist_names": [_json([artist.name for artist in track.artists]) for track in tracks],
            "album_id": [track.album.id for track in tracks],
            "album_name": [track.album.name for track in tracks],
            "popularity": [track.popularity for track in tracks],
            "popularity_measured": [True] * len(tracks),
            "duration_ms": [track.duration_ms for track in tracks],
            "duration_min": [track.duration_ms / 60_000 for track in tracks],
            "explicit": [track.explicit for track in tracks],
            "is_local": [entry.is_local for entry in entries],
            "disc_number": [track.disc_number for track in tracks],
            "track_number": [track.track_number for track in tracks],
            "added_at": [entry.added_at.replace(tzinfo=None) for entry in entries],
            "added_by": [entry.added_by.id or None for entry in entries],
            "track_url": [track.external_urls.spotify for track in tracks],
        },
    )


def _artists(entries: list[_Entry]) -> dict[str, list[Any]]:
    positions: defaultdict[str, set[int]] = defaultdict(set)
    first: dict[str, _Artist] = {}
    for position, entry in enumerate(entries, start=1):
        for artist in entry.track.artists:
            positions[artist.id].add(position)
            first.setdefault(artist.id, artist)
    return _with_origin(
        len(first),
        "artists",
        {
            "artist_id": list(first),
            "artist_name": [artist.name for artist in first.values()],
            "tracks_in_playlist": [len(positions[artist_id]) for artist_id in first],
            "best_position": [min(positions[artist_id]) for artist_id in first],
            "artist_url": [artist.external_urls.spotify for artist in first.values()],
        },
    )


def _albums(entries: list[_Entry]) -> dict[str, list[Any]]:
    counts = Counter(entry.track.album.id for entry in entries)
    first: dict[str, _Album] = {}
    for entry in entries:
        first.setdefault(entry.track.album.id, entry.track.album)
    albums = list(first.values())
    released = [date(*[*map(int, album.release_date.split("-")), 1, 1][:3]) for album in albums]
    return _with_origin(
        len(albums),
        "albums",
        {
            "album_id": list(first),
            "album_name": [album.name for album in albums],
            "album_type": [album.album_type for album in albums],
            "artist_ids": [_json([artist.id for artist in album.artists]) for album in albums],
            "artist_names": [_json([artist.name for artist in album.artists]) for album in albums],
            "release_date": [album.release_date for album in albums],
            "release_date_precision": [album.release_date_precision for album in albums],
            "release_on": released,
            "release_year": [day.year for day in released],
            "total_tracks": [album.total_tracks for album in albums],
            "tracks_in_playlist": [counts[album_id] for album_id in first],
            "album_url": [album.external_urls.spotify for album in albums],
            "image_url": [album.images[0].url for album in albums],
        },
    )


def _metadata(playlist: _Playlist) -> dict[str, list[Any]]:
    told = {name: getattr(playlist, name) for name in playlist.__struct_fields__ if name != "tracks"}
    row = metadata_row({**told, "tracks": {"total": playlist.tracks.total}}, len(playlist.tracks.items))
    return {name: [value] for name, value in row.items()}


def _json(values: list[str]) -> str:
    return json.dumps(values, ensure_ascii=False)
