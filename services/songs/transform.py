from contracts.candidates import Candidate, Candidates
from contracts.fields import Unverified, integer
from contracts.snapshot import Snapshot, TrackEntry
from contracts.spotify import Album, artist_columns, field_of, first_artist, isrc, link, measures_popularity
from contracts.tables.songs import Song

_MS_PER_MINUTE = 60_000
_LONGEST_MS = 2**63 - 1


def songs(snapshot: Snapshot) -> Candidates[Song]:
    """Yields each entry of the playlist that is a track."""
    for entry in snapshot.entries:
        yield Candidate(entry.location, _song(snapshot, entry)) if isinstance(entry, TrackEntry) else entry


def _song(snapshot: Snapshot, entry: TrackEntry) -> Song:
    track = entry.track
    track_id: Unverified = track.id
    album = track.album
    first = first_artist(track)
    artist_ids, artist_names = artist_columns(track)
    popularity = _unless_filled_in(entry, track.popularity)
    return {
        **snapshot.origin,
        "position": entry.position,
        "track_id": _unless_empty(track_id),
        "linked_from_id": _unless_empty(field_of(track.linked_from, "id")),
        "isrc": isrc(track),
        "track_name": track.name,
        "artist_id": first.id if isinstance(first.id, str) and first.id else None,
        "artist_name": first.name,
        "artist_ids": artist_ids,
        "artist_names": artist_names,
        "album_id": _unless_empty(field_of(album, "id")),
        "album_name": album.name if isinstance(album, Album) else None,
        "popularity": popularity,
        "popularity_measured": None if popularity is None else measures_popularity(track, snapshot.day),
        "duration_ms": track.duration_ms,
        "duration_min": _minutes(track.duration_ms),
        "explicit": track.explicit,
        "is_local": track.is_local if entry.entry.is_local is None else entry.entry.is_local,
        "is_playable": track.is_playable,
        "disc_number": _unless_filled_in(entry, track.disc_number),
        "track_number": _unless_filled_in(entry, track.track_number),
        "added_at": entry.entry.added_at,
        "added_by": _unless_empty(field_of(entry.entry.added_by, "id")),
        "track_url": link(track) if track.id else None,
    }


def _minutes(duration_ms: Unverified) -> float | None:
    """Converts a valid length; an invalid one is refused once, as `duration_ms`."""
    milliseconds = integer(duration_ms)
    return milliseconds / _MS_PER_MINUTE if milliseconds is not None and 0 <= milliseconds <= _LONGEST_MS else None


def _unless_filled_in(entry: TrackEntry, number: Unverified) -> Unverified:
    """Returns None for Spotify's zero for a track that it does not know."""
    return None if number == 0 and entry.is_unknown_to_spotify else number


def _unless_empty(id_: Unverified) -> Unverified:
    """Returns None for an empty id, as Spotify sends of an unknown user, by which all of them would be the same."""
    return None if id_ == "" else id_
