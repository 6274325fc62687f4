"""What the demonstration of recovery breaks is broken as it says; `make demo-recovery` shows that it can be mended."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from typer.testing import CliRunner

from contracts.elements import UnreadableSnapshotError
from contracts.snapshot import Provenance, read_snapshot
from contracts.tables.songs import SONGS
from contracts.validation import judge
from infra.cli import collect
from infra.cli.app import app
from infra.cli.cloud import Cloud
from infra.cli.screen import ConsoleError
from infra.demos import recovery
from infra.demos.recovery import DAMAGES, OUT_OF_RANGE, with_bug
from infra.deploying.build import Bundle
from infra.deploying.stacks import COMPONENTS, ROOT
from services.songs.transform import songs
from shared.lake import SnapshotKey
from tests.documents import entry, playlist, track

NOT_SHOWN = {"analytics", "charts", "listenbrainz", "report"}
"""The components that the demonstration does without; whatever else there is, its tables need."""
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


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """The demonstration's steps in their order, on a cloud that does nothing: commands of the console, and its own."""
    steps: list[tuple[str, ...]] = []
    demonstration = recovery._Demonstration

    @contextmanager
    def impatient_queue(_: object) -> Iterator[None]:
        steps.append(("the queue gives up at once",))
        yield
        steps.append(("the queue is as usual",))

    def damage(self: recovery._Demonstration) -> None:
        self._originals = {SnapshotKey(date(2026, 11, 23), "any"): "its version"}

    stubs: dict[str, Callable[..., object]] = {
        "_earworm": lambda _, *arguments, **__: steps.append(arguments),
        "_deploy_broken": lambda _: steps.append(("deploy", "songs")),
        "_damage": damage,
        "_impatient_queue": impatient_queue,
        "settle": lambda *_, **__: steps.append(("settled",)),
        "_letters": lambda _: [],
        **dict.fromkeys(
            ("_balance", "_balance_raw", "_show_refused", "_restore", "_lake", "_compare"), lambda *_: None
        ),
    }
    for name, stub in stubs.items():
        monkeypatch.setattr(demonstration, name, stub)
    monkeypatch.setattr(collect, "configured_playlists", lambda _: ())
    demonstration(lambda _: 0, Cloud("dev", {}), [date(2026, 11, 23)]).run()
    return steps


def deployed(steps: list[tuple[str, ...]], *, to_prod: bool) -> list[str]:
    commands = [step for step in steps if step[0] == "deploy" and ("prod" in step) == to_prod]
    return [name for command in commands for name in command if name in COMPONENTS]


def test_the_demonstration_deploys_all_that_its_tables_need_before_them(steps: list[tuple[str, ...]]) -> None:
    collected, clean = deployed(steps, to_prod=False), deployed(steps, to_prod=True)

    assert set(collected) == set(COMPONENTS) - NOT_SHOWN
    assert set(clean) == {"platform", "catalog", *recovery._TABLES}
    assert collected[:2] == clean[:2] == ["platform", "catalog"]


def test_each_command_of_the_demonstration_is_one_of_the_console(steps: list[tuple[str, ...]]) -> None:
    commands = {step for step in steps if not step[0].startswith(("settled", "the queue"))}

    assert len(commands) >= 12
    for command in commands:
        assert CliRunner().invoke(app, [*command, "--help"]).exit_code == 0, command


def test_a_queue_whose_worker_is_broken_does_not_wait_for_all_its_retries(steps: list[tuple[str, ...]]) -> None:
    """They take twenty minutes, and the demonstration has three for whatever does not move."""
    broken = steps.index(("deploy", "songs"))

    following = [step[0] for step in steps[broken + 1 : broken + 5]]
    assert following == ["the queue gives up at once", "replay", "settled", "the queue is as usual"]
