"""Fields that no contract knows."""

import json
from pathlib import Path

import pytest

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


@pytest.mark.parametrize("value", [b"NaN", b"-Infinity", rb'"cut \ud83c"'])
def test_what_a_strict_parser_takes_for_no_json_hides_nothing(value: bytes) -> None:
    body = b'{"type": "playlist", "tracks": {"items": [{"track": {"mood": 1, "available_markets": ' + value + b"}}]}}"

    assert drift(body) == [{"path": "$.tracks.items[].track.mood", "what": "unknown field", "count": 1}]


def test_elements_of_blocks_and_of_a_bare_page_are_looked_at() -> None:
    blocks = [
        {"source": "spotify", "items": [{"id": "a", "mood": 1}]},
        {"source": "reccobeats", "items": [{"beat": 2}]},
    ]

    assert [each["path"] for each in drift(json.dumps(envelope(playlist(), audio_features=blocks)).encode())] == [
        "$.audio_features[].items[].beat",
        "$.audio_features[].items[].mood",
    ]
    assert [each["path"] for each in drift(b'{"items": [{"track": null, "vibe": 1}, 7], "house": 3}')] == [
        "$.house",
        "$.items[]",
        "$.items[].vibe",
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
