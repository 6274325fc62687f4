"""Fields that no contract knows."""

import json

from contracts.drift import unknown_fields
from tests.documents import artist, entry, envelope, playlist, track


def test_unknown_fields_are_named_once_wherever_they_stand() -> None:
    document = envelope(
        playlist(entry(track(mood="calm"), vibe=1), entry(track(mood="wild")), house="new"),
        artists=[artist(tours=[])],
        weather={},
    )

    assert unknown_fields(json.dumps(document).encode()) == [
        "$.artists[].tours",
        "$.playlist.house",
        "$.playlist.tracks.items[].track.mood",
        "$.playlist.tracks.items[].vibe",
        "$.weather",
    ]


def test_a_document_that_spotify_documents_drifts_nowhere() -> None:
    assert unknown_fields(json.dumps([playlist(entry(track()), entry(None))]).encode()) == []
