"""Odd entries of real lists, made up and mixed in where a seed says.

Shapes: captured answers; https://developer.spotify.com/documentation/web-api/concepts/playlists on local files.
"""

from collections.abc import Iterator
from typing import Final
from urllib.parse import quote_plus

from infra.local.spotify import seeded
from infra.local.spotify.admin import Decoration
from infra.local.spotify.documents import Contents, JsonObject, VerbatimEntry

_ADDED_AT: Final = "2022-10-03T00:00:00Z"


def decorated(contents: Contents, decoration: Decoration) -> Contents:
    """Return a list's contents with the entries of a decoration among them, and a version of their own."""
    key = decoration.model_dump_json()
    entries = list(contents.entries)
    for number, entry in enumerate(_entries(decoration)):
        (place,) = seeded.fractions("decoration", key, number, count=1)
        entries.insert(int(place * (len(entries) + 1)), entry)
    return Contents(seeded.snapshot_id(contents.snapshot_id, key), tuple(entries))


def _entries(decoration: Decoration) -> Iterator[VerbatimEntry]:
    for _ in range(decoration.null_entries):
        yield _entry(None)
    for number in range(decoration.local_files):
        yield _entry(_local_file(f"Rehearsal take {number + 1}"), is_local=True)
    for number in range(decoration.episodes):
        yield _entry(_episode(decoration, number))


def _entry(track: JsonObject | None, *, is_local: bool = False) -> VerbatimEntry:
    nobody = {
        "external_urls": {"spotify": "https://open.spotify.com/user/"},
        "href": "https://api.spotify.com/v1/users/",
        "id": "",
        "type": "user",
        "uri": "spotify:user:",
    }
    fields = {
        "added_at": _ADDED_AT,
        "added_by": nobody,
        "is_local": is_local,
        "primary_color": None,
        "video_thumbnail": {"url": None},
    }
    return VerbatimEntry(fields, track)


def _local_file(name: str) -> JsonObject:
    artist, album, seconds = "The Spare Room", "Tapes", 128
    unknown: JsonObject = {"external_urls": {}, "href": None, "id": None}
    return {
        "album": {
            "album_type": None,
            "artists": [],
            "available_markets": [],
            **unknown,
            "images": [],
            "name": album,
            "release_date": None,
            "release_date_precision": None,
            "type": "album",
            "uri": None,
        },
        "artists": [{**unknown, "name": artist, "type": "artist", "uri": None}],
        "available_markets": [],
        "disc_number": 0,
        "duration_ms": seconds * 1000,
        "episode": False,
        "explicit": False,
        "external_ids": {},
        **unknown,
        "is_local": True,
        "name": name,
        "popularity": 0,
        "preview_url": None,
        "track": True,
        "track_number": 0,
        "type": "track",
        "uri": f"spotify:local:{quote_plus(artist)}:{quote_plus(album)}:{quote_plus(name)}:{seconds}",
    }


def _episode(decoration: Decoration, number: int) -> JsonObject:
    show = {
        **_identity("show", seeded.spotify_id("show", decoration.seed)),
        "available_markets": ["DE", "GB", "US"],
        "copyrights": [],
        "description": "Conversations that nobody recorded.",
        "explicit": False,
        "html_description": "Conversations that nobody recorded.",
        "images": [],
        "is_externally_hosted": False,
        "languages": ["en"],
        "media_type": "audio",
        "name": "The Simulated Hour",
        "publisher": "Nobody",
        "total_episodes": decoration.episodes,
    }
    return {
        "audio_preview_url": None,
        "description": "An hour about nothing.",
        "duration_ms": 3_600_000,
        "episode": True,
        "explicit": False,
        **_identity("episode", seeded.spotify_id("episode", decoration.seed, number)),
        "html_description": "An hour about nothing.",
        "images": [],
        "is_externally_hosted": False,
        "is_playable": True,
        "language": "en",
        "languages": ["en"],
        "name": f"{number + 1}: Nothing in particular",
        "release_date": "2022-05-18",
        "release_date_precision": "day",
        "resume_point": {"fully_played": False, "resume_position_ms": 0},
        "show": show,
        "track": False,
    }


def _identity(kind: str, id_: str) -> JsonObject:
    return {
        "external_urls": {"spotify": f"https://open.spotify.com/{kind}/{id_}"},
        "href": f"https://api.spotify.com/v1/{kind}s/{id_}",
        "id": id_,
        "type": kind,
        "uri": f"spotify:{kind}:{id_}",
    }
