"""The console's watch list: nobody overwrites what another wrote, and a wrong file changes nothing."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from moto import mock_aws
from typer.testing import CliRunner, Result

from analytics.athena import Answer, Athena
from contracts.watch_list import read_watch_list
from infra.cli import watch
from infra.cli.cloud import Cloud
from infra.cli.screen import ConsoleError
from shared.lake import WATCH_LIST
from tests.integration.cloud import BUCKET, SESSION, console_cloud

HEADER = "type,value,note\n"


@dataclass
class Console:
    """Somebody who edits the watch list of a bucket."""

    s3: Any
    cloud: Cloud

    def run(self, *arguments: str) -> Result:
        result = CliRunner().invoke(watch.app, arguments)
        if result.exception and not isinstance(result.exception, (SystemExit, ConsoleError)):
            raise result.exception
        return result

    def told(self, *arguments: str) -> str:
        """What a command prints that does what it is asked."""
        result = self.run(*arguments)
        assert result.exit_code == 0, result.exception
        return " ".join(result.stdout.split())

    def refused(self, *arguments: str) -> str:
        fault = self.run(*arguments).exception
        assert isinstance(fault, ConsoleError)
        return str(fault)

    def stored(self) -> str:
        return str(self.s3.get_object(Bucket=BUCKET, Key=WATCH_LIST)["Body"].read().decode())

    def write(self, text: str) -> None:
        self.s3.put_object(Bucket=BUCKET, Key=WATCH_LIST, Body=text.encode())


@pytest.fixture
def console(monkeypatch: pytest.MonkeyPatch) -> Iterator[Console]:
    with mock_aws():
        s3 = SESSION.client("s3")
        s3.create_bucket(Bucket=BUCKET)
        s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        cloud = console_cloud(is_local=True)
        monkeypatch.setattr(Cloud, "client", lambda _, name: SESSION.client(name))
        monkeypatch.setattr(watch, "find_cloud", lambda *_, **__: cloud)
        yield Console(s3, cloud)


def test_entries_are_added_once_and_removed_in_whatever_spelling(console: Console) -> None:
    assert console.told("add", "artist", "Rosalía", "ROSALIA", "Tyler, The Creator", "--note", "ours") == (
        "2 added; the watch list has 2 entries."
    )
    assert console.told("add", "isrc", "us-rc1-76-07839") == "1 added; the watch list has 3 entries."
    assert console.told("add", "artist", "rosalía") == "Nothing to change; the watch list has 3 entries."
    assert console.told("add", "artist", "Rosalia", "--note", "new") == "1 changed; the watch list has 3 entries."

    assert console.stored() == (HEADER + 'artist,Rosalía,new\nartist,"Tyler, The Creator",ours\nisrc,USRC17607839,\n')

    assert console.told("remove", "isrc", "USRC17607839") == "1 removed; the watch list has 2 entries."
    assert "Not in the watch list: artist 'Nobody'" in console.refused("remove", "artist", "rosalía", "Nobody")
    assert len(read_watch_list(console.stored().encode()).entries) == 2


def test_what_cannot_be_watched_is_refused_before_anything_is_written(console: Console) -> None:
    assert console.refused("add", "track", "Despechá").startswith("value: 'Despechá' is not a track; give its link")
    assert WATCH_LIST not in [each["Key"] for each in console.s3.list_objects_v2(Bucket=BUCKET).get("Contents", ())]


def test_two_editors_at_once_both_find_what_they_wrote(console: Console) -> None:
    # given another who writes between this one's reading and writing, twice
    console.told("add", "artist", "First")
    others = iter(("Second", "Third"))

    def change(entries: watch.Entries) -> watch.Entries:
        if other := next(others, None):
            console.write(console.stored() + f"label,{other},\n")
        return watch._merged(entries, watch._named("artist", ["Mine"]))

    watch.edit(console.cloud, change)

    assert console.stored() == HEADER + "artist,First,\nlabel,Second,\nlabel,Third,\nartist,Mine,\n"


def test_an_editor_whom_others_always_precede_gives_up_and_writes_nothing(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    number = iter(range(100))

    def change(entries: watch.Entries) -> watch.Entries:
        console.write(f"{HEADER}label,{next(number)},\n")
        return watch._merged(entries, watch._named("artist", ["Mine"]))

    with pytest.raises(ConsoleError, match="Others keep changing the watch list, and nothing was written"):
        watch.edit(console.cloud, change)

    assert console.stored() == f"{HEADER}label,7,\n"


def test_a_file_is_imported_whole_or_not_at_all(console: Console, tmp_path: Path) -> None:
    console.told("add", "artist", "First")
    file = tmp_path / "export.csv"
    file.write_text("Type;Value\nartist;A\nartist;first\nisrc;1\nsong;B\n", "utf-8-sig")

    sentence = console.refused("import", str(file))
    assert sentence.startswith(f"{file}: line 4, value: '1' is not an ISRC: ")
    assert sentence.endswith(
        "; line 5, type: 'song' is not a type; the types are artist, label, isrc, track. Nothing was imported."
    )
    assert console.stored() == HEADER + "artist,First,\n"

    file.write_text("Type;Value\nartist;A\nartist;First\n", "utf-8-sig")
    assert console.told("import", str(file)) == "1 added; the watch list has 2 entries."
    assert console.told("import", "--replace", str(file)) == "Nothing to change; the watch list has 2 entries."
    file.write_text("type,value,note\nlabel,XL,\n")
    assert console.told("import", "--replace", str(file)) == "1 added, 2 removed; the watch list has 1 entry."
    assert "nowhere.csv cannot be read: No such file" in console.refused("import", str(tmp_path / "nowhere.csv"))


def test_ten_thousand_lines_are_one_write_and_bad_ones_do_not_flood_the_screen(
    console: Console, tmp_path: Path
) -> None:
    file = tmp_path / "roster.csv"
    file.write_text("type,value\r\n" + "".join(f'artist,"Artist {n % 9_000}, The Band"\r\n' for n in range(10_000)))

    assert console.told("import", str(file)) == "9,000 added; the watch list has 9,000 entries."
    versions = console.s3.list_object_versions(Bucket=BUCKET, Prefix=WATCH_LIST)["Versions"]
    assert len(versions) == 1

    file.write_text("type,value\n" + "isrc,1\n" * 10_000)
    sentence = console.refused("import", str(file))
    assert "line 21, value" in sentence
    assert "line 22, value" not in sentence
    assert "and 9,980 more lines" in sentence


def test_a_replacement_is_of_the_list_that_was_looked_at(
    console: Console, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "mine.csv"
    file.write_text("type,value\nartist,Mine\n")
    console.told("add", "artist", "First")

    def read_and_be_late(cloud: Cloud) -> watch.WatchList:
        found = plain(cloud)
        console.write(f"{HEADER}artist,Theirs,\n")
        return found

    plain: Callable[[Cloud], watch.WatchList] = watch.read
    monkeypatch.setattr(watch, "read", read_and_be_late)

    assert console.refused("import", "--replace", str(file)).startswith(
        "Somebody else changed the watch list meanwhile"
    )
    assert console.stored() == f"{HEADER}artist,Theirs,\n"


def test_what_somebody_broke_by_hand_is_named_and_a_corrected_copy_takes_its_place(
    console: Console, tmp_path: Path
) -> None:
    console.write(f"{HEADER}song,A,\n")

    for command in (("list",), ("add", "artist", "B"), ("remove", "artist", "B")):
        assert "watchlist.csv is not valid: line 2, type: 'song' is not a type" in console.refused(*command)

    file = tmp_path / "copy.csv"
    file.write_text("type,value\ntrack,7ltDVBr6mKbRvohxheJ9h1\n")
    assert console.told("import", "--replace", str(file)) == "1 added; the watch list has 1 entry."


def test_the_list_tells_how_many_recordings_each_entry_watches_and_an_empty_one_how_to_fill_it(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "The watch list is empty. Fill it by name" in console.told("list")

    counted = Answer(("t", "v", "n"), ("varchar", "varchar", "bigint"), (("artist", "Rosalía", "12"),))
    monkeypatch.setattr(Athena, "ask", lambda *_: counted)
    console.told("add", "artist", "Rosalía", "Nobody")

    shown = console.told("list")
    assert "artist Rosalía 12 -" in shown
    assert "artist Nobody 0 -" in shown
