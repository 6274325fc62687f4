"""Reads the Glue tables that a template declares, in the form that Glue's API takes.

CloudFormation does not check whether its resources still exist: a stack whose table was dropped counts as unchanged. So
a repair of the catalog reads the declaration and creates the table from it.
"""

import re
from base64 import b64encode
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from samtranslator.yaml_helper import yaml_parse

if TYPE_CHECKING:
    from mypy_boto3_glue.type_defs import TableInputTypeDef

_SUBSTITUTED = re.compile(r"\$\{(?P<literal>!?)(?P<name>[^}]+)\}")


def declared_tables(template: str | Mapping[str, Any], values: Mapping[str, str]) -> "dict[str, TableInputTypeDef]":
    """Returns the tables and views that a template declares, by name.

    Args:
        template: The template, as text or parsed.
        values: The values of its parameters and resources by name.

    Raises:
        KeyError: A table names a value that is not among these.
    """
    parsed = yaml_parse(template) if isinstance(template, str) else template
    tables = (
        _resolved(resource["Properties"]["TableInput"], values)
        for resource in parsed["Resources"].values()
        if resource["Type"] == "AWS::Glue::Table"
    )
    return {table["Name"]: cast("TableInputTypeDef", table) for table in tables}


def _resolved(value: Any, values: Mapping[str, str]) -> Any:
    """Returns a part of a template with the intrinsic functions that tables use resolved."""
    if isinstance(value, list):
        return [_resolved(each, values) for each in value]
    return _resolved_mapping(value, values) if isinstance(value, dict) else value


def _resolved_mapping(value: Mapping[str, Any], values: Mapping[str, str]) -> Any:
    match value:
        case {"Ref": name}:
            return values[name]
        case {"Fn::Sub": text}:
            return _substituted(text, values)
        case {"Fn::Join": [separator, parts]}:
            return separator.join(_resolved(parts, values))
        case {"Fn::Base64": text}:
            return b64encode(_resolved(text, values).encode()).decode()
    return {name: _resolved(each, values) for name, each in value.items()}


def _substituted(text: str, values: Mapping[str, str]) -> str:
    def one(found: re.Match[str]) -> str:
        return f"${{{found['name']}}}" if found["literal"] else values[found["name"]]

    return _SUBSTITUTED.sub(one, text)
