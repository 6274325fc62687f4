from collections import Counter
from dataclasses import dataclass, field

from contracts.candidates import Candidate, Candidates, Reject, Skip, as_json
from contracts.drift import drift
from contracts.snapshot import Snapshot, SourcedFeatures, TrackEntry
from contracts.spotify import Artist, User, credited, link
from contracts.tables.playlist_metadata import PlaylistMetadata


def playlist_metadata(snapshot: Snapshot) -> Candidates[PlaylistMetadata]:
    """The snapshot itself."""
    playlist = snapshot.playlist
    owner = playlist.owner or User()
    contents = _Contents()
    for entry in snapshot.entries:
        contents.count(entry, snapshot)
    features = [sourced for sourced in contents.features.values() if sourced]
    artists = [snapshot.artists.get(artist_id) or Artist(artist_id) for artist_id in contents.artist_ids]
    artists_with_genre = [artist for artist in artists if snapshot.genres_of(artist)[0]]
    yield Candidate(
        "$",
        {
            **snapshot.origin,
            "playlist_name": playlist.name,
            "description": playlist.description,
            "owner_id": owner.id,
            "owner_name": owner.display_name,
            "is_public": playlist.public,
            "is_collaborative": playlist.collaborative,
            "followers": playlist.followers.total if playlist.followers else None,
            "spotify_snapshot_id": playlist.snapshot_id,
            "total_entries": snapshot.total,
            "track_entries": contents.tracks,
            "episode_entries": contents.skipped["episode"],
            "null_entries": contents.skipped["null_entry"],
            "features_coverage": _coverage(len(features), len(contents.features)),
            "popularity_coverage": _coverage(contents.tracks_with_popularity, contents.tracks),
            "genres_coverage": _coverage(len(artists_with_genre), len(contents.artist_ids)),
            "feature_source": ",".join(sorted({sourced.source for sourced in features})) or None,
            "market": snapshot.market,
            "outcome": snapshot.outcome,
            "playlist_url": link(playlist),
            "drift": as_json(drift(snapshot.body)),
        },
    )


@dataclass(slots=True)
class _Contents:
    """What the entries that were counted hold: features by track id, None for a track without any."""

    tracks: int = 0
    tracks_with_popularity: int = 0
    features: dict[str, SourcedFeatures | None] = field(default_factory=dict)
    artist_ids: set[str] = field(default_factory=set)
    skipped: Counter[str] = field(default_factory=Counter)

    def count(self, entry: TrackEntry | Skip | Reject, snapshot: Snapshot) -> None:
        match entry:
            case TrackEntry(track=track):
                self.tracks += 1
                self.tracks_with_popularity += track.popularity is not None and not entry.is_unknown_to_spotify
                if track.id:
                    self.features[track.id] = snapshot.features_of(track)
                self.artist_ids.update(artist.id for artist in credited(track) if artist.id)
            case Skip(rule=rule):
                self.skipped[rule] += 1


def _coverage(covered: int, of: int) -> float | None:
    return covered / of if of else None
