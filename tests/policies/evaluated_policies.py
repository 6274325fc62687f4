"""Each policy allows what the code asks of AWS and denies what is not its business, says an evaluator that is not ours.

The evaluator knows IAM's rules, and each action with the resources and condition keys that it takes, so that a case
that AWS would not take fails too.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest

from infra.deploying.stacks import ROOT
from tests.policies.cases import BOOTSTRAP, POLICED, Case, cases, resolved
from tests.policies.resolved import ACCOUNT

EVALUATOR: Final = ROOT / ".venv/tools/policies"
SCRIPT: Final = Path(__file__).with_name("evaluate.mjs")
CASES: Final = [case for component in POLICED for case in cases(component)]
BOUNDED: Final = [each for each in CASES if each.allowed and each.caller is None and each.component != BOOTSTRAP]
"""What the roles of an environment may do, within its boundary too."""


def evaluate(simulations: list[dict[str, Any]]) -> list[str]:
    node = shutil.which("node")
    assert node, "install Node.js 20 or newer"
    assert (EVALUATOR / "node_modules").exists(), "run `make policies`, which sets the evaluator up"
    done = subprocess.run(
        [node, SCRIPT, EVALUATOR],
        input=json.dumps(simulations),
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    outcomes: list[str] = json.loads(done.stdout)
    return outcomes


@pytest.fixture(scope="module")
def outcomes() -> Mapping[str, str]:
    return dict(zip(map(str, CASES), evaluate([case.simulation() for case in CASES]), strict=True))


@pytest.fixture(scope="module")
def bounded_outcomes() -> Mapping[str, str]:
    return dict(zip(map(str, BOUNDED), evaluate([case.simulation(bounded=True) for case in BOUNDED]), strict=True))


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_policy_allows_what_the_code_asks_and_nothing_else(case: Case, outcomes: Mapping[str, str]) -> None:
    assert outcomes[str(case)] in ({"Allowed"} if case.allowed else {"ImplicitlyDenied", "ExplicitlyDenied"})


@pytest.mark.parametrize("case", BOUNDED, ids=str)
def test_the_boundary_leaves_a_role_what_its_policy_allows(case: Case, bounded_outcomes: Mapping[str, str]) -> None:
    assert resolved(case.component).properties(case.policy)["PermissionsBoundary"] == (
        f"arn:aws:iam::{ACCOUNT}:policy/{resolved(BOOTSTRAP).properties('Boundary')['ManagedPolicyName']}"
    )
    assert bounded_outcomes[str(case)] == "Allowed"


def test_the_evaluator_refuses_what_aws_would_refuse() -> None:
    sound = next(case for case in CASES if case.action == "s3:PutObject" and case.allowed)
    nonsense = [replace(sound, action="s3:PutObjekt"), replace(sound, action="sqs:SendMessage")]

    outcomes = evaluate([each.simulation() for each in (sound, *nonsense)])

    assert outcomes[0] == "Allowed"
    assert all(outcome.startswith("error: ") for outcome in outcomes[1:])
