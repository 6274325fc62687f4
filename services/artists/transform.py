from collections import defaultdict
from collections.abc import Collection

from contracts.candidates import Candidate, Candidates, Skip
from contracts.fields import as_json
from contracts.snapshot import Snapshot, TrackEntry
from contracts.spotify import Artist as SpotifyArtist
from contracts.spotify import completed, credited, largest_image, link
from contracts.tables.artists import Artist


def artists(snapshot: Snapshot) -> Candidates[Artist]:
    """Each distinct artist of the snapshot, at the place of the first credit.

    Every credit is a candidate, and so is every entry without one.
    """
    positions: defaultdict[str, set[int]] = defaultdict(set)
    for entry in snapshot.tracks:
        for artist in credited(entry.track):
            positions[artist.get("id") or ""].add(entry.position)
    seen: set[str] = set()
    for each in snapshot.entries:
        if not isinstance(each, TrackEntry):
            yield each
            continue
        credits_ = credited(each.track)
        if not credits_:
            yield Skip(each.location, "no_artist")
        for index, artist in enumerate(credits_):
            location = f"{each.track_location}.artists[{index}]"
            artist_id = artist.get("id")
            if not artist_id:
                yield Skip(location, "artist_without_id")
            elif artist_id in seen:
                yield Skip(location, "repeated_artist")
            else:
                seen.add(artist_id)
                full = completed(artist, snapshot.artists.get(artist_id, {}))
                yield Candidate(location, _artist(snapshot, artist_id, full, positions[artist_id]))


def _artist(snapshot: Snapshot, artist_id: str, artist: SpotifyArtist, positions: Collection[int]) -> Artist:
    genres = artist.get("genres")
    return {
        **snapshot.origin,
        "artist_id": artist_id,
        "artist_name": artist.get("name"),  # type: ignore[typeddict-item]  # the contract refuses null
        "genres": as_json(genres) if isinstance(genres, list) else genres,
        "primary_genre": genres[0] if isinstance(genres, list) and genres else None,
        "popularity": artist.get("popularity"),
        "followers": (artist.get("followers") or {}).get("total"),
        "tracks_in_playlist": len(positions),
        "best_position": min(positions),
        "artist_url": link(artist),
        "image_url": largest_image(artist.get("images")),
    }
