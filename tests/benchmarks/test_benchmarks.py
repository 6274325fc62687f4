"""What the benchmarks compare is comparable: real documents of any length, and the contracts' own columns."""

from datetime import date
from pathlib import Path

import pytest

from contracts.columns import columns
from contracts.documents import identify
from contracts.snapshot import Provenance, read_snapshot
from contracts.tables import TABLES, of_kind
from tests.benchmarks import documents
from tests.benchmarks.contenders.tables import PLAYLIST
from tests.benchmarks.contenders.tables import TABLES as WRITTEN_DOWN
from tests.documents import tracks_in


@pytest.mark.parametrize("original", ["as it is here", "where the real one is absent"])
def test_a_document_of_any_length_has_entries_with_ids_of_their_own(
    original: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    if original == "where the real one is absent":
        monkeypatch.setattr(documents, "_REAL", tmp_path / "absent.json")

    body = documents.document(120)

    assert identify(body).playlist_id == PLAYLIST
    snapshot = read_snapshot(body, Provenance(PLAYLIST, date(2024, 5, 2)))
    assert (snapshot.total, len(snapshot.entries), snapshot.outcome) == (120, 120, "ok")
    assert len({entry.track.id for entry in tracks_in(snapshot)}) == 120
    assert body.count(b'"available_markets":[') == 240
    assert documents.document(50, copy=1) != documents.document(50)
    assert identify(documents.of_playlist(body, "0" * 22)).playlist_id == "0" * 22


def test_peers_write_the_columns_of_the_contracts() -> None:
    assert {name: list(told) for name, told in WRITTEN_DOWN.items()} == {
        name: [column.name for column in columns(TABLES[name].row)] for name in of_kind("playlists")
    }
