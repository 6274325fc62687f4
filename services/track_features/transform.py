from contracts.broken import Broken
from contracts.candidates import Candidate, Candidates, Reject, Skip
from contracts.snapshot import Snapshot, SourcedFeatures, TrackEntry
from contracts.spotify import isrc
from contracts.tables.track_features import TrackFeatures

_NO_KEY_FOUND = -1


def track_features(snapshot: Snapshot) -> Candidates[TrackFeatures]:
    """Yields each distinct track with audio features, at the position of its first entry."""
    seen: set[str] = set()
    for entry in snapshot.entries:
        if not isinstance(entry, TrackEntry):
            yield entry
            continue
        track_id = entry.track.id
        if isinstance(track_id, Broken):
            yield Reject(entry.location, f"track_id: {track_id.reason}", track_id.raw)
        elif not track_id:
            yield Skip("track_without_id")
        elif track_id in seen:
            yield Skip("repeated_track")
        elif (sourced := snapshot.features_of(entry.track)) is None:
            seen.add(track_id)
            yield Skip("no_features")
        else:
            seen.add(track_id)
            yield Candidate(sourced.location, _track_features(snapshot, track_id, entry, sourced))


def _track_features(snapshot: Snapshot, track_id: str, entry: TrackEntry, sourced: SourcedFeatures) -> TrackFeatures:
    features = sourced.features
    return {
        **snapshot.origin,
        "track_id": track_id,
        "isrc": isrc(entry.track),
        "feature_source": sourced.source,
        "danceability": features.danceability,
        "energy": features.energy,
        "key": None if features.key == _NO_KEY_FOUND else features.key,
        "loudness_db": features.loudness,
        "mode": features.mode,
        "speechiness": features.speechiness,
        "acousticness": features.acousticness,
        "instrumentalness": features.instrumentalness,
        "liveness": features.liveness,
        "valence": features.valence,
        "tempo_bpm": features.tempo,
        "time_signature": features.time_signature,
        "duration_ms": features.duration_ms,
    }
