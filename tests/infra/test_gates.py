"""What others demand of a template: AWS's own SAM CLI, cfn-lint and checkov find nothing in any of them.

Each tool runs once, over all templates and one that is wanting: loading what it knows of AWS takes it longest.
"""

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from infra.deploying.stacks import COMPONENTS, ROOT, template

pytestmark = pytest.mark.slow

TEMPLATES = [*(template(component) for component in COMPONENTS), ROOT / "infra/bootstrap.yaml"]


VALIDATE_EACH = """
import gc, sys
gc.disable()  # a third of the time
from functools import cache
from cfnlint import helpers
helpers.load_plugins = cache(helpers.load_plugins)  # as cfn-lint itself does for many templates
from samcli.cli.main import cli
from samcli.commands.exceptions import UserException
for template in sys.argv[1:]:
    try:
        cli.main(["validate", "--lint", "--template", template], prog_name="sam", standalone_mode=False)
    except UserException as refusal:
        print(f"{template} is refused: {refusal}")
"""
"""`sam validate --lint` of each template."""

CHECK_ALL = """
import gc, runpy, sys
gc.disable()  # a fourth of the time
from functools import cache
from bc_jsonpath_ng.ext import parser
from ply import yacc
parser.ExtentedJsonPathParser = cache(parser.ExtentedJsonPathParser)
yacc.yacc = cache(yacc.yacc)  # as much again: the tables of one parser, made for each path
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""
"""`checkov` as its script starts it."""


def run(tool: str, *arguments: str | Path, home: Path) -> "subprocess.CompletedProcess[str]":
    """Runs a script with the Python of a tool's environment, which `make test` sets up for it alone."""
    python = ROOT / ".venv/tools" / tool / "bin/python"
    assert python.exists(), f"run `make test`, which sets up the tools, or `make .venv/tools/{tool}/.ready` alone"
    return subprocess.run(
        [python, "-c", *arguments],
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "SAM_CLI_TELEMETRY": "0",
            "AWS_DEFAULT_REGION": "eu-west-1",
        },
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def wanting(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A queue of a type with a slip and a bucket that anybody may read."""
    wanting = tmp_path_factory.mktemp("wanting") / "template.yaml"
    wanting.write_text(
        "Resources:\n  Open:\n    Type: AWS::S3::Bucket\n    Properties: {AccessControl: PublicRead}\n"
        "  Slip:\n    Type: AWS::SQS::Queueue\n"
    )
    return wanting


@pytest.fixture(scope="module")
def validated(wanting: Path) -> str:
    """What SAM and cfn-lint say of every template and of the one that is wanting."""
    result = run("sam", VALIDATE_EACH, *TEMPLATES, wanting, home=wanting.parent)
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.fixture(scope="module")
def checked(wanting: Path) -> Mapping[str, Any]:
    """What checkov finds in every template and in the one that is wanting."""
    # Relative names: checkov puts a template's path where a reference stands, and takes any 40 letters and slashes,
    # so where the project happens to lie, for a secret access key.
    names = [*(path.relative_to(ROOT) for path in TEMPLATES), wanting]
    files = [part for name in names for part in ("--file", name)]
    script, config = ROOT / ".venv/tools/checkov/bin/checkov", ROOT / "infra/checkov.yaml"
    result = run("checkov", CHECK_ALL, script, "--config-file", config, "--output", "json", *files, home=wanting.parent)
    assert result.returncode == 1, result.stdout + result.stderr
    told: Mapping[str, Any] = json.loads(result.stdout)
    return told


def test_sam_and_cfn_lint_find_nothing(validated: str) -> None:
    for path in TEMPLATES:
        assert f"{path} is a valid SAM Template\n" in validated


def test_checkov_finds_nothing_but_what_is_skipped_with_a_reason(checked: Mapping[str, Any], wanting: Path) -> None:
    assert {each["file_abs_path"] for each in checked["results"]["failed_checks"]} == {str(wanting)}
    assert checked["summary"]["parsing_errors"] == 0


def test_the_gates_close(validated: str, checked: Mapping[str, Any], wanting: Path) -> None:
    assert f"{wanting} is a valid SAM Template" not in validated
    assert f"{wanting} is refused" in validated
    assert "AWS::SQS::Queueue" in validated
    assert "CKV_AWS_20" in {each["check_id"] for each in checked["results"]["failed_checks"]}
