"""That the places which the console names are those that the transforms made rows of."""

import json
from datetime import date
from typing import Any

import pytest

from contracts.candidates import Candidate
from contracts.chart import write_raw_chart
from contracts.lists import ListSnapshot
from contracts.snapshot import Provenance, Snapshot, read_snapshot
from contracts.tables import TABLES
from infra.cli.explain import entries, value_at
from services import transform_of
from tests.charts import REGIONAL_WEEKLY, chart_file, chart_of, loaded, track_id
from tests.documents import artist, entry, envelope, isrc_of, playlist, track

PLAYLIST = "3cEYpjA9oz9GiPac4AsH4n"


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


CHART = loaded(
    "regional-de-weekly-2023-01-12.csv", b",,preface\n" + chart_file(REGIONAL_WEEKLY, [1, 2, 4]).replace(b"\n", b"\r\n")
)
OF_KIND: dict[Any, tuple[Any, ListSnapshot]] = {
    "playlists": (DOCUMENT, read(DOCUMENT)),
    "charts": (json.loads(write_raw_chart(CHART)), chart_of(CHART)),
}


@pytest.mark.parametrize("table", TABLES)
def test_every_row_is_found_by_its_key_and_explained_by_the_place_that_it_was_made_of(table: str) -> None:
    document, snapshot = OF_KIND[TABLES[table].kind]
    made = [each for each in transform_of(table)(snapshot) if isinstance(each, Candidate)]

    assert made
    assert [each.location for each in entries(snapshot, table, None)] == [each.location for each in made]
    for candidate in made:
        value_at(document, candidate.location)
        for column in set(TABLES[table].key).difference(TABLES[table].snapshot):
            found = entries(snapshot, table, str(candidate.row[column]))
            assert candidate.location in [each.location for each in found]


@pytest.mark.parametrize(
    ("table", "name", "places"),
    [
        ("songs", "track-one", {"$.playlist.tracks.items[0]": 1, "$.playlist.tracks.items[3]": 4}),
        ("songs", "3", {"$.playlist.tracks.items[2]": 3}),
        ("artists", "b", {"$.playlist.tracks.items[0].track.artists[1]": 1}),
        ("albums", "1", {"$.playlist.tracks.items[0].track.album": 1}),
        ("track_features", "track-two", {"$.audio_features[0].items[0]": None}),
    ],
)
def test_a_row_is_named_by_an_id_or_by_the_position_of_its_entry(
    table: str, name: str, places: dict[str, int | None]
) -> None:
    assert {each.location: each.position for each in entries(read(DOCUMENT), table, name)} == places


@pytest.mark.parametrize("name", ["4", track_id(4)])
def test_a_row_of_a_chart_is_named_by_its_rank_or_its_id_and_explained_by_its_line(name: str) -> None:
    document, chart = OF_KIND["charts"]

    (found,) = entries(chart, "charts", name)

    assert (found.location, found.position) == ("$.document line 5", 4)
    assert value_at(document, found.location).startswith(f"4,spotify:track:{track_id(4)},")


def test_a_row_without_an_id_is_found_by_its_position() -> None:
    (found,) = entries(read(DOCUMENT), "songs", "5")

    assert found.location == "$.playlist.tracks.items[4]"
    assert value_at(DOCUMENT, found.location)["track"]["name"] == "Local"


def test_what_is_no_row_has_no_place() -> None:
    assert entries(read(DOCUMENT), "songs", "track-three") == []
    assert entries(read(DOCUMENT), "songs", "2") == []
