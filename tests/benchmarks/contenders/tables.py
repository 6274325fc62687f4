"""The five tables of the contracts, as a peer writes them down for itself."""

DAY = "2024-05-02"
PLAYLIST = "37i9dQZEVXbMDoHDwVN2tF"

_ORIGIN = {"snapshot_date": str, "playlist_id": str, "run_id": str, "extracted_at": "timestamp"}

TABLES: dict[str, dict[str, object]] = {
    "songs": {
        **_ORIGIN,
        "position": int, "track_id": str, "linked_from_id": str, "isrc": str, "track_name": str, "artist_id": str,
        "artist_name": str, "artist_ids": str, "artist_names": str, "album_id": str, "album_name": str,
        "popularity": int, "popularity_measured": bool,
        "duration_ms": int, "duration_min": float, "explicit": bool, "is_local": bool, "is_playable": bool,
        "disc_number": int, "track_number": int, "added_at": "timestamp", "added_by": str, "track_url": str,
    },
    "artists": {
        **_ORIGIN,
        "artist_id": str, "artist_name": str, "genres": str, "primary_genre": str, "genres_as_of": "day",
        "popularity": int, "followers": int, "tracks_in_playlist": int, "best_position": int, "artist_url": str,
        "image_url": str,
    },
    "albums": {
        **_ORIGIN,
        "album_id": str, "album_name": str, "album_type": str, "artist_ids": str, "artist_names": str,
        "release_date": str, "release_date_precision": str, "release_on": "day", "release_year": int,
        "total_tracks": int, "label": str, "upc": str, "popularity": int, "tracks_in_playlist": int,
        "album_url": str, "image_url": str,
    },
    "track_features": {
        **_ORIGIN,
        "track_id": str, "isrc": str, "feature_source": str, "danceability": float, "energy": float, "key": int,
        "loudness_db": float, "mode": int, "speechiness": float, "acousticness": float, "instrumentalness": float,
        "liveness": float, "valence": float, "tempo_bpm": float, "time_signature": int, "duration_ms": int,
    },
    "playlist_metadata": {
        **_ORIGIN,
        "playlist_name": str, "description": str, "owner_id": str, "owner_name": str, "is_public": bool,
        "is_collaborative": bool, "followers": int, "spotify_snapshot_id": str, "total_entries": int,
        "track_entries": int, "episode_entries": int, "null_entries": int, "unknown_entries": int,
        "rejected_entries": int, "unexplained_entries": int, "features_coverage": float,
        "popularity_coverage": float, "genres_coverage": float, "feature_source": str, "market": str,
        "outcome": str, "simulated": bool, "playlist_url": str, "drift": str,
    },
}  # fmt: skip
"""Columns and their types by table."""
