"""Where documents from elsewhere belong, and why some belong nowhere."""

import gzip
import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any, NoReturn

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.snapshot import Provenance, read_snapshot
from infra.cli.archive import Asked, Document, Judgement, SameDay, judge, pages_of_one
from infra.cli.sources import SourceError, find_sources
from shared.lake import SnapshotKey
from tests.charts import REGIONAL_WEEKLY
from tests.documents import entry, envelope, playlist, track, tracks_in

DAY = date(2026, 11, 22)
ID = "3cEYpjA9oz9GiPac4AsH4n"
OTHER = "37i9dQZEVXbMDoHDwVN2tF"


def file(folder: Path, name: str, document: Any) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return path


def judged(*files: Path, same_day: SameDay = "refuse", **asked: Any) -> Judgement:
    return judge(find_sources(files), Asked(**asked), same_day=same_day)


def loaded(*files: Path, **asked: Any) -> Document:
    judgement = judged(*files, **asked)
    assert judgement.refused == []
    (document,) = judgement.documents
    return document


def refused(*files: Path, **asked: Any) -> str:
    judgement = judged(*files, **asked)
    assert judgement.documents == []
    (note,) = judgement.refused
    assert Path(note.name).name == files[0].name
    return note.why


def page(offset: int, *entries: Any) -> dict[str, Any]:
    return {"items": list(entries), "offset": offset, "limit": 2, "total": 3, "next": None, "previous": None}


def test_a_document_is_kept_as_it_is_under_the_day_in_its_name_and_its_own_id(tmp_path: Path) -> None:
    path = file(tmp_path, "top50_2024-05-02.json", [playlist(entry(track()))])

    document = loaded(path)

    assert document.key == SnapshotKey(date(2024, 5, 2), ID)
    assert document.read() == path.read_bytes()
    assert (document.entries, document.outcome) == (1, "ok")


def test_an_envelope_tells_its_day_and_playlist_itself(tmp_path: Path) -> None:
    assert loaded(file(tmp_path, "snapshot.json", envelope(playlist()))).key == SnapshotKey(DAY, ID)


@pytest.mark.parametrize(
    ("path", "day", "playlist_id"),
    [
        (f"2024-05-03/{ID}.json", "2024-05-03", ID),
        (f"{ID}/2024-05-03.json", "2024-05-03", ID),
        (f"{ID}/of 2024/2024-05-03.json", "2024-05-03", ID),
        (f"2024-05-03_{ID}_top50.json", "2024-05-03", ID),
        (f"2024-01-01/{OTHER}/2024-05-03-{ID}.json", "2024-05-03", ID),
        ("raw/spotify/2024-05-03/starred/playlist.json", "2024-05-03", "starred"),
    ],
)
def test_a_name_or_else_a_folder_tells_what_the_document_does_not(
    tmp_path: Path, path: str, day: str, playlist_id: str
) -> None:
    document = loaded(file(tmp_path, path, playlist(id=None)))

    assert document.key == SnapshotKey(date.fromisoformat(day), playlist_id)


@pytest.mark.parametrize(
    ("path", "why"),
    [
        (f"backup-2024-05-03/{ID}.json", "does not tell its day"),  # made on that day, of whatever day
        (f"2024-05-03--2024-05-10/{ID}.json", "does not tell its day"),
        (f"2024-05-03 to 2024-05-10 {ID}.json", "does not tell its day"),
        (f"2024-02-30/{ID}.json", "does not tell its day"),
        ("2024-05-03/starred.json", "does not tell its playlist's id"),
        (f"2024-05-03/{ID} and {OTHER}.json", "does not tell its playlist's id"),
        ("2024-05-03/abcdefghijklmnopqrstuv.json", "does not tell its playlist's id"),
        ("2024-05-03/1234567890123456789012.json", "does not tell its playlist's id"),
    ],
)
def test_nothing_is_guessed(tmp_path: Path, path: str, why: str) -> None:
    assert why in refused(file(tmp_path, path, playlist(id=None)))


@pytest.mark.parametrize(
    ("path", "document", "asked", "why"),
    [
        ("2024-05-02.json", playlist(), {"day": DAY}, "its name says that its day is 2024-05-02, and --date says 2026"),
        ("2024-05-02/a.json", playlist(), {"day": DAY}, "its folder says that its day is 2024-05-02, and --date says"),
        ("2024-05-02.json", envelope(playlist()), {}, "the document says that its day is 2026-11-22, and its name"),
        (
            "2024-05-02.json",
            playlist(),
            {"playlist": "b"},
            f"the document says that its playlist's id is {ID}, and --p",
        ),
        (f"{OTHER}_2024-05-02.json", playlist(), {}, f"its playlist's id is {ID}, and its name says {OTHER}"),
    ],
)
def test_contradictions_are_refused(tmp_path: Path, path: str, document: Any, asked: dict[str, Any], why: str) -> None:
    assert why in refused(file(tmp_path, path, document), **asked)


def test_what_a_file_is_comes_before_what_it_does_not_tell(tmp_path: Path) -> None:
    assert "not a playlist: this is an artist" in refused(file(tmp_path, "a.json", {"id": "x", "type": "artist"}))


def test_pages_are_merged_in_the_order_of_their_offsets(tmp_path: Path) -> None:
    # given the second page of a playlist before its first, which the playlist holds
    second = file(tmp_path, "b.json", page(2, entry(track("Three"))))
    first = file(tmp_path, "a.json", playlist(tracks=page(0, entry(track("One")), entry(None)), id=None))

    judgement = judge([pages_of_one(find_sources([second, first]))], Asked(DAY, "starred"))

    # then both are kept as they are, and read as one playlist
    (document,) = judgement.documents
    assert json.loads(document.read()) == [json.loads(each.read_bytes()) for each in (second, first)]
    snapshot = read_snapshot(document.read(), Provenance("starred", DAY))
    assert snapshot.playlist.name == "Trending"
    assert [(each.position, each.track.name) for each in tracks_in(snapshot)] == [(1, "One"), (3, "Three")]
    assert document.entries == 3


def test_pages_that_do_not_follow_each_other_are_refused(tmp_path: Path) -> None:
    files = [file(tmp_path, "a.json", page(0, entry(None))), file(tmp_path, "b.json", page(2, entry(None)))]

    with pytest.raises(SourceError, match=r"b\.json begins at entry 2, where 1 entries came before it"):
        pages_of_one(find_sources(files))


def test_pages_that_do_not_say_where_they_stand_follow_each_other_as_they_were_named(tmp_path: Path) -> None:
    files = [
        file(tmp_path, name, {"items": [entry(track(name))]}) for name in ("top.json", "page_2.json", "page_10.json")
    ]

    document = read_snapshot(pages_of_one(find_sources(files)).read(), Provenance("starred", DAY))

    assert [each.track.name for each in tracks_in(document)] == ["top.json", "page_2.json", "page_10.json"]


def test_pages_that_do_not_say_where_they_stand_are_not_ordered_by_their_names_as_text(tmp_path: Path) -> None:
    for name in ("page_1.json", "page_2.json", "page_10.json"):
        file(tmp_path, name, {"items": [entry(track(name))]})

    with pytest.raises(SourceError, match=r"do not say where they stand, and .*page_10\.json is named before .*page_2"):
        pages_of_one(find_sources([tmp_path]))


def test_pages_that_say_where_they_stand_may_be_named_anyhow(tmp_path: Path) -> None:
    for number, offset in ((1, 0), (2, 1), (10, 2)):
        file(tmp_path, f"page_{number}.json", page(offset, entry(track(f"{number}"))))

    document = read_snapshot(pages_of_one(find_sources([tmp_path])).read(), Provenance("starred", DAY))

    assert [each.track.name for each in tracks_in(document)] == ["1", "2", "10"]


def test_a_file_among_the_pages_that_is_none_is_named(tmp_path: Path) -> None:
    files = [file(tmp_path, "a.json", page(0, entry(None))), file(tmp_path, "b.json", {"type": "artist"})]

    with pytest.raises(SourceError, match=r"b\.json: not a playlist: this is an artist"):
        pages_of_one(find_sources(files))


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("a.json", "{", "Invalid JSON"),
        ("2024-02-28.json", playlist(id="../x"), "its playlist cannot be called '../x'"),
        ("2041-02-28.json", playlist(), "its day cannot be loaded: 2041-02-28 is outside the tables' days"),
        ("2024-02-28.json", {"id": "x", "type": "artist"}, "not a playlist: this is an artist; load the playlist"),
        ("2024-02-28.json", envelope(playlist()) | {"playlist": None, "id": "x"}, "the envelope holds no playlist"),
        ("2024-02-28.csv", '"Track URI","Track Name"\nx,y\n', "this is an export of Exportify: "),
        ("endsong_0.json", [{"ts": "2020-01-01T10:00:00Z", "ms_played": 1}], "a streaming history"),
        ("StreamingHistory0.json", [{"endTime": "2020-01-01 10:00", "msPlayed": 1}], "a streaming history"),
        (
            "YourLibrary.json",
            {"tracks": [{"artist": "a", "uri": "spotify:track:1"}], "bannedTracks": []},
            "YourLibrary of Spotify's account export",
        ),
        ("Playlist1.json", {"playlists": [{"lastModifiedDate": "2024-01-01"}]}, "the playlists of Spotify's account"),
    ],
)
def test_what_cannot_be_loaded_is_refused_with_what_to_do(tmp_path: Path, name: str, content: Any, why: str) -> None:
    assert why in refused(file(tmp_path, name, content))


def test_a_header_without_a_chart_is_no_chart(tmp_path: Path) -> None:
    path = file(tmp_path, "regional-de-weekly-2023-01-12.csv", f"{REGIONAL_WEEKLY}\n")

    assert refused(path) == "a header without a chart below it; download it again"


@pytest.mark.parametrize(
    "encode",
    [
        lambda text: text.encode("utf-16"),
        lambda text: text.encode("utf-8-sig"),
        lambda text: gzip.compress(text.encode()),
    ],
    ids=["UTF-16", "a byte order mark", "gzip"],
)
@pytest.mark.parametrize("pages", [False, True])
def test_a_document_may_come_in_other_encodings(tmp_path: Path, encode: Callable[[str], bytes], *, pages: bool) -> None:
    path = tmp_path / "snapshot.json"
    path.write_bytes(encode(json.dumps(envelope(playlist(entry(track()))))))
    sources = find_sources([path])

    judgement = judge([pages_of_one(sources)] if pages else sources, Asked())

    assert [document.entries for document in judgement.documents] == [1]


def of_day(folder: Path, name: str, extracted_at: str | None = None) -> Path:
    """A document of one playlist and day that holds its own name."""
    document: Any = playlist(entry(track(name)))
    if extracted_at:
        document = envelope(document)
        document["snapshot"]["extracted_at"] = extracted_at
    return file(folder, name, document)


def test_different_documents_of_one_snapshot_are_refused_and_each_is_named(tmp_path: Path) -> None:
    files = [of_day(tmp_path, name) for name in ("a.json", "b.json")]

    judgement = judged(*files, day=DAY)

    assert judgement.documents == []
    assert [Path(note.name).name for note in judgement.refused] == ["a.json", "b.json"]
    a, b = (note.why for note in judgement.refused)
    assert a.startswith(f"another document of {ID} on 2026-11-22 than {files[1]}; take the newest with --same-day")
    assert f"than {files[0]};" in b


@pytest.mark.parametrize(
    ("times", "newest"),
    [
        (["2026-11-22T08:00:00Z", "2026-11-22T09:00:00+02:00", None], 0),  # the first, as 09:00+02:00 is 07:00Z
        (["2026-11-22T06:00:00Z", "2026-11-22T07:00:00Z", "2026-11-22T06:30:00Z"], 1),
        (["2026-11-22T06:00:00Z", "2026-11-22T06:00:00Z", None], 1),
        ([None, None, None], 2),
    ],
)
def test_the_newest_is_what_was_extracted_last_or_named_last(
    tmp_path: Path, times: list[str | None], newest: int
) -> None:
    files = [of_day(tmp_path, f"{number}.json", time) for number, time in enumerate(times)]

    judgement = judged(*files, same_day="newest", day=DAY)

    assert judgement.refused == []
    assert [document.name for document in judgement.documents] == [str(files[newest])]
    assert len(judgement.spared) == 2
    assert all(str(files[newest]) in note.why for note in judgement.spared)


def test_equal_documents_of_one_snapshot_are_loaded_once(tmp_path: Path) -> None:
    files = [file(tmp_path, name, envelope(playlist())) for name in ("a.json", "b.json")]

    judgement = judged(*files)

    assert (len(judgement.documents), judgement.refused) == (1, [])
    assert [(note.name, note.why) for note in judgement.spared] == [(str(files[1]), f"the same as {files[0]}")]


def test_a_bad_file_costs_itself_alone(tmp_path: Path) -> None:
    for number in range(3):
        file(tmp_path, f"2024-05-0{number + 1}.json", playlist() if number != 1 else "{")

    judgement = judged(tmp_path)

    assert [Path(document.name).name for document in judgement.documents] == ["2024-05-01.json", "2024-05-03.json"]
    assert [Path(note.name).name for note in judgement.refused] == ["2024-05-02.json"]


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


@pytest.mark.parametrize(
    ("name", "pages"),
    [*((name, False) for name in (*ODD, *ODD_BYTES)), *((name, True) for name in ("document []", *ODD_BYTES))],
)
def test_an_odd_document_is_refused_with_what_to_do(tmp_path: Path, name: str, *, pages: bool) -> None:
    path = tmp_path / "odd.json"
    path.write_bytes(ODD_BYTES[name] if name in ODD_BYTES else json.dumps(ODD[name]).encode())

    def load() -> NoReturn:
        sources = find_sources([path])
        (note,) = judge([pages_of_one(sources)] if pages else sources, Asked()).refused
        raise SourceError(note.why)

    with pytest.raises(
        SourceError, match=r".{9}[;:] (give|get|save|mend|put|load|take|extract|deploy|it should|a snapshot)"
    ):
        load()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=2), inner, max_size=2),
    max_leaves=4,
)
NAMES = st.sampled_from(["snapshot", "playlist", "items", "tracks", "artists", "id", "offset", "type", *DEFAULTS])


@given(drawn=st.dictionaries(NAMES, JSON))
def test_whatever_a_document_holds_ends_as_a_document_or_a_sentence(
    tmp_path_factory: pytest.TempPathFactory, drawn: dict[str, Any]
) -> None:
    path = tmp_path_factory.getbasetemp() / "drawn.json"
    for document in (
        drawn,
        WHOLE | drawn,
        *(WHOLE | {name: WHOLE[name] | drawn} for name in ("snapshot", "playlist")),
        *(playlist(**{name: page(0, entry(track())) | drawn}) for name in ("items", "tracks")),
    ):
        path.write_text(json.dumps(document))
        judgement = judged(path, day=DAY, playlist="starred")
        assert len(judgement.documents) + len(judgement.refused) == 1
