from contracts.candidates import Candidate, Candidates, as_json
from contracts.fields import Unverified
from contracts.snapshot import Snapshot, TrackEntry
from contracts.spotify import Album, Artist, credited, isrc, link
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
    first = artists[0] if artists else Artist()
    album = track.album or Album()
    added_by = entry.entry.added_by
    return {
        **snapshot.origin,
        "position": entry.position,
        "track_id": track.id,
        "isrc": isrc(track),
        "track_name": track.name,
        "artist_id": first.id,
        "artist_name": first.name,
        "artist_ids": as_json([artist.id for artist in artists]),
        "artist_names": as_json([artist.name for artist in artists]),
        "album_id": album.id,
        "album_name": album.name,
        "popularity": _unless_filled_in(entry, track.popularity),
        "duration_ms": track.duration_ms,
        "duration_min": _minutes(track.duration_ms),
        "explicit": track.explicit,
        "is_local": track.is_local if entry.entry.is_local is None else entry.entry.is_local,
        "is_playable": track.is_playable,
        "disc_number": _unless_filled_in(entry, track.disc_number),
        "track_number": _unless_filled_in(entry, track.track_number),
        "added_at": _unless_never(entry.entry.added_at),
        "added_by": (added_by.id if added_by else None) or None,
        "track_url": link(track) if track.id else None,
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
