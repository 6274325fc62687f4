"""Small documents of the kinds that were once read wrongly, from the document to the answer of a query."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from contracts.documents import identify, merged
from contracts.elements import UnreadableSnapshotError
from contracts.snapshot import Provenance, read_snapshot
from contracts.tables import TABLES, of_kind
from contracts.validation import Judgement, judge
from services import transform_of
from tests.analytics.lake import Lake

ELSEWHERE = "notNamedByTheDocument0"


@pytest.fixture
def regressions(real_documents: Path) -> Path:
    return real_documents / "regressions"


def landed(body: bytes, day: date = date(2024, 4, 1), lake: Lake | None = None) -> dict[str, Judgement[Any]]:
    """Where a document's candidates end, and its rows in a lake."""
    playlist_id = identify(body).playlist_id or ELSEWHERE
    snapshot = read_snapshot(body, Provenance(playlist_id, day))
    judged = {name: judge(TABLES[name], transform_of(name)(snapshot)) for name in of_kind("playlists")}
    for name, judgement in judged.items():
        if lake:
            lake.put(name, str(day), playlist_id, *judgement.rows)
    return judged


def positions(judged: dict[str, Judgement[Any]]) -> list[int]:
    assert all(not judgement.rejects for judgement in judged.values())
    return [row["position"] for row in judged["songs"].rows]


@pytest.mark.parametrize("kind", ["null-entry", "rejected-row"])
def test_nobody_left_in_the_week_with_an_unknown_entry(kind: str, regressions: Path, lake: Lake) -> None:
    for number in range(3):
        day = date(2024, 4, 1) + timedelta(weeks=number)
        landed((regressions / f"{kind}-{day}.json").read_bytes(), day, lake)

    found = lake.select("SELECT week, complete, exited_on, arrival FROM weekly_chart ORDER BY week")

    weeks = {week: complete for week, complete, _, _ in found}
    assert list(weeks.values()) == [True, False, True]
    assert {exited_on for _, _, exited_on, _ in found} == {None}
    assert {arrival for _, _, _, arrival in found} == {"first chart", "stay"}


def test_refused_values_cost_no_row_and_are_kept(regressions: Path) -> None:
    judged = landed((regressions / "refused-values-2024-04-08.json").read_bytes())

    refused = [each for judgement in judged.values() for each in judgement.refused]
    assert positions(judged) == [1, 2, 3, 4, 5]
    assert sorted((each.column, each.value) for each in refused) == [
        ("duration_ms", {"totalMilliseconds": 222_200}),
        ("image_url", [None]),
        ("popularity", 101),
    ]


def test_whole_numbers_land_as_integers(regressions: Path) -> None:
    judged = landed((regressions / "floats-2024-04-01.json").read_bytes())

    assert positions(judged) == [1, 2, 3, 4, 5]
    (metadata,) = judged["playlist_metadata"].rows
    assert (metadata["followers"], metadata["total_entries"], metadata["drift"]) == (49_022_656, 5, "[]")
    assert {row["total_tracks"] for row in judged["albums"].rows} == {12}
    assert not [each for judgement in judged.values() for each in judgement.refused]


def test_a_page_alone_and_pages_together_keep_their_positions(regressions: Path) -> None:
    first, second = ((regressions / f"page{number}-2024-03-01.json").read_bytes() for number in (1, 2))

    assert positions(landed(second)) == list(range(101, 111))
    assert positions(landed(merged([second, first]))) == list(range(1, 111))


@pytest.mark.parametrize(
    ("name", "entries"),
    [
        ("entries-2024-03-02.json", 10),
        ("list-of-pages-2024-03-08.json", 110),
        ("tracks-list-2024-03-09.json", 5),
        ("bom-2024-03-03.json", 5),
        ("utf16-2024-03-04.json", 5),
        ("gz-2024-03-07.json.gz", 5),
    ],
)
def test_what_archives_hold_is_taken(regressions: Path, name: str, entries: int) -> None:
    assert positions(landed((regressions / name).read_bytes())) == list(range(1, entries + 1))


@pytest.mark.parametrize(
    ("name", "what"), [("album-2024-03-14", "an album"), ("myplaylists-2024-03-13", "the playlists of a user")]
)
def test_what_is_no_playlist_is_refused(regressions: Path, name: str, what: str) -> None:
    with pytest.raises(UnreadableSnapshotError, match=f"not a playlist: this is {what}"):
        identify((regressions / f"{name}.json").read_bytes())


def test_a_document_says_whose_it_is(regressions: Path) -> None:
    body = (regressions / "contradiction-2024-04-01.json").read_bytes()

    with pytest.raises(UnreadableSnapshotError, match="'0TheDocumentSaysThisId' contradicts the object's key"):
        read_snapshot(body, Provenance(ELSEWHERE, date(2024, 4, 1)))


def test_isrcs_and_descriptions_are_readable(regressions: Path) -> None:
    judged = landed((regressions / "isrc-as-sent-2024-04-01.json").read_bytes())
    assert [row["isrc"] for row in judged["songs"].rows] == ["GBAYE2400001", "GBAYE2400002", None]
    assert [(each.column, each.value) for each in judged["songs"].refused] == [("isrc", "n/a")]

    (metadata,) = landed((regressions / "html-2024-04-01.json").read_bytes())["playlist_metadata"].rows
    assert metadata["description"] == "Don't stop: rock & roll, more"


def test_a_relinked_track_tells_which_was_added(regressions: Path) -> None:
    judged = landed((regressions / "linked-2024-05-13.json").read_bytes())

    assert [row["linked_from_id"] for row in judged["songs"].rows] == ["0000000000000000000001", None, None]


def weeks_of(kind: str, regressions: Path, lake: Lake) -> None:
    for file in sorted(regressions.glob(f"{kind}-*.json")):
        landed(file.read_bytes(), date.fromisoformat(file.stem.removeprefix(f"{kind}-")), lake)


def test_a_relinked_track_is_one_recording(regressions: Path, lake: Lake) -> None:
    weeks_of("relink", regressions, lake)

    found = lake.select(
        "SELECT weeks_on_list, arrival, movement, exited_on, recording_id FROM weekly_chart "
        "WHERE track_name = 'Song 3' ORDER BY week"
    )

    assert [row[:4] for row in found] == [
        (1, "first chart", None, None),
        (2, "stay", 0, None),
        (3, "new version", 0, None),
        (4, "stay", 0, None),
    ]
    assert {row[4] for row in found} == {"1" * 22}


def test_a_track_that_stands_for_another_is_that_recording(regressions: Path, lake: Lake) -> None:
    weeks_of("linked", regressions, lake)

    found = lake.select("SELECT arrival, exited_on FROM weekly_chart WHERE position = 1 ORDER BY week")

    assert found == [("first chart", None), ("new version", None)]
    assert lake.select("SELECT recording_id, joined_by FROM recordings WHERE track_id = '0000000000000000000011'") == [
        ("0000000000000000000001", "linked_from")
    ]


def test_a_single_on_the_album_is_a_new_version_and_a_longer_song_of_the_same_title_a_debut(
    regressions: Path, lake: Lake
) -> None:
    weeks_of("rerelease", regressions, lake)

    found = lake.select(
        "SELECT track_name, arrival, exited_on FROM weekly_chart WHERE week = DATE '2024-06-10' ORDER BY position"
    )

    assert found == [
        ("Song 1", "new version", None),
        ("Song 2", "stay", None),
        ("Song 3", "stay", None),
        ("Song 2", "debut", None),
    ]
