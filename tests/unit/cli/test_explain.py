"""That the places which the console names are those that the transforms made rows of."""

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from contracts.candidates import Candidate
from contracts.documents import identify
from contracts.snapshot import Provenance, Snapshot, read_snapshot
from infra.cli.explain import entries, value_at
from services.albums.transform import albums
from services.artists.transform import artists
from services.playlist_metadata.transform import playlist_metadata
from services.songs.transform import songs
from services.track_features.transform import track_features
from tests.documents import artist, entry, envelope, isrc_of, playlist, track

PLAYLIST = "3cEYpjA9oz9GiPac4AsH4n"
TRANSFORMS: dict[str, Callable[[Snapshot], Any]] = {
    "songs": songs,
    "artists": artists,
    "albums": albums,
    "track_features": track_features,
    "playlist_metadata": playlist_metadata,
}
IDS = {"artists": "artist_id", "albums": "album_id", "track_features": "track_id", "songs": "track_id"}


def read(document: Any) -> Snapshot:
    return read_snapshot(json.dumps(document).encode(), Provenance(PLAYLIST, date(2026, 11, 22)))


DOCUMENT = envelope(
    playlist(
        entry(track("One", artists=[artist("A"), artist("B")])),
        entry(None),
        entry(track("Two", artists=[artist("B"), artist("Nameless", id=None)])),
        entry(track("One", artists=[artist("A")])),
        entry(track("Local", id=None, is_local=True)),
        entry({"type": "episode", "id": "e"}),
    ),
    audio_features=[
        {"source": "spotify", "joined_by": "id", "items": [{"id": "track-two", "energy": 0.5}]},
        {"source": "reccobeats", "joined_by": "isrc", "items": [{"isrc": isrc_of("One"), "energy": 0.7}]},
    ],
)


@pytest.mark.parametrize("table", TRANSFORMS)
def test_every_row_is_explained_by_the_place_that_it_was_made_of(table: str) -> None:
    snapshot = read(DOCUMENT)
    made = [each for each in TRANSFORMS[table](snapshot) if isinstance(each, Candidate)]

    assert made
    assert [each.location for each in entries(snapshot, table, None)] == [each.location for each in made]
    for candidate in made:
        name = candidate.row.get(IDS.get(table, ""))
        found = [each.location for each in entries(snapshot, table, name)]
        assert candidate.location in found
        value_at(DOCUMENT, candidate.location)


@pytest.mark.parametrize("table", TRANSFORMS)
def test_so_is_every_row_of_real_documents(table: str, real_documents: Path) -> None:
    for file in sorted((real_documents / "playlists").glob("*.json")):
        body = file.read_bytes()
        snapshot = read_snapshot(body, Provenance(identify(body).playlist_id or "p1", date(2026, 11, 22)))
        made = [each.location for each in TRANSFORMS[table](snapshot) if isinstance(each, Candidate)]
        assert [each.location for each in entries(snapshot, table, None)] == made


def test_a_row_without_an_id_is_found_by_its_position() -> None:
    (found,) = entries(read(DOCUMENT), "songs", "5")

    assert found.location == "$.playlist.tracks.items[4]"
    assert value_at(DOCUMENT, found.location)["track"]["name"] == "Local"


def test_what_is_no_row_has_no_place() -> None:
    assert entries(read(DOCUMENT), "songs", "track-three") == []
    assert entries(read(DOCUMENT), "songs", "2") == []
