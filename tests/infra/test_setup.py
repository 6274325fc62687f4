"""Setting up ends with a sentence where it cannot go on."""

import os
import subprocess
import sys
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
    assert "PYTHON=/bin/false is not a Python from 3.11 to 3.14" in result.stderr


def test_a_python_that_the_locked_packages_have_no_wheels_for_does_not_fit(tmp_path: Path) -> None:
    # given a Python that says it is 3.15
    newer = tmp_path / "python3.15"
    newer.write_text(
        f"""#!/bin/sh\nexec {sys.executable} -c 'import sys; sys.version_info = (3, 15); exec(sys.argv[1])' "$2"\n"""
    )
    newer.chmod(0o755)

    result = set_up(PATH=os.environ["PATH"], PYTHON=str(newer))

    assert result.returncode == 1
    assert f"PYTHON={newer} is not a Python from 3.11 to 3.14" in result.stderr


def test_without_a_python_it_says_what_to_install(tmp_path: Path) -> None:
    # given a shell that finds the basic tools and no Python
    for tool in ("dirname", "rm"):
        (tmp_path / tool).symlink_to(f"/usr/bin/{tool}")

    result = set_up(PATH=str(tmp_path))

    assert result.returncode == 1
    assert "no Python from 3.11 to 3.14 with venv was found. Install one" in result.stderr
