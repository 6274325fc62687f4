"""What the code may ask of AWS stands beside it, in the files `calls.yaml`, which `make policies` evaluates."""

from typing import Final

import pytest

from tests.policies.cases import POLICED, cases, declared, resolved

REFUSES_ALONE: Final = {"AlertsPolicy", "DeadLetterQueuePolicy"}
"""Policies of resources that allow nobody anything in some components, and refuse connections in the clear."""


@pytest.mark.parametrize("component", POLICED)
def test_each_policy_and_each_action_that_it_grants_has_a_case(component: str) -> None:
    policies = {
        name
        for name, resource in resolved(component).template["Resources"].items()
        if resource["Type"] == "AWS::IAM::Role"
        or resource["Type"].endswith(("BucketPolicy", "QueuePolicy", "TopicPolicy"))
    }
    granted = {
        (name, action)
        for name in policies
        for policy in resolved(component).properties(name).get("Policies", ())
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Allow"
        for action in ([statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"])
    }
    tried = {(case.policy, case.action) for case in cases(component) if case.allowed and case.caller is None}

    assert set(declared(component)) >= policies - REFUSES_ALONE
    assert tried == granted
