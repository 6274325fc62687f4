"""What GitHub and shells demand of the files that they run."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.deploying.stacks import ROOT

DEPLOY = ROOT / ".github/workflows/deploy.yml"
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
SCRIPTS = [*sorted((ROOT / "infra").rglob("*.sh")), ROOT / ".ci/run"]

EVERY_WORKFLOW = pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.stem)


def check_schema(*files: Path, schema: str = "vendor.github-workflows") -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema]
    return subprocess.run([*command, *files], capture_output=True, text=True, check=False)


def shellcheck(script: str) -> str:
    """What shellcheck complains of; a script without a first line of its own is bash's, as GitHub's are."""
    own = [] if script.startswith("#!") else ["--shell=bash"]
    command = [str(Path(sys.executable).with_name("shellcheck")), *own, "-"]
    return subprocess.run(command, input=script, capture_output=True, text=True, check=False).stdout


def jobs(workflow: Path) -> dict[str, dict[str, Any]]:
    loaded: dict[str, dict[str, Any]] = yaml.safe_load(workflow.read_text())["jobs"]
    return loaded


def steps(workflow: Path) -> list[dict[str, Any]]:
    return [step for job in jobs(workflow).values() for step in job.get("steps", ())]


@pytest.mark.slow
def test_workflows_follow_githubs_schema(tmp_path: Path) -> None:
    broken = tmp_path / "broken.yml"
    broken.write_text(WORKFLOWS[0].read_text().replace("runs-on:", "run-on:"))

    assert check_schema(*WORKFLOWS).returncode == 0
    assert check_schema(broken).returncode == 1
    assert check_schema(ROOT / ".github/dependabot.yml", schema="vendor.dependabot").returncode == 0


@EVERY_WORKFLOW
def test_actions_are_pinned_by_commit(workflow: Path) -> None:
    used = [each["uses"] for each in (*steps(workflow), *jobs(workflow).values()) if "uses" in each]

    assert [
        each for each in used if not re.fullmatch(r"[\w/-]+@[0-9a-f]{40}|\./\.github/workflows/test\.yml", each)
    ] == []
    assert len(used) >= 2


@EVERY_WORKFLOW
def test_only_a_job_of_an_environment_may_become_its_role(workflow: Path) -> None:
    assert yaml.safe_load(workflow.read_text())["permissions"] == {"contents": "read"}
    may_write = {
        name: job.get("environment")
        for name, job in jobs(workflow).items()
        if "write" in job.get("permissions", {}).values()
    }

    assert may_write == ({"dev": "dev", "prod": "prod"} if workflow.stem == "deploy" else {})


def test_prod_follows_an_approval_that_follows_dev_and_dev_follows_the_tests() -> None:
    deploying = jobs(DEPLOY)

    assert set(deploying["dev"]["needs"]) == {"test", "plan"}
    assert deploying["approve"]["needs"] == "dev"
    assert "approve" in deploying["prod"]["needs"]
    assert deploying["dev"]["steps"] == deploying["prod"]["steps"]
    assert [deploying[name]["env"]["EARWORM_ENV"] for name in ("dev", "prod")] == ["dev", "prod"]


def test_what_waits_for_an_approval_holds_back_no_deployment_and_gives_way_to_what_is_newer() -> None:
    held = {name: job["concurrency"] for name, job in jobs(DEPLOY).items() if "concurrency" in job}

    assert "concurrency" not in yaml.safe_load(DEPLOY.read_text())
    assert held == {
        "dev": {"group": "deploy-dev", "cancel-in-progress": False},
        "approve": {"group": "approve-prod", "cancel-in-progress": True},
        "prod": {"group": "deploy-prod", "cancel-in-progress": False},
    }
    assert jobs(DEPLOY)["approve"]["environment"] == "approve-prod"


@EVERY_WORKFLOW
def test_whatever_sets_up_the_environment_does_so_from_a_cache(workflow: Path) -> None:
    for job in jobs(workflow).values():
        runs = [step.get("run", "") for step in job.get("steps", ())]
        cached = any("actions/cache@" in step.get("uses", "") for step in job.get("steps", ()))
        assert cached == any(run.startswith("make ") for run in runs)


@EVERY_WORKFLOW
def test_no_step_writes_an_expression_into_a_script(workflow: Path) -> None:
    assert [step["run"] for step in steps(workflow) if "${{" in step.get("run", "")] == []


def run_script(script: str, folder: Path, **variables: str) -> "subprocess.CompletedProcess[str]":
    """A step as GitHub runs it: in bash, which ends at the first fault."""
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
        cwd=folder,
        env={"PATH": os.environ["PATH"], **variables},
        capture_output=True,
        text=True,
        check=False,
    )


def program(path: Path, script: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Where a job runs: with a bare Python, a console that tells its arguments, and a GitHub without runs."""
    program(tmp_path / "bin/python", f'cd "{ROOT}" && exec "{sys.executable}" -S "$@"')
    program(tmp_path / ".venv/bin/earworm", 'for each; do printf "%s\\n" "$each"; done')
    program(tmp_path / "bin/gh", ":")
    return tmp_path


def choose(checkout: Path, named: str) -> tuple[int, str]:
    (script,) = [step["run"] for step in jobs(DEPLOY)["plan"]["steps"] if step.get("id") == "choose"]
    output = checkout / "output"
    path = f"{checkout / 'bin'}:{os.environ['PATH']}"
    result = run_script(script, checkout, NAMED=named, RUNS="runs", GITHUB_OUTPUT=str(output), PATH=path)
    return result.returncode, output.read_text() if output.exists() else result.stdout


@pytest.mark.parametrize("named", ["songs", "platform songs", "--all", "analytics"])
def test_components_that_are_named_are_planned(checkout: Path, named: str) -> None:
    assert choose(checkout, named) == (0, f"components={named}\n")


@pytest.mark.parametrize(("changed", "planned"), [("songs", "songs"), ("albums\\nlistenbrainz\\nsongs", "--all")])
def test_what_is_optional_is_upgraded_by_a_deployment_of_everything_which_knows_whether_it_is_on(
    checkout: Path, changed: str, planned: str
) -> None:
    program(checkout / "bin/gh", "echo 1234567")
    bare = (checkout / "bin/python").read_text().partition("\n")[2]
    program(checkout / "bin/python", f'case $2 in infra.deploying.changes) printf "{changed}\\n" ;; *) {bare} ;; esac')

    assert choose(checkout, "") == (0, f"components={planned}\n")


@pytest.mark.parametrize(
    "named", ["songs --env prod --yes", "--yes", "--set", "concerts", "songs;id", "$(id)", "*", "s", "platform songs2"]
)
def test_whatever_is_no_component_ends_the_plan(checkout: Path, named: str) -> None:
    code, told = choose(checkout, named)

    assert code == 1
    assert "choose among --all platform catalog albums" in told


@pytest.mark.parametrize(
    ("planned", "arguments"),
    [
        ("songs", ["deploy", "--", "songs"]),
        ("platform songs", ["deploy", "--", "platform", "songs"]),
        ("--all", ["deploy", "--"]),
        ("songs --env prod --yes", ["deploy", "--", "songs", "--env", "prod", "--yes"]),
    ],
)
def test_what_is_planned_reaches_the_console_as_names_alone(checkout: Path, planned: str, arguments: list[str]) -> None:
    (script,) = [step["run"] for step in jobs(DEPLOY)["dev"]["steps"] if "earworm deploy" in step.get("run", "")]

    assert run_script(script, checkout, COMPONENTS=planned).stdout.splitlines() == arguments


@pytest.mark.slow
def test_shellcheck_finds_nothing() -> None:
    scripts = [path.read_text() for path in SCRIPTS]
    scripts += [step["run"] for workflow in WORKFLOWS for step in steps(workflow) if "run" in step]

    assert [complaint for script in scripts if (complaint := shellcheck(script))] == []
    assert "SC2086" in shellcheck("rm $1\n")
