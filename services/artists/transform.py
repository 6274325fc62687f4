from msgspec import Struct

from contracts.broken import Broken
from contracts.candidates import Candidate, Candidates, Reject, Skip, as_json
from contracts.snapshot import Snapshot, TrackEntry
from contracts.spotify import Artist as SpotifyArtist
from contracts.spotify import credits_of, field_of, largest_image, link, merge_with_full
from contracts.tables.artists import Artist


def artists(snapshot: Snapshot) -> Candidates[Artist]:
    """Yields each distinct artist of the snapshot, in the order of their first credits.

    Every credit is a candidate, and so is every entry without one.
    """
    found: dict[str, _Credits] = {}
    for entry in snapshot.entries:
        if not isinstance(entry, TrackEntry):
            yield entry
            continue
        path = f"{entry.track_location}.artists"
        if isinstance(entry.track.artists, Broken):
            yield Reject(path, f"artists: {entry.track.artists.reason}", entry.track.artists.raw)
            continue
        credits_ = credits_of(entry.track)
        if not credits_:
            yield Skip("no_artist")
        for index, artist in credits_:
            location = f"{path}[{index}]"
            artist_id = field_of(artist, "id")
            if isinstance(artist, Broken) or isinstance(artist_id, Broken):
                yield Reject(location, f"artist_id: {artist_id.reason}", artist_id.raw)
            elif not artist_id:
                yield Skip("artist_without_id")
            elif artist_id in found:
                found[artist_id].positions.add(entry.position)
                yield Skip("repeated_artist")
            else:
                found[artist_id] = _Credits(location, artist, {entry.position})
    for artist_id, of_the_artist in found.items():
        yield Candidate(of_the_artist.location, _artist(snapshot, artist_id, of_the_artist))


class _Credits(Struct, frozen=True, gc=False):
    """The credits of an artist: location and artist of the first, positions of all."""

    location: str
    artist: SpotifyArtist
    positions: set[int]


def _artist(snapshot: Snapshot, artist_id: str, credits_: _Credits) -> Artist:
    artist = merge_with_full(credits_.artist, snapshot.artists.get(artist_id))
    genres, genres_as_of = snapshot.genres_of(artist)
    return {
        **snapshot.origin,
        "artist_id": artist_id,
        "artist_name": artist.name,
        "genres": as_json(genres) if isinstance(genres, list) else genres,
        "primary_genre": genres[0] if isinstance(genres, list) and genres else None,
        "genres_as_of": genres_as_of,
        "popularity": artist.popularity,
        "followers": field_of(artist.followers, "total"),
        "tracks_in_playlist": len(credits_.positions),
        "best_position": min(credits_.positions),
        "artist_url": link(artist),
        "image_url": largest_image(artist.images),
    }
