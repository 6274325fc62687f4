"""Where documents from elsewhere belong."""

import gzip
import json
from collections.abc import Callable
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

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

    with pytest.raises(ConsoleError, match=r"b\.json begins at entry 2, where 1 entries came before it"):
        documents(files, day=DAY, playlist="starred", pages_of_one=True)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.json", "{", r"a\.json cannot be loaded: \$: .*JSON"),
        ("a.json", playlist(), "does not tell its day"),
        ("2024-02-30.json", playlist(), "does not tell its day"),
        ("2024-02-28.json", playlist(id=None), "does not tell its playlist's id"),
        (
            "2024-02-28.json",
            playlist(id="../x"),
            "cannot be loaded as playlist '../x' of 2024-02-28: not the key of a raw snapshot",
        ),
        ("2024-02-28.json", {"id": "x", "type": "artist"}, "cannot be loaded: [$]: no"),
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


@pytest.mark.parametrize(
    "encode",
    [
        lambda text: text.encode("utf-16"),
        lambda text: text.encode("utf-8-sig"),
        lambda text: gzip.compress(text.encode()),
    ],
    ids=["UTF-16", "a byte order mark", "gzip"],
)
@pytest.mark.parametrize("pages_of_one", [False, True])
def test_a_document_may_come_in_other_encodings(
    tmp_path: Path, encode: Callable[[str], bytes], *, pages_of_one: bool
) -> None:
    path = tmp_path / "snapshot.json"
    path.write_bytes(encode(json.dumps(envelope(playlist(entry(track()))))))

    (document,) = documents([path], day=None, playlist=None, pages_of_one=pages_of_one)

    assert document.entries == 1


def test_two_documents_of_one_snapshot_are_refused(tmp_path: Path) -> None:
    files = [file(tmp_path, name, playlist(entry(track(name)))) for name in ("a.json", "b.json")]

    with pytest.raises(ConsoleError, match="Several files are the snapshot of raw/spotify/2026-11-22/"):
        documents(files, day=DAY, playlist=None, pages_of_one=False)


WHOLE: dict[str, Any] = envelope(playlist(entry(track())))
DEFAULTS = {"snapshot_date": None, "run_id": None, "extracted_at": None, "schema_version": None}
NO_TEXT: list[Any] = [None, 3.5, [], {}, "", "im März"]
NO_DOCUMENT: list[Any] = [None, True, 3, "x", [], [[]], [WHOLE, WHOLE], {}, "\ud800"]
ODD: dict[str, Any] = {
    **{f"snapshot {odd!r}": WHOLE | {"snapshot": odd} for odd in ([], [1], 3, "x", True, {}, {"run_id": "x"})},
    **{f"playlist {odd!r}": WHOLE | {"playlist": odd} for odd in (None, [1], 1, "a", {"items": 3})},
    **{
        f"{name} {odd!r}": WHOLE | {"snapshot": WHOLE["snapshot"] | {name: odd}} for name in DEFAULTS for odd in NO_TEXT
    },
    "a day outside": WHOLE | {"snapshot": WHOLE["snapshot"] | {"snapshot_date": "2040-01-01"}},
    **{
        f"id {odd!r}": WHOLE | {"playlist": WHOLE["playlist"] | {"id": odd}}
        for odd in (None, 3, "", "../x", ["a"], "é")
    },
    **{f"document {odd!r}": odd for odd in NO_DOCUMENT},
    "artists": WHOLE | {"artists": 3},
    "features": WHOLE | {"audio_features": "x"},
}
ODD_BYTES = {
    "empty": b"",
    "only space": b" \n\t ",
    "nested": b"[" * 100_000,
    "nested objects": b'{"a":' * 100_000,
    "nested within": json.dumps(WHOLE).encode()[:-1] + b', "x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "a name twice": b'{"snapshot": {}, "snapshot": 1, "playlist": {}}',
    "NaN": b"NaN",
    "a long number": b'{"snapshot": {"snapshot_date": ' + b"9" * 5_000 + b"}}",
    "Latin-1": json.dumps(WHOLE | {"x": "\xe9"}, ensure_ascii=False).encode("latin-1"),
    "half of UTF-16": json.dumps(WHOLE).encode("utf-16")[:-1],
    "gzip": b"\x1f\x8b\x08\x00",
    "half a document": json.dumps(WHOLE).encode()[:-9],
}


@pytest.mark.parametrize("pages_of_one", [False, True])
@pytest.mark.parametrize("name", [*ODD, *ODD_BYTES])
def test_an_odd_document_is_refused_with_its_file_and_what_to_do(
    tmp_path: Path, name: str, *, pages_of_one: bool
) -> None:
    path = tmp_path / "odd.json"
    path.write_bytes(ODD_BYTES[name] if name in ODD_BYTES else json.dumps(ODD[name]).encode())

    with pytest.raises(ConsoleError, match=r"odd\.json .*[:.] (give|Give|save|name|Name|Load)"):
        documents([path], day=None, playlist=None, pages_of_one=pages_of_one)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=2), inner, max_size=2),
    max_leaves=4,
)
NAMES = st.sampled_from(["snapshot", "playlist", "items", "tracks", "artists", "id", "offset", "type", *DEFAULTS])


@given(drawn=st.dictionaries(NAMES, JSON), pages_of_one=st.booleans())
def test_whatever_a_document_holds_ends_as_a_document_or_a_sentence(
    tmp_path_factory: pytest.TempPathFactory, drawn: dict[str, Any], *, pages_of_one: bool
) -> None:
    path = tmp_path_factory.getbasetemp() / "drawn.json"
    for document in (drawn, WHOLE | drawn, *(WHOLE | {name: WHOLE[name] | drawn} for name in ("snapshot", "playlist"))):
        path.write_text(json.dumps(document))
        with suppress(ConsoleError):
            assert documents([path], day=DAY, playlist="starred", pages_of_one=pages_of_one)


@pytest.mark.parametrize("make", [Path.mkdir, Path.exists], ids=["a folder", "no file"])
def test_what_cannot_be_read_is_named(tmp_path: Path, make: Any) -> None:
    path = tmp_path / "2026-11-22.json"
    make(path)

    with pytest.raises(ConsoleError, match=r"2026-11-22\.json cannot be read: .*directory"):
        documents([path], day=None, playlist=None, pages_of_one=False)
