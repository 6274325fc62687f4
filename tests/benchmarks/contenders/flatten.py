"""The five tables' rows of a parsed playlist document, in plain Python, unvalidated."""

import json
from collections import Counter, defaultdict
from datetime import date, datetime
from typing import Any

from tests.benchmarks.contenders.tables import DAY, PLAYLIST

Rows = list[dict[str, Any]]
_ORIGIN = {"snapshot_date": DAY, "playlist_id": PLAYLIST, "run_id": None, "extracted_at": None}


def flatten(document: list[dict[str, Any]]) -> dict[str, Rows]:
    """The rows of each table."""
    playlist = document[0]
    items = playlist["tracks"]["items"]
    return {
        "songs": _songs(items),
        "artists": _artists(items),
        "albums": _albums(items),
        "track_features": [],
        "playlist_metadata": [metadata_row(playlist, len(items))],
    }


def _songs(items: Rows) -> Rows:
    rows = []
    for position, item in enumerate(items, start=1):
        track = item["track"]
        artists = track["artists"]
        album = track["album"]
        rows.append(
            {
                **_ORIGIN,
                "position": position,
                "track_id": track["id"],
                "linked_from_id": track.get("linked_from"),
                "isrc": track["external_ids"]["isrc"],
                "track_name": track["name"],
                "artist_id": artists[0]["id"],
                "artist_name": artists[0]["name"],
                "artist_ids": _json([artist["id"] for artist in artists]),
                "artist_names": _json([artist["name"] for artist in artists]),
                "album_id": album["id"],
                "album_name": album["name"],
                "popularity": track["popularity"],
                "popularity_measured": True,
                "duration_ms": track["duration_ms"],
                "duration_min": track["duration_ms"] / 60_000,
                "explicit": track["explicit"],
                "is_local": item["is_local"],
                "is_playable": track.get("is_playable"),
                "disc_number": track["disc_number"],
                "track_number": track["track_number"],
                "added_at": datetime.strptime(item["added_at"], "%Y-%m-%dT%H:%M:%SZ"),  # noqa: DTZ007
                "added_by": item["added_by"]["id"] or None,
                "track_url": track["external_urls"]["spotify"],
            }
        )
    return rows


def _artists(items: Rows) -> Rows:
    positions: defaultdict[str, set[int]] = defaultdict(set)
    first: dict[str, dict[str, Any]] = {}
    for position, item in enumerate(items, start=1):
        for artist in item["track"]["artists"]:
            positions[artist["id"]].add(position)
            first.setdefault(artist["id"], artist)
    return [
        {
            **_ORIGIN,
            "artist_id": artist_id,
            "artist_name": artist["name"],
            "genres": None,
            "primary_genre": None,
            "genres_as_of": None,
            "popularity": artist.get("popularity"),
            "followers": None,
            "tracks_in_playlist": len(positions[artist_id]),
            "best_position": min(positions[artist_id]),
            "artist_url": artist["external_urls"]["spotify"],
            "image_url": None,
        }
        for artist_id, artist in first.items()
    ]


def _albums(items: Rows) -> Rows:
    albums = [item["track"]["album"] for item in items]
    counts = Counter(album["id"] for album in albums)
    first: dict[str, dict[str, Any]] = {}
    for album in albums:
        first.setdefault(album["id"], album)
    rows = []
    for album_id, album in first.items():
        released = [int(part) for part in album["release_date"].split("-")]
        release_on = date(*[*released, 1, 1][:3])
        rows.append(
            {
                **_ORIGIN,
                "album_id": album_id,
                "album_name": album["name"],
                "album_type": album["album_type"],
                "artist_ids": _json([artist["id"] for artist in album["artists"]]),
                "artist_names": _json([artist["name"] for artist in album["artists"]]),
                "release_date": album["release_date"],
                "release_date_precision": album["release_date_precision"],
                "release_on": release_on,
                "release_year": release_on.year,
                "total_tracks": album["total_tracks"],
                "label": None,
                "upc": None,
                "popularity": None,
                "tracks_in_playlist": counts[album_id],
                "album_url": album["external_urls"]["spotify"],
                "image_url": album["images"][0]["url"],
            }
        )
    return rows


def metadata_row(playlist: dict[str, Any], entries: int) -> dict[str, Any]:
    """The row of playlist_metadata."""
    return {
        **_ORIGIN,
        "playlist_name": playlist["name"],
        "description": playlist["description"],
        "owner_id": playlist["owner"]["id"],
        "owner_name": playlist["owner"]["display_name"],
        "is_public": playlist["public"],
        "is_collaborative": playlist["collaborative"],
        "followers": playlist["followers"]["total"],
        "spotify_snapshot_id": playlist["snapshot_id"],
        "total_entries": playlist["tracks"]["total"],
        "track_entries": entries,
        "episode_entries": 0,
        "null_entries": 0,
        "unknown_entries": 0,
        "rejected_entries": 0,
        "unexplained_entries": 0,
        "features_coverage": 0.0,
        "popularity_coverage": 1.0,
        "genres_coverage": 0.0,
        "feature_source": None,
        "market": None,
        "outcome": "ok",
        "simulated": playlist.get("simulated"),
        "playlist_url": playlist["external_urls"]["spotify"],
        "drift": "[]",
    }


def _json(values: list[str]) -> str:
    return json.dumps(values, ensure_ascii=False)
