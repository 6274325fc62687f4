"""What `earworm up` says of the cloud that it started."""

import os
import shlex
from pathlib import Path
from types import SimpleNamespace

import pytest

from infra.cli import up_and_down
from infra.cli.screen import out
from infra.local.cloud import Endpoints


def test_the_line_for_other_tools_can_be_pasted_whatever_the_folder_is_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "my [dim] state; it's mine"
    endpoints = Endpoints(aws="http://127.0.0.1:1", spotify=None, access_key_id="", secret_access_key="")
    monkeypatch.setattr(up_and_down, "STATE", folder)
    monkeypatch.setattr(up_and_down, "local", lambda: SimpleNamespace(start=lambda: endpoints))

    with out.capture() as printed:
        up_and_down.up()

    line = printed.get().splitlines()[-1]
    assert shlex.split(line.partition(". ")[2].removesuffix("; set +a")) == [os.path.relpath(folder / "env")]
