import copy
from collections.abc import Callable
from functools import cache
from types import SimpleNamespace
from typing import Any

import pytest
from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

from infra.deploying.stacks import COMPONENTS, template

Template = dict[str, Any]


@pytest.fixture
def written() -> Callable[[str], Template]:
    """A component's template as it is written."""
    return lambda component: copy.deepcopy(_parsed(component))


@pytest.fixture
def expanded(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Template]:
    """A component's template as CloudFormation sees it after the SAM transform."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")

    def expand(component: str) -> Template:
        no_managed_policies = SimpleNamespace(load=dict)
        expanded: Template = transform(copy.deepcopy(_parsed(component)), {}, no_managed_policies)
        return expanded

    return expand


@pytest.fixture(params=COMPONENTS)
def component(request: pytest.FixtureRequest) -> str:
    """The platform, each service and the analytics."""
    return str(request.param)


@pytest.fixture
def resources(component: str, expanded: Callable[[str], Template]) -> Callable[[str], dict[str, Any]]:
    """The properties of the component's resources of a type, by logical id."""

    def of(kind: str) -> dict[str, Any]:
        declared = expanded(component)["Resources"]
        return {name: each.get("Properties", {}) for name, each in declared.items() if each["Type"] == kind}

    return of


@cache
def _parsed(component: str) -> Template:
    parsed: Template = yaml_parse(template(component).read_text())
    return parsed
