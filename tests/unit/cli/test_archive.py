"""Where documents from elsewhere belong."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from contracts.snapshot import Provenance, read_snapshot
from infra.cli.archive import documents
from infra.cli.screen import ConsoleError
from shared.lake import SnapshotKey
from tests.documents import entry, envelope, playlist, track, tracks_in

DAY = date(2026, 11, 22)


def file(folder: Path, name: str, document: Any) -> Path:
    path = folder / name
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return path


def page(offset: int, *entries: Any) -> dict[str, Any]:
    return {"items": list(entries), "offset": offset, "limit": 2, "total": 3, "next": None, "previous": None}


def test_a_document_is_kept_as_it_is_under_the_day_in_its_name_and_its_own_id(tmp_path: Path) -> None:
    path = file(tmp_path, "top50_2024-05-02.json", [playlist(entry(track()))])

    (document,) = documents([path], day=None, playlist=None, pages_of_one=False)

    assert document.key == SnapshotKey(date(2024, 5, 2), "3cEYpjA9oz9GiPac4AsH4n")
    assert document.body == path.read_bytes()
    assert document.entries == 1


def test_an_envelope_tells_its_day_and_playlist_itself(tmp_path: Path) -> None:
    path = file(tmp_path, "snapshot.json", envelope(playlist()))

    (document,) = documents([path], day=None, playlist=None, pages_of_one=False)

    assert document.key == SnapshotKey(DAY, "3cEYpjA9oz9GiPac4AsH4n")


def test_pages_are_merged_in_the_order_of_their_offsets(tmp_path: Path) -> None:
    # given the second page of a playlist before its first, which the playlist holds
    second = file(tmp_path, "b.json", page(2, entry(track("Three"))))
    first = file(tmp_path, "a.json", playlist(tracks=page(0, entry(track("One")), entry(None)), id=None))

    (document,) = documents([second, first], day=DAY, playlist="starred", pages_of_one=True)

    # then both are kept as they are, and read as one playlist
    assert json.loads(document.body) == [json.loads(each.read_bytes()) for each in (second, first)]
    snapshot = read_snapshot(document.body, Provenance("starred", DAY))
    assert snapshot.playlist.name == "Trending"
    assert [(each.position, each.track.name) for each in tracks_in(snapshot)] == [(1, "One"), (3, "Three")]
    assert document.entries == 3


def test_pages_that_do_not_follow_each_other_are_refused(tmp_path: Path) -> None:
    files = [file(tmp_path, "a.json", page(0, entry(None))), file(tmp_path, "b.json", page(2, entry(None)))]

    with pytest.raises(ConsoleError, match="one begins at entry 2, where 1 entries came before it"):
        documents(files, day=DAY, playlist="starred", pages_of_one=True)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.json", "{", "not a playlist document: Invalid JSON"),
        ("a.json", playlist(), "does not tell its day"),
        ("2024-02-30.json", playlist(), "does not tell its day"),
        ("2024-02-28.json", playlist(id=None), "does not tell its playlist's id"),
        ("2024-02-28.json", playlist(id="../x"), "cannot be loaded: key"),
        ("2024-02-28.json", {"id": "x", "type": "artist"}, "cannot be loaded: [$]: not a playlist"),
        ("2024-02-28.json", envelope(playlist()) | {"playlist": None, "id": "x"}, "cannot be loaded"),
    ],
)
def test_what_cannot_be_loaded_is_refused_with_what_to_do(
    tmp_path: Path, name: str, content: Any, message: str
) -> None:
    with pytest.raises(ConsoleError, match=message):
        documents([file(tmp_path, name, content)], day=None, playlist=None, pages_of_one=False)


def test_a_document_of_another_playlist_than_is_asked_for_is_refused(tmp_path: Path) -> None:
    path = file(tmp_path, "top50_2024-05-02.json", playlist())

    with pytest.raises(ConsoleError, match="'3cEYpjA9oz9GiPac4AsH4n' contradicts the object's key, which says another"):
        documents([path], day=None, playlist="another", pages_of_one=False)


def test_two_documents_of_one_snapshot_are_refused(tmp_path: Path) -> None:
    files = [file(tmp_path, name, playlist(entry(track(name)))) for name in ("a.json", "b.json")]

    with pytest.raises(ConsoleError, match="Several files are the snapshot of raw/spotify/2026-11-22/"):
        documents(files, day=DAY, playlist=None, pages_of_one=False)
