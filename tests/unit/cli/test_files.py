"""Files are written as a whole or not at all, and what hinders that is a sentence."""

from errno import ENOSPC
from pathlib import Path

import pytest

from infra.cli.files import write_file
from infra.cli.screen import ConsoleError


def test_a_file_comes_with_its_folders_and_takes_the_place_of_an_older_one(tmp_path: Path) -> None:
    file = tmp_path / "report" / "index.html"

    for text in ("old", "new é"):
        write_file(file, text)

    assert file.read_text("utf-8") == "new é"
    assert [each.name for each in file.parent.iterdir()] == ["index.html"]


def test_a_full_disk_leaves_the_older_file_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "index.html"
    file.write_text("old")

    def half(path: Path, text: str, encoding: str) -> None:
        path.write_bytes(text.encode(encoding)[:2])
        raise OSError(ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "write_text", half)
        with pytest.raises(
            ConsoleError, match=r"index\.html cannot be written: No space left on device\. Name another"
        ):
            write_file(file, "new")

    assert file.read_text() == "old"
    assert list(tmp_path.iterdir()) == [file]


def test_a_folder_in_the_place_of_the_file_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "index.html"
    folder.mkdir()

    with pytest.raises(ConsoleError, match=r"index\.html cannot be written: Is a directory"):
        write_file(folder, "new")


def test_a_file_in_the_place_of_its_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "report").write_text("")

    with pytest.raises(ConsoleError, match=r"index\.html cannot be written: (File exists|Not a directory)"):
        write_file(tmp_path / "report" / "index.html", "new")
