"""The guided tour runs from top to bottom with an analyst's rights, and on an equal lake tells what is committed."""

import json
import os
import re
import subprocess
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from contracts.tables import TABLES
from infra.cli import collect
from infra.demos.charts import WEEKS as WEEKS_OF_CHARTS
from infra.demos.pipeline import WEEKS as WEEKS_OF_PLAYLISTS
from infra.demos.watching import show_watch_list
from infra.local.spotify.catalogue import load_catalogue
from infra.local.spotify.charts import newest_chart_day, write_chart_files
from infra.tools.notebook import EXECUTE, JUPYTER, NOTEBOOK
from tests.system.pipeline import Pipeline, deployed

Cells = dict[str, dict[str, Any]]


def code_cells(notebook: Path) -> Cells:
    cells = json.loads(notebook.read_text("utf-8"))["cells"]
    return {cell["id"]: cell for cell in cells if cell["cell_type"] == "code"}


def texts(cell: dict[str, Any]) -> list[dict[str, str]]:
    """What a cell's outputs say, and that there are pictures: their bytes depend on the machine's fonts."""
    return [
        {kind: kind if kind.startswith("image/") else "".join(value) for kind, value in output["data"].items()}
        for output in cell["outputs"]
    ]


@pytest.fixture(scope="module")
def committed() -> Cells:
    return code_cells(NOTEBOOK)


def analyst(pipeline: Pipeline) -> dict[str, str]:
    """Credentials of the analyst's role."""
    pipeline.earworm("deploy", "platform", "--set", "AnalystPrincipals=arn:aws:iam::000000000000:root")
    (stack,) = pipeline.cloud.client("cloudformation").describe_stacks(StackName="earworm-dev-platform")["Stacks"]
    (role,) = [each["OutputValue"] for each in stack["Outputs"] if each["OutputKey"] == "AnalystRoleArn"]
    sts = pipeline.cloud.client("sts")
    given = sts.assume_role(RoleArn=role, RoleSessionName="tour")["Credentials"]
    return {
        "AWS_ACCESS_KEY_ID": given["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": given["SecretAccessKey"],
        "AWS_SESSION_TOKEN": given["SessionToken"],
    }


@pytest.fixture(scope="module")
def executed(committed: Cells, tmp_path_factory: pytest.TempPathFactory) -> Cells:
    """The tour on a lake of the days that the committed one tells of."""
    assert JUPYTER.exists(), "run `make test`, which sets up Jupyter, or `make .venv/tools/notebook/.ready` alone"
    told = texts(committed["playlists"])[0]["text/plain"]
    days = sorted(date.fromisoformat(day) for day in re.findall(r"\d{4}-\d\d-\d\d", told))
    today = days[-1] + timedelta(days=1)
    folder = tmp_path_factory.mktemp("tour")
    notebook = folder / NOTEBOOK.name
    notebook.write_text(NOTEBOOK.read_text("utf-8"), "utf-8")
    files = write_chart_files(load_catalogue(), folder / "charts", newest_chart_day(today), WEEKS_OF_CHARTS)

    with deployed(folder / "cloud") as pipeline:
        playlists = collect.configured_playlists(pipeline.cloud)
        mondays = collect.mondays(WEEKS_OF_PLAYLISTS, today)
        for day in mondays:
            collect.extract(pipeline.cloud, day, playlists)
        pipeline.earworm("load", *map(str, files))
        pipeline.earworm("deploy", "listenbrainz")
        pipeline.earworm("run", "--source", "listenbrainz", "--date", str(today))
        for day in mondays:
            pipeline.wait_for(day, playlists)
        show_watch_list(pipeline.cloud, today)
        result = subprocess.run(
            [JUPYTER, *EXECUTE, notebook],
            env={"PATH": os.environ["PATH"], "HOME": str(folder), **pipeline.variables, **analyst(pipeline)},
            capture_output=True,
            text=True,
            check=False,
        )
    assert (result.returncode, result.stderr) == (0, "")
    return code_cells(notebook)


@pytest.mark.slow
def test_it_runs_from_top_to_bottom_and_complains_of_nothing(executed: Cells) -> None:
    assert [cell["execution_count"] for cell in executed.values()] == list(range(1, len(executed) + 1))
    kinds = {output["output_type"] for cell in executed.values() for output in cell["outputs"]}
    assert kinds == {"display_data", "execute_result"}


@pytest.mark.slow
def test_it_tells_what_is_committed(executed: Cells, committed: Cells) -> None:
    now, then = ({name: texts(cell) for name, cell in cells.items()} for cells in (executed, committed))

    assert now == then, "`make assets` executes the notebook anew"


@pytest.mark.slow
def test_its_receipts_add_up(executed: Cells) -> None:
    html = texts(executed["receipts"])[0]["text/html"]
    cells = re.findall(r"<th>(\w+)</th>\s*((?:<td>\d+</td>\s*)+)", html)
    rows = {name: re.findall(r"\d+", numbers) for name, numbers in cells}

    assert set(rows) == set(TABLES)
    for numbers in rows.values():
        entries, written, rejected, skipped, wrong, there = map(int, numbers)
        assert entries == written + rejected + skipped
        assert (wrong, there) == (0, written)


def test_it_is_committed_with_its_outputs_and_without_traces_of_a_machine(committed: Cells) -> None:
    assert [cell["execution_count"] for cell in committed.values()] == list(range(1, len(committed) + 1))
    assert [name for name, cell in committed.items() if not cell["outputs"]] == ["connect"]
    assert {str(cell["metadata"]) for cell in committed.values()} == {"{}"}
    told = "".join(text for cell in committed.values() for output in texts(cell) for text in output.values())
    assert re.findall(r"/(?:home|root|tmp|work|Users)\b|localhost|127\.0|\d\d:\d\d|[0-9a-f]{8}-[0-9a-f]{4}", told) == []
