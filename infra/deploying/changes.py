"""Finds the components that a change affects: those whose template or bundle is made from a changed file.

`python -m infra.deploying.changes COMMIT` names those that changed since a commit, one a line. It needs nothing but
Python and git.
"""

import subprocess
import sys
from collections.abc import Iterable

from infra.deploying.build import is_input
from infra.deploying.stacks import COMPONENTS, ROOT, SERVICES, template


class ChangesError(Exception):
    """Git cannot list what changed."""


def concerned(paths: Iterable[str]) -> list[str]:
    """Returns the components that are made from any of the files, the platform first.

    Args:
        paths: Files by their path in the repository, whether or not they still exist.
    """
    changed = set(paths)
    return [
        component
        for component in COMPONENTS
        if template(component).relative_to(ROOT).as_posix() in changed
        or (component in SERVICES and any(is_input(path, component) for path in changed))
    ]


def paths_since(commit: str) -> list[str]:
    """Returns the files that differ between a commit and the current one.

    Raises:
        ChangesError: Git knows no such commit.
    """
    command = ["git", "-C", str(ROOT), "diff", "--name-only", "--no-renames", "-z", f"{commit}..HEAD", "--"]
    try:
        result = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - git judges the commit
    except FileNotFoundError:
        raise ChangesError(f"Git cannot list what changed since {commit!r}: install git.") from None
    if result.returncode:
        raise ChangesError(
            f"Git cannot list what changed since {commit!r}: {result.stderr.strip()}. Name a commit of this "
            f"repository, or deploy all services."
        )
    return [path for path in result.stdout.split("\0") if path]


if __name__ == "__main__":
    try:
        sys.stdout.writelines(f"{name}\n" for name in concerned(paths_since(sys.argv[1])))
    except ChangesError as fault:
        sys.exit(str(fault))
