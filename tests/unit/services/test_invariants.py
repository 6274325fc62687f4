"""What holds for every document, however hostile."""

import json
from datetime import date
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts.snapshot import Provenance, read_snapshot
from contracts.tables import TABLES
from contracts.validation import judge
from services.albums.transform import albums
from services.artists.transform import artists
from services.playlist_metadata.transform import playlist_metadata
from services.songs.transform import songs
from services.track_features.transform import track_features
from shared.parquet import encode
from tests.documents import album, artist, entry, envelope, playlist, track

TRANSFORMS = {
    "songs": songs,
    "artists": artists,
    "albums": albums,
    "track_features": track_features,
    "playlist_metadata": playlist_metadata,
}
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


def bent(sound: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """A sound object with some of its fields missing or replaced by anything."""
    missing = st.sets(st.sampled_from(sorted(sound)), max_size=3)
    replaced = st.dictionaries(st.sampled_from(sorted(sound)), ANYTHING, max_size=3)
    return st.builds(
        lambda without, other: {name: value for name, value in {**sound, **other}.items() if name not in without},
        missing,
        replaced,
    )


ARTISTS = st.lists(st.sampled_from("ABC").map(artist) | bent(artist()) | st.none(), max_size=3)
TRACKS = st.builds(
    lambda base, credits_, release: {**base, "artists": credits_, "album": release},
    st.sampled_from("XYZ").map(track) | bent(track()),
    ARTISTS,
    st.none() | bent(album()),
)
ENTRIES = st.lists(
    TRACKS.map(entry) | bent(entry(track())) | st.just(entry(None)) | st.just(entry({"type": "episode"})) | ANYTHING,
    max_size=8,
)
DOCUMENTS = st.builds(
    lambda entries, full, features: envelope(
        playlist(*entries), artists=full, audio_features=[{"source": "spotify", "items": features}]
    ),
    ENTRIES,
    ARTISTS,
    st.lists(bent({"id": "track-x", "energy": 0.5, "key": 3, "tempo": 120.0}), max_size=3),
)


@pytest.mark.parametrize("name", TRANSFORMS)
@given(document=DOCUMENTS)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_every_candidate_ends_as_a_row_a_reject_or_a_skip_and_the_rows_can_be_written(
    name: str, document: dict[str, Any]
) -> None:
    # given a possible or hostile document
    snapshot = read_snapshot(json.dumps(document).encode(), Provenance("p", date(2026, 11, 22)))
    table = TABLES[name]

    # when a table's candidates are judged
    candidates = list(TRANSFORMS[name](snapshot))
    judgement = judge(table, candidates)

    # then none is lost, none is there twice, and the rows keep the table's key
    assert judgement.entries == len(candidates)
    assert encode(table, judgement.rows)
    keys = [tuple(row[column] for column in table.key) for row in judgement.rows]
    assert len(set(keys)) == len(keys)


@given(document=DOCUMENTS)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_every_entry_of_the_playlist_is_accounted_for_in_songs(document: dict[str, Any]) -> None:
    snapshot = read_snapshot(json.dumps(document).encode(), Provenance("p", date(2026, 11, 22)))

    assert judge(TABLES["songs"], songs(snapshot)).entries == len(document["playlist"]["tracks"]["items"])
