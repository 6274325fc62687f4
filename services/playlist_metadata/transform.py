from collections.abc import Collection
from typing import Any

from contracts.candidates import Candidate, Candidates
from contracts.drift import drift
from contracts.fields import as_json
from contracts.snapshot import Snapshot
from contracts.spotify import credited, link
from contracts.tables.playlist_metadata import PlaylistMetadata


def playlist_metadata(snapshot: Snapshot) -> Candidates[PlaylistMetadata]:
    """The snapshot itself."""
    playlist = snapshot.playlist
    owner = playlist.get("owner") or {}
    tracks = list(snapshot.tracks)
    distinct = {track_id: entry.track for entry in tracks if (track_id := entry.track.get("id"))}
    artist_ids = {artist_id for entry in tracks for artist in credited(entry.track) if (artist_id := artist.get("id"))}
    artists_with_genre = {
        artist_id
        for artist_id in artist_ids
        if artist_id in snapshot.artists and snapshot.artists[artist_id].get("genres")
    }
    with_popularity = [
        entry for entry in tracks if entry.track.get("popularity") is not None and not entry.is_unknown_to_spotify
    ]
    measured = [sourced for track in distinct.values() if (sourced := snapshot.features_of(track))]
    skipped = snapshot.skipped
    yield Candidate(
        "$",
        {
            **snapshot.origin,
            "playlist_name": playlist.get("name"),
            "description": playlist.get("description"),
            "owner_id": owner.get("id"),
            "owner_name": owner.get("display_name"),
            "is_public": playlist.get("public"),
            "is_collaborative": playlist.get("collaborative"),
            "followers": (playlist.get("followers") or {}).get("total"),
            "spotify_snapshot_id": playlist.get("snapshot_id"),
            "total_entries": snapshot.total,
            "track_entries": len(tracks),
            "episode_entries": skipped["episode"],
            "null_entries": skipped["null_entry"],
            "features_coverage": _coverage(measured, distinct),
            "popularity_coverage": _coverage(with_popularity, tracks),
            "genres_coverage": _coverage(artists_with_genre, artist_ids),
            "feature_source": ",".join(sorted({sourced.source for sourced in measured})) or None,
            "market": snapshot.market,
            "outcome": snapshot.outcome,
            "playlist_url": link(playlist),
            "drift": as_json(drift(snapshot.body)),
        },
    )


def _coverage(covered: Collection[Any], of: Collection[Any]) -> float | None:
    return len(covered) / len(of) if of else None
