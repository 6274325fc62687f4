"""What is left of a start that fails: nothing."""

import os
from errno import ENOSPC
from pathlib import Path

import pytest

from infra.local import cloud
from infra.local.cloud import LocalCloud
from infra.local.processes import replace


def test_a_file_that_cannot_be_written_leaves_the_old_one_and_nothing_beside_it(tmp_path: Path) -> None:
    file = tmp_path / "env"
    replace(file, "A=1\n")

    with pytest.raises(UnicodeEncodeError):
        replace(file, "A=\ud800\n")

    assert file.read_text() == "A=1\n"
    assert list(tmp_path.iterdir()) == [file]


def test_a_cloud_whose_variables_cannot_be_written_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # given a disk that is full once the processes are up
    ended: list[Path] = []

    def write(path: Path, text: str) -> None:
        if path.name == "env":
            raise OSError(ENOSPC, os.strerror(ENOSPC))
        replace(path, text)

    monkeypatch.setattr(cloud, "replace", write)
    monkeypatch.setattr(cloud, "spawn", lambda *_: 1)
    monkeypatch.setattr(cloud, "await_healthy", lambda *_, **__: None)
    monkeypatch.setattr(cloud, "end_group", lambda lock, **_: ended.append(lock))
    local = LocalCloud(tmp_path / "state", {})

    # when it is started
    with pytest.raises(OSError, match="No space left"):
        local.start()

    # then its processes are ended, and no later command takes it for one that is up
    assert {lock.name for lock in ended} >= {"aws.lock", "spotify.lock", "listenbrainz.lock"}
    assert local.endpoints() is None


def test_variables_that_somebody_removed_are_written_anew_where_the_cloud_is_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cloud, "spawn", lambda *_: 1)
    monkeypatch.setattr(cloud, "await_healthy", lambda *_, **__: None)
    monkeypatch.setattr(cloud, "is_alive", lambda _: False)
    local = LocalCloud(tmp_path / "state", {})
    local.start()
    written = local.environment_file.read_text()
    local.environment_file.unlink()
    monkeypatch.setattr(cloud, "is_alive", lambda _: True)
    monkeypatch.setattr(cloud, "is_healthy", lambda *_: True)

    local.start()

    assert local.environment_file.read_text() == written
