# ruff: noqa: SLF001 - it hooks into what ministack keeps private
"""`AWS::Athena::NamedQuery` for ministack's CloudFormation, which refuses a stack that has one.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-athena-namedquery.html
"""

from __future__ import annotations

import json
from typing import Any, Final

from ministack.services import athena
from ministack.services.cloudformation import provisioners

TYPE: Final = "AWS::Athena::NamedQuery"
_REQUIRED: Final = ("Database", "QueryString")


def install() -> None:
    """Register the type with CloudFormation.

    Raises:
        AttributeError: ministack has no such hook any more.
    """
    provisioners._RESOURCE_HANDLERS[TYPE] = {"create": _create, "update": _update, "delete": _delete}


def _create(_logical_id: str, properties: dict[str, Any], _stack: str) -> tuple[str, dict[str, Any]]:
    for name in _REQUIRED:
        if not properties.get(name):
            raise ValueError(f"Property validation failure: [The property {{/{name}}} is required]")
    _, _, body = athena._create_named_query(properties)
    query_id = json.loads(body)["NamedQueryId"]
    return query_id, {"NamedQueryId": query_id}


def _update(physical_id: str, _old: dict[str, Any], new: dict[str, Any], stack: str) -> tuple[str, dict[str, Any]]:
    """Every change replaces a named query."""
    created = _create("", new, stack)
    _delete(physical_id, new)
    return created


def _delete(physical_id: str, _properties: dict[str, Any]) -> None:
    athena._delete_named_query({"NamedQueryId": physical_id})
