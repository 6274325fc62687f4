"""What others demand of a template: AWS's own SAM CLI, cfn-lint and checkov find nothing in any of them."""

import os
import subprocess
from pathlib import Path

import pytest

from infra.deploying.stacks import COMPONENTS, ROOT, template

pytestmark = pytest.mark.slow

TEMPLATES = [*(template(component) for component in COMPONENTS), ROOT / "infra/bootstrap.yaml"]


VALIDATE_EACH = """
import sys
from samcli.cli.main import cli
for template in sys.argv[1:]:
    cli.main(["validate", "--lint", "--template", template], prog_name="sam", standalone_mode=False)
"""
"""`sam validate --lint`, which loads all that it knows of AWS's resources once for all templates."""


def run(
    tool: str, *arguments: str | Path, program: str | None = None, home: Path
) -> "subprocess.CompletedProcess[str]":
    """Runs a tool, or another program of its environment, which `make test` sets up for it alone."""
    command = ROOT / ".venv/tools" / tool / "bin" / (program or tool)
    assert command.exists(), f"run `make test`, which sets up the tools, or `make .venv/tools/{tool}/.ready` alone"
    return subprocess.run(
        [command, *arguments],
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


def test_sam_and_cfn_lint_find_nothing(tmp_path: Path) -> None:
    result = run("sam", "-c", VALIDATE_EACH, *TEMPLATES, program="python", home=tmp_path)

    assert result.returncode == 0, result.stdout + result.stderr
    assert result.stdout.splitlines() == [f"{path} is a valid SAM Template" for path in TEMPLATES]


def test_checkov_finds_nothing_but_what_is_skipped_with_a_reason(tmp_path: Path) -> None:
    # Relative names: checkov puts a template's path where a reference stands, and takes any 40 letters and slashes,
    # so where the project happens to lie, for a secret access key.
    files = [part for path in TEMPLATES for part in ("--file", path.relative_to(ROOT))]

    result = run("checkov", "--config-file", ROOT / "infra/checkov.yaml", *files, home=tmp_path)

    assert result.returncode == 0, result.stdout + result.stderr
    assert "Failed checks: 0" in result.stdout


def test_the_gates_close(tmp_path: Path) -> None:
    # given a queue that nobody encrypts and a bucket that anybody may read, of a type with a slip
    wanting = tmp_path / "template.yaml"
    wanting.write_text(
        "Resources:\n  Open:\n    Type: AWS::S3::Bucket\n    Properties: {AccessControl: PublicRead}\n"
        "  Slip:\n    Type: AWS::SQS::Queueue\n"
    )

    sam = run("sam", "validate", "--lint", "--template", wanting, home=tmp_path)
    checkov = run("checkov", "--config-file", ROOT / "infra/checkov.yaml", "--file", wanting, home=tmp_path)

    assert (sam.returncode, "AWS::SQS::Queueue" in sam.stdout + sam.stderr) == (1, True)
    assert (checkov.returncode, "CKV_AWS_20" in checkov.stdout) == (1, True)
