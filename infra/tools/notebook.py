"""Runs the guided tour in Jupyter, on the console's cloud: `make notebook` opens it, `make assets` executes it."""

import os
import sys
from typing import Final, Literal

import typer

from infra.cli.cloud import find_cloud
from infra.cli.environment import Environment
from infra.cli.screen import ConsoleError
from infra.deploying.stacks import ROOT
from infra.local.cloud import LocalCloudError

NOTEBOOK: Final = ROOT / "analytics/notebooks/guided_tour.ipynb"
JUPYTER: Final = ROOT / ".venv/tools/notebook/bin/jupyter"

EXECUTE: Final = (
    "nbconvert",
    "--to=notebook",
    "--execute",
    "--inplace",
    "--log-level=WARN",
    "--KernelManager.transport_encryption=auto",
    # Metadata that differs between runs or Pythons is not committed.
    "--ExecutePreprocessor.record_timing=False",
    "--ClearMetadataPreprocessor.enabled=True",
    "--ClearMetadataPreprocessor.preserve_nb_metadata_mask={'kernelspec', ('language_info', 'name')}",
)
"""Arguments with which Jupyter runs a notebook from top to bottom and keeps its outputs in it."""

_WAYS: Final = {"open": ("lab",), "execute": EXECUTE}


def main(way: Literal["open", "execute"], environment: Environment = "dev") -> None:
    """Replace this process by Jupyter.

    Raises:
        SystemExit: The environment names no cloud.
    """
    try:
        cloud = find_cloud(environment)
    except (ConsoleError, LocalCloudError) as fault:
        sys.exit(str(fault))
    arguments = [str(JUPYTER), *_WAYS[way], str(NOTEBOOK)]
    os.execve(JUPYTER, arguments, {**cloud.variables, "EARWORM_ENV": environment})  # noqa: S606 - it is what was asked for


if __name__ == "__main__":
    typer.run(main)
