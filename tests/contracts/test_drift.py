"""Fields that no contract knows."""

import json
from pathlib import Path

from contracts.drift import drift
from tests.documents import artist, entry, envelope, playlist, track


def test_unknown_fields_are_named_once_with_how_often_they_came() -> None:
    document = envelope(
        playlist(entry(track(mood="calm"), vibe=1), entry(track(mood="wild")), house="new"),
        artists=[artist(tours=[])],
        weather={},
    )

    assert drift(json.dumps(document).encode()) == [
        {"path": "$.artists[].tours", "what": "unknown field", "count": 1},
        {"path": "$.playlist.house", "what": "unknown field", "count": 1},
        {"path": "$.playlist.tracks.items[].track.mood", "what": "unknown field", "count": 2},
        {"path": "$.playlist.tracks.items[].vibe", "what": "unknown field", "count": 1},
        {"path": "$.weather", "what": "unknown field", "count": 1},
    ]


def test_values_of_another_type_and_parts_of_another_shape_are_named() -> None:
    document = playlist(
        entry(track(popularity="50", duration_ms=1.5, album=[])), entry(track(explicit=1, artists={})), 7, name=3
    )

    assert [(each["path"], each["what"]) for each in drift(json.dumps(document).encode())] == [
        ("$.name", "int for str"),
        ("$.tracks.items[]", "int for dict"),
        ("$.tracks.items[].track.album", "list for dict"),
        ("$.tracks.items[].track.artists", "dict for list"),
        ("$.tracks.items[].track.duration_ms", "float for int"),
        ("$.tracks.items[].track.explicit", "int for bool"),
        ("$.tracks.items[].track.popularity", "str for int"),
    ]


def test_a_document_that_spotify_documents_drifts_nowhere() -> None:
    document = envelope(
        playlist(entry(track()), entry(None)),
        audio_features=[{"source": "spotify", "joined_by": "id", "items": [{"id": "a", "tempo": 120, "key": 1}]}],
    )

    assert drift(json.dumps([document]).encode()) == []
    assert drift(json.dumps(playlist(entry(track()), description=None)).encode()) == []


def test_the_captured_documents_drift_nowhere(real_documents: Path) -> None:
    for path in (*real_documents.glob("playlists/*.json"), *real_documents.glob("paged/*.json")):
        assert drift(path.read_bytes()) == []
