import re
from collections import Counter
from datetime import date

from contracts.candidates import Candidate, Candidates, Skip
from contracts.fields import Unverified, as_json
from contracts.snapshot import Snapshot, TrackEntry
from contracts.spotify import Album as SpotifyAlbum
from contracts.spotify import completed, credited, largest_image, link
from contracts.tables.albums import Album

_RELEASE = re.compile(r"(\d{4})(?:-(\d{2}))?(?:-(\d{2}))?", re.ASCII)


def albums(snapshot: Snapshot) -> Candidates[Album]:
    """Each distinct album of the snapshot, at the place of its first track."""
    entries_by_album = Counter((entry.track.get("album") or {}).get("id") for entry in snapshot.tracks)
    seen: set[str] = set()
    for entry in snapshot.entries:
        if not isinstance(entry, TrackEntry):
            yield entry
            continue
        album = entry.track.get("album") or {}
        album_id = album.get("id")
        if not album_id:
            yield Skip(entry.location, "album_without_id")
        elif album_id in seen:
            yield Skip(entry.location, "repeated_album")
        else:
            seen.add(album_id)
            full = completed(album, snapshot.albums.get(album_id, {}))
            yield Candidate(
                f"{entry.track_location}.album", _album(snapshot, album_id, full, entries_by_album[album_id])
            )


def _album(snapshot: Snapshot, album_id: str, album: SpotifyAlbum, entries: int) -> Album:
    artists = credited(album)
    release_on = first_day(album.get("release_date"))
    return {
        **snapshot.origin,
        "album_id": album_id,
        "album_name": album.get("name"),  # type: ignore[typeddict-item]  # the contract refuses null
        "album_type": album.get("album_type"),
        "artist_ids": as_json([artist.get("id") for artist in artists]),
        "artist_names": as_json([artist.get("name") for artist in artists]),
        "release_date": album.get("release_date"),
        "release_date_precision": album.get("release_date_precision"),
        "release_on": release_on,
        "release_year": release_on.year if release_on else None,
        "total_tracks": album.get("total_tracks"),
        "label": album.get("label"),
        "upc": (album.get("external_ids") or {}).get("upc"),
        "popularity": album.get("popularity"),
        "tracks_in_playlist": entries,
        "album_url": link(album),
        "image_url": largest_image(album.get("images")),
    }


def first_day(release_date: Unverified) -> date | None:
    """The first day that a release date can mean; None if it names no day, as `0000` does."""
    parts = _RELEASE.fullmatch(release_date) if isinstance(release_date, str) else None
    if parts is None:
        return None
    year, month, day = (int(part or 1) for part in parts.groups())
    try:
        return date(year, month, day)
    except ValueError:
        return None
