from collections import Counter

from contracts.broken import Broken
from contracts.candidates import Candidate, Candidates, Reject, Skip
from contracts.snapshot import Snapshot, TrackEntry
from contracts.spotify import Album as SpotifyAlbum
from contracts.spotify import artist_columns, field_of, first_day, largest_image, link, merge_with_full
from contracts.tables.albums import Album


def albums(snapshot: Snapshot) -> Candidates[Album]:
    """Yields each distinct album of the snapshot, in the order of their first tracks."""
    first: dict[str, tuple[str, SpotifyAlbum]] = {}
    tracks: Counter[str] = Counter()
    for entry in snapshot.entries:
        if not isinstance(entry, TrackEntry):
            yield entry
            continue
        album = entry.track.album
        broken = album if isinstance(album, Broken) else field_of(album, "id")
        if isinstance(broken, Broken):
            yield Reject(f"{entry.track_location}.album", f"album_id: {broken.reason}", broken.raw)
            continue
        if not isinstance(album, SpotifyAlbum) or not isinstance(album.id, str) or not album.id:
            yield Skip("album_without_id")
            continue
        if album.id in first:
            yield Skip("repeated_album")
        else:
            first[album.id] = f"{entry.track_location}.album", album
        tracks[album.id] += 1
    for album_id, (location, album) in first.items():
        full = merge_with_full(album, snapshot.albums.get(album_id))
        yield Candidate(location, _album(snapshot, album_id, full, tracks[album_id]))


def _album(snapshot: Snapshot, album_id: str, album: SpotifyAlbum, entries: int) -> Album:
    artist_ids, artist_names = artist_columns(album)
    release_on = first_day(album.release_date)
    return {
        **snapshot.origin,
        "album_id": album_id,
        "album_name": album.name,
        "album_type": album.album_type,
        "artist_ids": artist_ids,
        "artist_names": artist_names,
        "release_date": album.release_date,
        "release_date_precision": album.release_date_precision,
        "release_on": release_on,
        "release_year": release_on.year if release_on else None,
        "total_tracks": album.total_tracks,
        "label": album.label,
        "upc": field_of(album.external_ids, "upc"),
        "popularity": album.popularity,
        "tracks_in_playlist": entries,
        "album_url": link(album),
        "image_url": largest_image(album.images),
    }
