"""What the demonstration of recovery breaks is broken as it says; `make demo-recovery` shows that it can be mended."""

import json
from datetime import date
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from contracts.elements import UnreadableSnapshotError
from contracts.snapshot import Provenance, read_snapshot
from contracts.tables.songs import SONGS
from contracts.validation import judge
from infra.cli.screen import ConsoleError
from infra.demos.recovery import DAMAGES, OUT_OF_RANGE, with_bug
from infra.deploying.build import Bundle
from infra.deploying.stacks import ROOT
from services.songs.transform import songs
from tests.documents import entry, playlist, track

PROVENANCE = Provenance("3cEYpjA9oz9GiPac4AsH4n", date(2026, 11, 23), "run-1")
ENTRIES = 5
PLAYLIST: dict[str, Any] = playlist(*(entry(track(f"Track {number}")) for number in range(ENTRIES)))
DOCUMENT = {
    "snapshot": {
        "schema_version": 1,
        "run_id": "run-1",
        "snapshot_date": "2026-11-23",
        "extracted_at": "2026-11-23T06:00:00Z",
    },
    "playlist": PLAYLIST,
    "artists": [],
    "albums": [],
    "audio_features": [],
}
DOCUMENT_OF_BOTH_GENERATIONS = {
    **DOCUMENT,
    "playlist": {
        **PLAYLIST,
        "items": {"items": [{**each, "item": each["track"]} for each in PLAYLIST["tracks"]["items"]], "total": ENTRIES},
    },
}


@pytest.mark.parametrize("kind", sorted(DAMAGES.keys() - {OUT_OF_RANGE}))
def test_a_damaged_document_cannot_be_read(kind: str) -> None:
    with pytest.raises(UnreadableSnapshotError):
        read_snapshot(DAMAGES[kind](json.dumps(DOCUMENT).encode()), PROVENANCE)


@pytest.mark.parametrize("document", [DOCUMENT, DOCUMENT_OF_BOTH_GENERATIONS], ids=["of before", "of both generations"])
def test_values_out_of_range_are_refused_and_every_row_stays(document: dict[str, Any]) -> None:
    damaged = DAMAGES[OUT_OF_RANGE](json.dumps(document).encode())

    judgement = judge(SONGS, songs(read_snapshot(damaged, PROVENANCE)))

    assert (len(judgement.refused), len(judgement.rows)) == (3, ENTRIES)


def bundle_of(tmp_path: Path, transform: str) -> Bundle:
    path = tmp_path / "sound.zip"
    with ZipFile(path, "w") as archive:
        archive.writestr("services/songs/transform.py", transform)
        archive.writestr("services/songs/handler.py", "any")
    return Bundle("songs", path, "sound", 100, 100)


def test_the_bug_is_one_name_in_the_transform_as_it_is(tmp_path: Path) -> None:
    sound = (ROOT / "services/songs/transform.py").read_text()

    broken = with_bug(bundle_of(tmp_path, sound), tmp_path / "broken.zip")

    with ZipFile(broken.path) as archive:
        slipped = archive.read("services/songs/transform.py").decode()
        assert archive.read("services/songs/handler.py") == b"any"
    assert slipped.replace("entry.positon", "entry.position") == sound
    assert slipped != sound
    assert broken.sha256 != "sound"


def test_a_transform_without_that_line_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConsoleError, match="choose another bug"):
        with_bug(bundle_of(tmp_path, "position = 1"), tmp_path / "broken.zip")
