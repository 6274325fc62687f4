"""Setting up ends with a sentence where it cannot go on."""

import os
import subprocess
from pathlib import Path

from infra.deploying.stacks import ROOT


def set_up(**variables: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        ["/bin/sh", str(ROOT / "infra/setup.sh")],
        env={"HOME": os.environ["HOME"], **variables},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_python_that_does_not_fit_is_named() -> None:
    result = set_up(PATH=os.environ["PATH"], PYTHON="/bin/false")

    assert result.returncode == 1
    assert "PYTHON=/bin/false is no Python of at least 3.11" in result.stderr


def test_without_a_python_it_says_what_to_install(tmp_path: Path) -> None:
    # given a shell that finds the basic tools and no Python
    for tool in ("dirname", "rm"):
        (tmp_path / tool).symlink_to(f"/usr/bin/{tool}")

    result = set_up(PATH=str(tmp_path))

    assert result.returncode == 1
    assert "no Python of at least 3.11 with venv was found. Install one" in result.stderr
