"""What somebody at a terminal waits for: the console, the local Athena and the whole pipeline."""

import os
import sys
from collections.abc import Mapping
from shutil import rmtree

from analytics.sql import queries
from infra.deploying.stacks import ROOT
from tests.benchmarks.measure import WORK, Run, median, run, table

_ROUNDS = 7
_CONSOLE = (sys.executable, "-m", "infra.cli")
_FRAMEWORK = (sys.executable, "-c", "import typer, rich.console, typer.rich_utils")
"""What any console of that kind imports to print its help."""
_STATE = WORK / "waiting"


def section() -> str:
    """Measures each, and tells the results in Markdown."""
    rmtree(_STATE, ignore_errors=True)
    variables = {**os.environ, "EARWORM_STATE": str(_STATE), "PYTHONPATH": str(ROOT)}
    completing = variables | {"_EARWORM_COMPLETE": "complete_bash", "COMP_WORDS": "earworm com", "COMP_CWORD": "1"}
    try:
        pipeline = run([*_CONSOLE, "demo"], **variables)
        asked = {name: run([*_CONSOLE, "query", name], **variables).wall for name in queries()}
        again = sum(run([*_CONSOLE, "query", name], **variables).wall for name in queries())
        quick = {
            "importing typer and rich": _several(_FRAMEWORK, variables),
            "`earworm --help`": _several((*_CONSOLE, "--help"), variables),
            "completion of a command": _several((sys.executable, "-c", _COMPLETE), completing),
            "`earworm query top_artists`": _several((*_CONSOLE, "query", "top_artists"), variables),
            "`earworm tables`": _several((*_CONSOLE, "tables"), variables),
            "`earworm report`": _several((*_CONSOLE, "report"), variables),
        }
    finally:
        run([*_CONSOLE, "down"], **variables)
    own = quick["importing typer and rich"]
    rows = [
        *((what, f"{seconds:.2f}", f"{seconds / own:.1f}") for what, seconds in quick.items()),
        (f"each of the {len(asked)} queries, one command after the other", f"{sum(asked.values()):.1f}", ""),
        ("all of them again", f"{again:.1f}", ""),
        ("the pipeline once set up: `make run`", f"{pipeline.wall:.0f}", ""),
    ]
    return (
        "## What users wait for\n\n"
        f"{table(('', 'wall s', 'of importing typer and rich'), rows)}\nWhole commands with bytecode written, on the "
        f"lake of `make run` and the local Athena; medians of {_ROUNDS} where there is a ratio. The cold start is in "
        "the section above.\n"
    )


_COMPLETE = "import sys; sys.argv[0] = 'earworm'; from infra.cli.__main__ import main; main()"


def _several(command: tuple[str, ...], variables: Mapping[str, str]) -> float:
    runs: list[Run] = [run(command, **variables) for _ in range(_ROUNDS)]
    return median(each.wall for each in runs)
