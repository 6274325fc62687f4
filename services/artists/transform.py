from dataclasses import dataclass

from contracts.candidates import Candidate, Candidates, Skip, as_json
from contracts.snapshot import Snapshot, TrackEntry
from contracts.spotify import Artist as SpotifyArtist
from contracts.spotify import completed, credited, largest_image, link
from contracts.tables.artists import Artist


def artists(snapshot: Snapshot) -> Candidates[Artist]:
    """Each distinct artist of the snapshot, in the order of their first credits.

    Every credit is a candidate, and so is every entry without one.
    """
    found: dict[str, _Credits] = {}
    for entry in snapshot.entries:
        if not isinstance(entry, TrackEntry):
            yield entry
            continue
        credits_ = credited(entry.track)
        if not credits_:
            yield Skip(entry.location, "no_artist")
        path = f"{entry.track_location}.artists"
        for index, artist in enumerate(credits_):
            location = f"{path}[{index}]"
            artist_id = artist.id
            if not artist_id:
                yield Skip(location, "artist_without_id")
            elif artist_id in found:
                found[artist_id].positions.add(entry.position)
                yield Skip(location, "repeated_artist")
            else:
                found[artist_id] = _Credits(location, artist, {entry.position})
    for artist_id, of_the_artist in found.items():
        yield Candidate(of_the_artist.location, _artist(snapshot, artist_id, of_the_artist))


@dataclass(frozen=True, slots=True)
class _Credits:
    """The credits of an artist: location and artist of the first, the positions of all."""

    location: str
    artist: SpotifyArtist
    positions: set[int]


def _artist(snapshot: Snapshot, artist_id: str, credits_: _Credits) -> Artist:
    artist = completed(credits_.artist, snapshot.artists.get(artist_id))
    genres, genres_as_of = snapshot.genres_of(artist)
    return {
        **snapshot.origin,
        "artist_id": artist_id,
        "artist_name": artist.name,
        "genres": as_json(genres) if isinstance(genres, list) else genres,
        "primary_genre": genres[0] if isinstance(genres, list) and genres else None,
        "genres_as_of": genres_as_of,
        "popularity": artist.popularity,
        "followers": artist.followers.total if artist.followers else None,
        "tracks_in_playlist": len(credits_.positions),
        "best_position": min(credits_.positions),
        "artist_url": link(artist),
        "image_url": largest_image(artist.images),
    }
