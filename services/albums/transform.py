from collections import Counter
from datetime import date

from contracts.candidates import Candidate, Candidates, Skip, as_json
from contracts.fields import Unverified
from contracts.snapshot import Snapshot, TrackEntry
from contracts.spotify import Album as SpotifyAlbum
from contracts.spotify import completed, credited, largest_image, link
from contracts.tables.albums import Album

_LENGTHS = frozenset(map(len, ("YYYY", "YYYY-MM", "YYYY-MM-DD")))


def albums(snapshot: Snapshot) -> Candidates[Album]:
    """Each distinct album of the snapshot, in the order of their first tracks."""
    first: dict[str, tuple[str, SpotifyAlbum]] = {}
    tracks: Counter[str] = Counter()
    for entry in snapshot.entries:
        if not isinstance(entry, TrackEntry):
            yield entry
            continue
        album = entry.track.album
        if not album or not album.id:
            yield Skip(entry.location, "album_without_id")
            continue
        if album.id in first:
            yield Skip(entry.location, "repeated_album")
        else:
            first[album.id] = f"{entry.track_location}.album", album
        tracks[album.id] += 1
    for album_id, (location, album) in first.items():
        full = completed(album, snapshot.albums.get(album_id))
        yield Candidate(location, _album(snapshot, album_id, full, tracks[album_id]))


def _album(snapshot: Snapshot, album_id: str, album: SpotifyAlbum, entries: int) -> Album:
    artists = credited(album)
    release_on = first_day(album.release_date)
    return {
        **snapshot.origin,
        "album_id": album_id,
        "album_name": album.name,
        "album_type": album.album_type,
        "artist_ids": as_json([artist.id for artist in artists]),
        "artist_names": as_json([artist.name for artist in artists]),
        "release_date": album.release_date,
        "release_date_precision": album.release_date_precision,
        "release_on": release_on,
        "release_year": release_on.year if release_on else None,
        "total_tracks": album.total_tracks,
        "label": album.label,
        "upc": album.external_ids.upc if album.external_ids else None,
        "popularity": album.popularity,
        "tracks_in_playlist": entries,
        "album_url": link(album),
        "image_url": largest_image(album.images),
    }


def first_day(release_date: Unverified) -> date | None:
    """The first day that a release date can mean; None if it names no day, as `0000` does."""
    if not isinstance(release_date, str) or len(release_date) not in _LENGTHS:
        return None
    day = f"{release_date}-01-01"[: len("YYYY-MM-DD")]
    try:
        # Python would read a day of a week, `2026-W47-3`, as well.
        return date.fromisoformat(day) if day[4] == day[7] == "-" else None
    except ValueError:
        return None
