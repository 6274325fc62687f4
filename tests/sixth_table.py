"""A table more, in a copy of the project: a contract, a transform and a README, then `make generate`, nothing else."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from infra.deploying.stacks import ROOT

NAME: Final = "titles"

_CONTRACT: Final = '''\
from typing import Annotated

from pydantic import Field

from contracts.fields import Ordinal, Text
from contracts.tables.table import Row, Table


class Title(Row):
    """A distinct title of the snapshot."""

    title: Annotated[Text, Field(description="Title")]
    entries: Annotated[Ordinal, Field(description="Entries of the playlist with the title")]


TITLES = Table(
    name="titles",
    row=Title,
    key=("playlist_id", "snapshot_date", "title"),
    version=1,
    description="One row for each distinct title of the snapshot",
)
'''
_TRANSFORM: Final = '''\
from collections import Counter

from contracts.candidates import Candidate, Candidates, Skip
from contracts.snapshot import Snapshot, TrackEntry
from contracts.tables.titles import Title


def titles(snapshot: Snapshot) -> Candidates[Title]:
    """Each distinct title of the snapshot, in the order of the first entries."""
    first: dict[str, str] = {}
    entries: Counter[str] = Counter()
    for entry in snapshot.entries:
        if not isinstance(entry, TrackEntry):
            yield entry
            continue
        title = entry.track.name
        if not isinstance(title, str):
            yield Skip("untitled")
            continue
        if title in first:
            yield Skip("repeated_title")
        first.setdefault(title, entry.location)
        entries[title] += 1
    for title, location in first.items():
        yield Candidate(location, {**snapshot.origin, "title": title, "entries": entries[title]})
'''
_FILES: Final = {
    f"contracts/tables/{NAME}.py": _CONTRACT,
    f"services/{NAME}/transform.py": _TRANSFORM,
    f"services/{NAME}/README.md": "# titles\n\nOne row for each distinct title of the snapshot.\n",
}


def add_to(root: Path) -> None:
    """Adds the table to a copy of the project, and generates what follows."""
    for path, text in _FILES.items():
        (root / path).parent.mkdir(exist_ok=True)
        (root / path).write_text(text)
    for module in ("contracts.json_schema", "infra.tools.templates"):
        result = run_in(root, "-m", module)
        assert result.returncode == 0, result.stderr


def run_in(root: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Runs Python in a copy of the project, whose code is found before that of the project itself."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=False,
    )


def copy_of_the_project(root: Path) -> Path:
    """A copy, bytecode included, that shares the requirements that were installed before."""
    for folder in ("analytics", "contracts", "infra", "requirements", "services", "shared"):
        shutil.copytree(ROOT / folder, root / folder, ignore=shutil.ignore_patterns("*.pyc.*"))  # being written
    (ROOT / "build/dependencies").mkdir(parents=True, exist_ok=True)
    (root / "build").mkdir()
    (root / "build/dependencies").symlink_to(ROOT / "build/dependencies")
    return root
