"""What an administrator deploys once, so that GitHub deploys an environment and may do no more."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from samtranslator.yaml_helper import yaml_parse

from infra.deploying.stacks import ENVIRONMENT, PLATFORM, ROOT, SERVICES
from tests.policies.cases import resolved

PATH = ROOT / "infra/bootstrap.yaml"
BOOTSTRAP: Mapping[str, Any] = yaml_parse(PATH.read_text())


def allowed(policy: Mapping[str, Any]) -> Iterator[str]:
    for each in policy["Statement"]:
        statement = each["Fn::If"][1] if "Fn::If" in each else each
        if statement["Effect"] == "Allow":
            yield from [statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"]


def test_it_serves_environments_of_any_name() -> None:
    assert BOOTSTRAP["Parameters"]["Environment"]["AllowedPattern"] == ENVIRONMENT


def test_a_job_of_the_environment_and_the_repository_alone_becomes_the_deployer() -> None:
    (trust,) = BOOTSTRAP["Resources"]["Deployer"]["Properties"]["AssumeRolePolicyDocument"]["Statement"]

    assert trust["Action"] == "sts:AssumeRoleWithWebIdentity"
    assert trust["Condition"] == {
        "StringEquals": {
            "token.actions.githubusercontent.com:aud": "sts.amazonaws.com",
            "token.actions.githubusercontent.com:sub": {"Fn::Sub": "repo:${Repository}:environment:${Environment}"},
        }
    }


def test_no_action_is_a_pattern() -> None:
    policies = [
        policy["PolicyDocument"]
        for role in ("Deployer", "CloudFormation")
        for policy in BOOTSTRAP["Resources"][role]["Properties"]["Policies"]
    ]
    boundary = BOOTSTRAP["Resources"]["Boundary"]["Properties"]["PolicyDocument"]

    assert [action for policy in (*policies, boundary) for action in allowed(policy) if "*" in action] == []


@pytest.mark.parametrize("component", [PLATFORM, *SERVICES], indirect=True)
def test_the_boundary_allows_each_action_that_a_role_is_granted(resources: Callable[[str], dict[str, Any]]) -> None:
    bounded = set(allowed(BOOTSTRAP["Resources"]["Boundary"]["Properties"]["PolicyDocument"]))

    for role in resources("AWS::IAM::Role").values():
        for policy in role["Policies"]:
            assert set(allowed(policy["PolicyDocument"])) <= bounded, "add it to infra/bootstrap.yaml"


def test_policies_are_not_longer_than_iam_takes() -> None:
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html; white space does not count.
    bootstrap = resolved("bootstrap")
    roles = [bootstrap.properties(role)["Policies"] for role in ("Deployer", "CloudFormation")]

    assert max(sum(length(policy["PolicyDocument"]) for policy in role) for role in roles) <= 10_240
    assert length(bootstrap.properties("Boundary")["PolicyDocument"]) <= 6_144


def length(policy: Mapping[str, Any]) -> int:
    return len(json.dumps(policy, separators=(",", ":")))
