"""That a new table is a contract, a transform and a README: all else is generated or discovered, tests included."""

import shutil
from pathlib import Path

import pytest

from infra.deploying.stacks import ROOT
from tests import sixth_table

pytestmark = pytest.mark.slow

WHAT_HOLDS_FOR_EVERY_TABLE = (
    "tests/contracts/test_columns.py",
    "tests/infra/test_catalog.py",
    "tests/infra/test_generated.py",
    "tests/infra/test_templates.py",
    "tests/unit/cli/test_explain.py",
    "tests/unit/redrive/test_template.py",
    "tests/unit/services/test_invariants.py",
    "tests/unit/shared/test_parquet.py",
)


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = sixth_table.copy_of_the_project(tmp_path_factory.mktemp("project"))
    sixth_table.add_to(root)
    return root


def test_the_tests_find_it_and_it_passes_them(grown: Path) -> None:
    shutil.copytree(ROOT / "tests", grown / "tests")
    shutil.copy(ROOT / "pyproject.toml", grown)

    result = sixth_table.run_in(
        grown,
        "-m",
        "pytest",
        "-n0",
        "-p",
        "no:cacheprovider",
        "-k",
        sixth_table.NAME,
        "-v",
        *WHAT_HOLDS_FOR_EVERY_TABLE,
    )

    assert result.returncode == 0, result.stdout
    for file in WHAT_HOLDS_FOR_EVERY_TABLE:
        assert f"{file}::" in result.stdout, f"{file} does not find the table"


def test_its_bundle_is_built_for_lambda(grown: Path) -> None:
    result = sixth_table.run_in(grown, "-m", "infra.deploying.build", sixth_table.NAME)

    assert result.returncode == 0, result.stderr
    assert (grown / f"build/aws/{sixth_table.NAME}.zip").exists()
