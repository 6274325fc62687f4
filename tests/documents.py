"""Spotify documents as small as a test needs them."""

from collections import Counter
from typing import Any
from zlib import crc32

from contracts.candidates import Skip
from contracts.snapshot import Snapshot, TrackEntry


def tracks_in(snapshot: Snapshot) -> list[TrackEntry]:
    """The entries that are tracks."""
    return [entry for entry in snapshot.entries if isinstance(entry, TrackEntry)]


def skips_in(snapshot: Snapshot) -> Counter[str]:
    """The entries that are no tracks, counted by rule."""
    return Counter(entry.rule for entry in snapshot.entries if isinstance(entry, Skip))


def track(name: str = "Song", **fields: Any) -> dict[str, Any]:
    """A track of one artist and one album, all named after it; `fields` replace what it says."""
    slug = name.lower().replace(" ", "-")
    return {
        "type": "track",
        "id": f"track-{slug}",
        "name": name,
        "artists": [artist(f"{name} Band")],
        "album": album(f"{name} Album"),
        "popularity": 50,
        "duration_ms": 180_000,
        "explicit": False,
        "is_local": False,
        "disc_number": 1,
        "track_number": 3,
        "external_ids": {"isrc": isrc_of(name)},
        "external_urls": {"spotify": f"https://open.spotify.com/track/track-{slug}"},
        **fields,
    }


def isrc_of(name: str) -> str:
    """The ISRC of a track of that name."""
    return f"GBAYE{crc32(name.encode()) % 10**7:07}"


def artist(name: str = "Band", **fields: Any) -> dict[str, Any]:
    """An artist as a track credits it."""
    slug = name.lower().replace(" ", "-")
    return {"type": "artist", "id": slug, "name": name, "external_urls": {"spotify": f"https://a/{slug}"}, **fields}


def album(name: str = "Album", **fields: Any) -> dict[str, Any]:
    """An album as a track tells it."""
    slug = name.lower().replace(" ", "-")
    return {
        "type": "album",
        "id": slug,
        "name": name,
        "album_type": "album",
        "artists": [artist("Band")],
        "release_date": "2026-03-06",
        "release_date_precision": "day",
        "total_tracks": 12,
        "images": [{"url": "https://i/640", "width": 640}, {"url": "https://i/64", "width": 64}],
        "external_urls": {"spotify": f"https://b/{slug}"},
        **fields,
    }


def entry(item: Any, **fields: Any) -> dict[str, Any]:
    """A playlist entry of the shape before 2026."""
    return {
        "added_at": "2026-11-16T08:00:00Z",
        "added_by": {"id": "curator"},
        "is_local": False,
        "track": item,
        **fields,
    }


def playlist(*entries: Any, **fields: Any) -> dict[str, Any]:
    """A bare playlist document of the shape before 2026."""
    return {
        "type": "playlist",
        "id": "3cEYpjA9oz9GiPac4AsH4n",
        "name": "Trending",
        "tracks": {"items": list(entries), "total": len(entries)},
        **fields,
    }


def envelope(document: dict[str, Any], *, day: str = "2026-11-22", **fields: Any) -> dict[str, Any]:
    """A raw snapshot as the extractor writes it; `fields` stand beside the playlist."""
    return {
        "snapshot": {
            "schema_version": 1,
            "run_id": "run-1",
            "extracted_at": f"{day}T06:00:05.250Z",
            "snapshot_date": day,
            "source": "spotify",
            "market": "US",
            "capabilities": {},
            "calls": 4,
            "outcome": "ok",
        },
        "playlist": document,
        **fields,
    }
