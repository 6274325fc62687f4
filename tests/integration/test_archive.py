"""An archive loaded into a lake in process, and a snapshot of it taken back out."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from rich.progress import Progress

from infra.cli import collect
from infra.cli import load as loading
from infra.cli import unload as unloading
from infra.cli.cloud import Cloud as ConsoleCloud
from infra.cli.collect import IncompleteError, Landed, await_tables
from infra.cli.screen import ConsoleError
from shared.lake import Lake, Place, SnapshotKey
from tests.documents import entry, playlist, track
from tests.integration.cloud import BUCKET, SESSION, UNSHARED, Cloud
from tests.integration.console import DAY, ID, Console, console
from tests.integration.tables import complete

__all__ = ["console"]

pytestmark = pytest.mark.slow

KEY = SnapshotKey(DAY, ID)


def document(folder: Path, day: str, *entries: Any, **fields: Any) -> Path:
    path = folder / f"{day}.json"
    path.write_text(json.dumps(playlist(*(entries or [entry(track("One"))]), **fields)))
    return path


def test_what_landed_is_told_with_what_did_not(console: Console, tmp_path: Path) -> None:
    # given a document as it should be, one with a rejected and a refused part, and one that lacks entries
    document(tmp_path, "2024-05-02", entry(track("One")), entry(None))
    document(
        tmp_path,
        "2024-05-09",
        entry({**track("Two"), "name": None}),
        entry(track("Three", popularity=101)),
        entry(track("Four")),
    )
    document(tmp_path, "2024-05-16", tracks={"items": [entry(track("Five"))], "total": 100})

    printed = console.load(tmp_path)

    assert f"2024-05-02 {ID} ok 1 0 0 1 2" in printed
    assert f"2024-05-09 {ID} partial 2 1 1 0 3" in printed
    assert f"2024-05-16 {ID} partial 1 0 0 0 1" in printed
    assert "3 snapshots of 1 playlist, 2024-05-02 to 2024-05-16; 3 new; 1 ok, 2 partial;" in printed
    assert "6 entries = 4 rows + 1 rejected + 1 skipped, 1 refused value." in printed
    assert console.gaps() == []
    (run_id,) = console.run_ids()
    assert run_id.startswith("load-")


def test_a_load_is_a_run_whose_record_tells_what_became_of_each_document(console: Console, tmp_path: Path) -> None:
    # given two documents of which one lacks something, and one that is in the lake already
    document(tmp_path, "2024-05-02")
    console.load(tmp_path)
    document(tmp_path, "2024-05-09", entry(track("Three", popularity=101)), entry({**track("Two"), "name": None}))
    document(tmp_path, "2024-05-16")

    # when
    console.load(tmp_path)

    # then the newer load tells of what it stored alone
    newer, older = console.load_records()
    assert [(Path(each.file).name, each.day, each.outcome) for each in newer.documents] == [
        ("2024-05-09.json", date(2024, 5, 9), "partial"),
        ("2024-05-16.json", date(2024, 5, 16), "ok"),
    ]
    assert newer.ended
    assert (newer.expected, newer.complete, newer.rejected) == (10, 10, 1)
    assert {newer.run_id, older.run_id} == console.run_ids()

    # and one that stores nothing is none
    console.load(tmp_path)
    assert len(console.load_records()) == 2


def test_runs_status_and_explain_know_a_load(console: Console, tmp_path: Path) -> None:
    document(tmp_path, "2024-05-02")
    document(tmp_path, "2024-05-09", entry({**track("Two"), "name": None}))
    console.load(tmp_path)
    (load,) = console.load_records()

    assert f"{load.run_id[:13]} {load.began:%Y-%m-%d %H:%M} 2024-05-02 to 2024-05-09 partial 10/10" in console.runs()
    told = console.status(load.run_id[:13])
    assert f"Run {load.run_id} of load of 2024-05-02 to 2024-05-09" in told
    assert "2024-05-09.json: partial" in told
    assert told.count("done") == 10
    assert console.status() == told
    told = console.explain("songs", ID, date(2024, 5, 2))
    assert f"run {load.run_id}" in told
    assert f"2024-05-02.json, {load.began:%Y-%m-%d %H:%M} UTC" in told


def test_a_load_that_was_cut_off_says_how_far_it_came(
    console: Console, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given a load of which one of two documents is in the tables when somebody ends it
    def cut_off(_: ConsoleCloud, keys: list[SnapshotKey], __: Progress) -> dict[Place, Landed]:
        complete(console.lake, keys[0])
        raise KeyboardInterrupt

    document(tmp_path, "2024-05-02")
    document(tmp_path, "2024-05-09")
    monkeypatch.setattr(loading, "await_tables", cut_off)
    with pytest.raises(KeyboardInterrupt):
        console.load(tmp_path)

    # then its status tells what is done, and what waits
    assert "2024-05-02 to 2024-05-09 not over 0/10" in console.runs()
    told = console.status()
    assert "5 of 10 tables complete so far" in told
    assert (told.count(" done "), told.count(" waiting ")) == (5, 5)


def test_a_snapshot_that_another_run_replaces_meanwhile_is_awaited_as_it_is_then(
    console: Console, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given another run that is faster, once this one knows which version it waits for
    versions, replaced = collect.stored_versions, json.dumps(playlist(entry(track("Two")))).encode()

    def overtaken(s3: Any, bucket: str, keys: Any) -> Any:
        known = versions(s3, bucket, keys)
        if s3.get_object(Bucket=BUCKET, Key=KEY.raw)["Body"].read() != replaced:
            s3.put_object(Bucket=BUCKET, Key=KEY.raw, Body=replaced)
            complete(console.lake, KEY)
        return known

    monkeypatch.setattr(collect, "stored_versions", overtaken)
    monkeypatch.setattr(collect, "_PATIENCE", 1.0)

    assert "1 new; 1 ok;" in console.load(document(tmp_path, "2024-05-02"))


def test_runs_say_how_many_of_them_are_not_shown(console: Console, tmp_path: Path) -> None:
    for day in ("2024-05-02", "2024-05-09"):
        console.load(document(tmp_path, day))

    assert console.runs(number=1).endswith("Not shown: 1 earlier; --number 2 shows all.")
    assert "Not shown" not in console.runs()


def test_only_documents_that_may_be_in_the_lake_are_compared_with_it(
    console: Console, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    document(tmp_path, "2024-05-02")
    console.load(tmp_path)
    document(tmp_path, "2024-05-09")
    looked: list[date] = []
    look = loading._stored_sha256

    def looking(s3: Any, bucket: str, key: SnapshotKey) -> str | None:
        looked.append(key.snapshot_date)
        return look(s3, bucket, key)

    monkeypatch.setattr(loading, "_stored_sha256", looking)

    console.load(tmp_path)

    assert looked == [date(2024, 5, 2)]


def test_of_many_only_those_that_lack_something_are_shown_unless_all_are_asked_for(
    console: Console, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loading, "_MOST_SHOWN", 2)
    for number in range(1, 4):
        document(tmp_path, f"2024-05-{number:02}", entry(track("One", popularity=101 if number == 3 else 50)))

    printed = console.load(tmp_path)
    again = console.load(tmp_path, every=True)

    assert f"2024-05-03 {ID} refused values 1 0 1 0 1" in printed
    assert printed.count(ID) == 1
    assert "3 new; 2 ok, 1 refused values" in printed
    assert again.count(ID) == 3
    assert f"2024-05-01 {ID} ok 1 0 0 0 1" in again
    assert "3 unchanged; 2 ok" in again


def test_a_bad_file_keeps_all_from_being_loaded_unless_it_is_to_be_skipped(console: Console, tmp_path: Path) -> None:
    document(tmp_path, "2024-05-02")
    for name in ("a.json", "b.json"):
        (tmp_path / name).write_text('{"type": "artist"}')

    with pytest.raises(
        ConsoleError, match=r"^2 of 3 files cannot be loaded, and nothing was\..*the other 1 with --skip"
    ):
        console.load(tmp_path)
    assert console.lake.keys("") == []
    told = " ".join(console.printed.getvalue().split())
    assert told.count("not a playlist: this is an artist; load") == 1
    assert f"{tmp_path}/a.json {tmp_path}/b.json" in told

    printed = console.load(tmp_path, skip_bad=True)

    assert console.lake.keys("raw/") == [KEY.raw]
    assert "1 snapshot, 2024-05-02; 1 new; 1 ok;" in printed
    assert "files not loaded: 2 bad." in printed


def test_nothing_good_is_nothing_to_skip_to(console: Console, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("{")

    with pytest.raises(ConsoleError, match=r"1 of 1 files cannot be loaded, and nothing was\. Mend or remove them\.$"):
        console.load(tmp_path, skip_bad=True)


def test_another_document_of_the_day_takes_the_place_of_the_first_and_that_is_said(
    console: Console, tmp_path: Path
) -> None:
    console.load(document(tmp_path, "2024-05-02"))
    first = console.lake.etags()

    assert "1 unchanged; 1 ok" in console.load(tmp_path)
    assert console.lake.etags() == first

    assert f"2024-05-02, replaced {ID} ok" in console.load(document(tmp_path, "2024-05-02", entry(track("Two"))))
    assert [row["track_name"] for row in console.lake.rows(KEY.parquet("songs"))] == ["Two"]


def test_a_file_that_changes_while_it_is_loaded_is_told(
    console: Console, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = document(tmp_path, "2024-05-02")
    monkeypatch.setattr(loading, "_standing", lambda *_: path.write_text("{}") and {KEY: "new"})

    with pytest.raises(ConsoleError, match=r"2024-05-02\.json was changed while it was loaded: load it again"):
        console.load(path)

    assert console.lake.keys("raw/") == []
    assert console.load_records()[0].ended is None


def test_a_table_that_does_not_become_complete_is_told_after_what_did(
    console: Console, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def half_done(cloud: ConsoleCloud, keys: list[SnapshotKey], bar: Progress) -> dict[Place, Landed]:
        complete(console.lake, keys[0], without="albums")
        return await_tables(cloud, keys, bar)

    monkeypatch.setattr(loading, "await_tables", half_done)
    monkeypatch.setattr("infra.cli.collect._PATIENCE", 0.1)

    with pytest.raises(IncompleteError, match=f"still missing: albums of {ID} on 2024-05-02"):
        console.load(document(tmp_path, "2024-05-02"))

    assert "not complete 1 0 0 0 1" in " ".join(console.printed.getvalue().split())


@pytest.fixture
def loaded(console: Console, tmp_path: Path) -> Console:
    """A console that has loaded two snapshots, of which one has all kinds of outputs."""
    broken = (entry({**track("Two"), "name": None}), entry(track("Three", popularity=101)))
    console.load(document(tmp_path, "2024-05-02", *broken), document(tmp_path, "2024-05-09"))
    return console


@pytest.mark.parametrize("column", [{"gaps": "[1"}, {"rows": "many"}])
def test_a_receipt_that_cannot_be_read_is_told_in_a_sentence(loaded: Console, column: dict[str, str]) -> None:
    receipt = loaded.lake.json_lines(KEY.receipt("songs"))[0] | column
    loaded.lake.put_raw(receipt, key=KEY.receipt("songs"))

    with pytest.raises(ConsoleError, match=r"is not a receipt: [^\n]+\. `earworm audit --repair` writes it again\.$"):
        loaded.explain("songs", ID, DAY)


def of_the_day(lake: Cloud) -> dict[str, str]:
    """All that is of the first snapshot."""
    return {key: etag for key, etag in lake.etags().items() if "2024-05-02" in key or "day=02" in key}


def test_a_snapshot_that_is_taken_out_leaves_the_rest_as_it_was(loaded: Console, tmp_path: Path) -> None:
    before = loaded.lake.etags()
    of_it = of_the_day(loaded.lake)
    assert {KEY.quarantine("songs"), KEY.quarantined_values("songs")} < of_it.keys()

    printed = loaded.unload()

    assert f"{KEY.raw} → unloaded/{KEY.raw}" in printed
    assert of_the_day(loaded.lake) == {KEY.unloaded: of_it[KEY.raw]}
    assert {key: before[key] for key in before.keys() - of_it.keys()}.items() <= loaded.lake.etags().items()
    assert loaded.gaps() == []
    assert "It is out: its document is s3://" in loaded.unload()

    # and it can be loaded again
    loaded.load(tmp_path)
    assert of_the_day(loaded.lake).keys() == {*of_it, KEY.unloaded}
    assert loaded.gaps() == []


def test_outputs_whose_document_somebody_deleted_go_without_a_word_of_putting_it_back(loaded: Console) -> None:
    loaded.lake.s3.delete_object(Bucket=BUCKET, Key=KEY.raw)

    printed = loaded.unload()

    assert of_the_day(loaded.lake) == {}
    assert printed.endswith(f"{ID} of 2024-05-02 is out of the lake.")


def test_compacted_copies_of_the_month_are_named_with_the_command_for_them(loaded: Console) -> None:
    for table, month in (("songs", "05"), ("artists", "05"), ("albums", "06")):
        copy = f"compacted/spotify/{table}/year=2024/month={month}/rows.parquet"
        loaded.lake.s3.put_object(Bucket=BUCKET, Key=copy, Body=b"rows")

    printed = loaded.unload()

    command = "earworm compact --month 2024-05 --table artists --table songs"
    assert printed.endswith(f"A compacted copy may still have its rows: {command}")
    assert command in loaded.unload()


def test_a_dry_run_shows_what_would_go_and_does_nothing(loaded: Console) -> None:
    before = loaded.lake.etags()

    printed = loaded.unload(dry_run=True)

    assert all(output in printed for output in of_the_day(loaded.lake))
    assert "nothing was done" in printed
    assert loaded.lake.etags() == before


def test_nothing_goes_without_an_answer(loaded: Console) -> None:
    before = loaded.lake.etags()

    with pytest.raises(ConsoleError, match=r"Take these out of dev at .* There is no terminal to ask: add --yes"):
        loaded.unload(yes=False)

    assert loaded.lake.etags() == before


def test_what_is_not_there_is_told(loaded: Console) -> None:
    with pytest.raises(
        ConsoleError, match=f"There is no snapshot of {ID} on 2024-05-03. `earworm query .* shows the lists of"
    ):
        loaded.unload(date(2024, 5, 3))


def calls_of(lake: Cloud, monkeypatch: pytest.MonkeyPatch, fail_at: int) -> list[str]:
    """Lets a client of S3 fail at one of its calls that change anything."""
    client, made = UNSHARED.client("s3"), []

    def then(name: str) -> Any:
        def call(**arguments: Any) -> Any:
            made.append(name)
            if len(made) == fail_at:
                raise ConnectionError
            return getattr(SESSION.client("s3"), name)(**arguments)

        return call

    for name in ("copy_object", "delete_object"):
        monkeypatch.setattr(client, name, then(name))
    monkeypatch.setattr(
        ConsoleCloud, "client", lambda _, service: client if service == "s3" else SESSION.client(service)
    )
    return made


def test_wherever_it_is_interrupted_the_same_command_ends_the_same(
    loaded: Console, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = of_the_day(loaded.lake)
    changes = len(whole) + 1  # a copy, and the removal of each
    for fail_at in (2, 3, changes):
        with monkeypatch.context() as patch:
            made = calls_of(loaded.lake, patch, fail_at)
            with pytest.raises(ConnectionError):
                loaded.unload()
        assert len(made) == fail_at
        assert made[:2] == ["copy_object", "delete_object"][:fail_at]

        loaded.unload()

        assert of_the_day(loaded.lake).keys() == {KEY.unloaded}
        assert loaded.gaps() == []
        loaded.load(tmp_path / "2024-05-02.json")
        assert of_the_day(loaded.lake).keys() == {*whole, KEY.unloaded}


def test_a_snapshot_that_is_written_anew_meanwhile_stays(loaded: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        unloading, "confirm", lambda *_, **__: loaded.lake.s3.put_object(Bucket=BUCKET, Key=KEY.raw, Body=b"new")
    )
    before = of_the_day(loaded.lake).keys()

    with pytest.raises(ConsoleError, match="was written anew meanwhile, and is still there"):
        loaded.unload()

    assert of_the_day(loaded.lake).keys() - {KEY.unloaded} == before


def test_what_a_worker_writes_that_was_at_work_goes_as_well(loaded: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    # given a worker that has read the raw object before it goes, and writes once the outputs are removed
    raw = loaded.lake.lake.read_raw(KEY.raw)
    states = iter([True, False])

    def is_in_flight(*_: object) -> bool:
        state = next(states)
        if not state:
            with monkeypatch.context() as patch:
                patch.setattr(Lake, "read_raw", lambda *_: raw)
                complete(loaded.lake, KEY)
            assert KEY.receipt("songs") in of_the_day(loaded.lake)
        return state

    monkeypatch.setattr(unloading, "_is_in_flight", is_in_flight)
    monkeypatch.setattr(unloading, "_PAUSE", 0.0)

    loaded.unload()

    assert of_the_day(loaded.lake).keys() == {KEY.unloaded}
    assert loaded.gaps() == []
