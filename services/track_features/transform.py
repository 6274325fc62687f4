from contracts.candidates import Candidate, Candidates, Skip
from contracts.snapshot import Snapshot, SourcedFeatures, TrackEntry
from contracts.tables.track_features import TrackFeatures

_NO_KEY_FOUND = -1


def track_features(snapshot: Snapshot) -> Candidates[TrackFeatures]:
    """Each distinct track with audio features, at the place of its first entry."""
    seen: set[str] = set()
    for entry in snapshot.entries:
        if not isinstance(entry, TrackEntry):
            yield entry
            continue
        track_id = entry.track.get("id")
        if not track_id:
            yield Skip(entry.location, "track_without_id")
        elif track_id in seen:
            yield Skip(entry.location, "repeated_track")
        elif (sourced := snapshot.features_of(entry.track)) is None:
            seen.add(track_id)
            yield Skip(entry.location, "no_features")
        else:
            seen.add(track_id)
            yield Candidate(sourced.location, _track_features(snapshot, track_id, entry, sourced))


def _track_features(snapshot: Snapshot, track_id: str, entry: TrackEntry, sourced: SourcedFeatures) -> TrackFeatures:
    features = sourced.features
    key = features.get("key")
    return {
        **snapshot.origin,
        "track_id": track_id,
        "isrc": (entry.track.get("external_ids") or {}).get("isrc"),
        "feature_source": sourced.source,
        "danceability": features.get("danceability"),
        "energy": features.get("energy"),
        "key": None if key == _NO_KEY_FOUND else key,
        "loudness_db": features.get("loudness"),
        "mode": features.get("mode"),
        "speechiness": features.get("speechiness"),
        "acousticness": features.get("acousticness"),
        "instrumentalness": features.get("instrumentalness"),
        "liveness": features.get("liveness"),
        "valence": features.get("valence"),
        "tempo_bpm": features.get("tempo"),
        "time_signature": features.get("time_signature"),
        "duration_ms": features.get("duration_ms"),
    }
