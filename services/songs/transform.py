from contracts.candidates import Candidate, Candidates
from contracts.fields import Unverified, as_json
from contracts.snapshot import Snapshot, TrackEntry
from contracts.spotify import credited, link
from contracts.tables.songs import Song

_NEVER = "1970-01-01T00:00:00Z"
_MS_PER_MINUTE = 60_000


def songs(snapshot: Snapshot) -> Candidates[Song]:
    """Each entry of the playlist that is a track."""
    for entry in snapshot.entries:
        yield Candidate(entry.location, _song(snapshot, entry)) if isinstance(entry, TrackEntry) else entry


def _song(snapshot: Snapshot, entry: TrackEntry) -> Song:
    track = entry.track
    artists = credited(track)
    first = artists[0] if artists else {}
    album = track.get("album") or {}
    duration_ms = track.get("duration_ms")
    return {
        **snapshot.origin,
        "position": entry.position,
        "track_id": track.get("id"),
        "isrc": (track.get("external_ids") or {}).get("isrc"),
        "track_name": track.get("name"),  # type: ignore[typeddict-item]  # the contract refuses null
        "artist_id": first.get("id"),
        "artist_name": first.get("name"),
        "artist_ids": as_json([artist.get("id") for artist in artists]),
        "artist_names": as_json([artist.get("name") for artist in artists]),
        "album_id": album.get("id"),
        "album_name": album.get("name"),
        "popularity": _unless_filled_in(entry, track.get("popularity")),
        "duration_ms": duration_ms,
        "duration_min": _minutes(duration_ms),
        "explicit": track.get("explicit"),
        "is_local": track.get("is_local") if entry.entry.get("is_local") is None else entry.entry["is_local"],
        "is_playable": track.get("is_playable"),
        "disc_number": _unless_filled_in(entry, track.get("disc_number")),
        "track_number": _unless_filled_in(entry, track.get("track_number")),
        "added_at": _unless_never(entry.entry.get("added_at")),
        "added_by": (entry.entry.get("added_by") or {}).get("id") or None,
        "track_url": link(track) if track.get("id") else None,
    }


def _minutes(duration_ms: Unverified) -> float | None:
    try:
        return duration_ms / _MS_PER_MINUTE if isinstance(duration_ms, int) else None
    except OverflowError:
        return None


def _unless_filled_in(entry: TrackEntry, number: Unverified) -> Unverified:
    """Spotify's zero for a track that it does not know stands for nothing."""
    return None if number == 0 and entry.is_unknown_to_spotify else number


def _unless_never(added_at: Unverified) -> Unverified:
    """Spotify's epoch stands for an unknown time."""
    return None if added_at == _NEVER else added_at
