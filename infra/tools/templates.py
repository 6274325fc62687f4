"""Generates templates and services from the contracts.

`python -m infra.tools.templates` writes, for each table of the contracts, the service around its `transform.py`:
`template.yaml` from `infra/transformer.yaml`, and `handler.py`; and the columns of the platform's own tables into
`infra/platform.yaml`. All of it is committed, so that a template deploys as it is.
"""

from collections.abc import Mapping
from io import StringIO
from pathlib import Path
from typing import Any, Final, TypeAlias

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq, TaggedScalar
from ruamel.yaml.scalarstring import DoubleQuotedScalarString

from contracts.columns import columns
from contracts.tables import OPERATIONS, TABLES, Table
from contracts.tables.table import AnyRow
from contracts.watch_list import WatchEntry
from infra.deploying.stacks import PLATFORM, ROOT, template
from shared.lake import kind_of

_TRANSFORMER: Final = ROOT / "infra/transformer.yaml"
_HEAD: Final = "# Written by `make generate` from infra/transformer.yaml and the contract of {table}.\n"
_HANDLER: Final = '''\
"""Written by `make generate`."""

import gc

gc.disable()  # hardly any of what cold start makes is garbage; `transformer` freezes it and enables the collector again

from contracts.tables import TABLES
from services.{table}.transform import {table}
from shared.worker import transformer

lambda_handler = transformer(table=TABLES["{table}"], transform={table})
'''
_Filling: TypeAlias = Mapping[str, Any]
"""The value of each name in angle brackets."""


def transformer(table: Table[Any]) -> str:
    """Returns the template of a table's service."""
    kind = kind_of(table)
    topic = kind.topic.title().replace("-", "")
    document = _yaml().load(_TRANSFORMER.read_text().replace("<TopicArn>", topic))
    document.ca.comment = None  # on the file that this is made from
    filling = {
        "<table>": table.name,
        "<service>": table.name.replace("_", "-"),
        "<description>": table.description,
        "<folder>": kind.folder,
        "<columns>": _columns(table.row),
    }
    return _HEAD.format(table=table.name) + _text(_filled(document, filling))


def handler(table: Table[Any]) -> str:
    """Returns the handler of a table's service."""
    return _HANDLER.format(table=table.name)


def platform() -> str:
    """Returns the platform's template, with the columns of its tables from their contracts."""
    rows: Mapping[str, type[AnyRow]] = {name: table.row for name, table in OPERATIONS.items()} | {
        "watchlist": WatchEntry
    }
    document = _yaml().load(template(PLATFORM))
    for resource in document["Resources"].values():
        if resource["Type"] == "AWS::Glue::Table":
            declared = resource["Properties"]["TableInput"]
            declared["StorageDescriptor"]["Columns"] = _columns(rows[declared["Name"]])
    return _text(document)


def generated() -> dict[Path, str]:
    """Yields each generated file with its text."""
    files = {template(PLATFORM): platform()}
    for table in TABLES.values():
        service = ROOT / "services" / table.name
        files |= {
            service / "__init__.py": "",
            service / "handler.py": handler(table),
            service / "template.yaml": transformer(table),
        }
    return files


def _filled(node: Any, filling: _Filling) -> Any:
    match node:
        case dict():
            for name, value in node.items():
                node[name] = _filled(value, filling)
        case list():
            for place, value in enumerate(node):
                node[place] = _filled(value, filling)
        case TaggedScalar():
            node.value = _replaced(node.value, filling)
        case str() if node in filling:
            return filling[node]
        case str():
            return type(node)(_replaced(node, filling))
    return node


def _replaced(text: str, filling: _Filling) -> str:
    for name, value in filling.items():
        if name in text:
            text = text.replace(name, value)
    return text


def _columns(row: type[AnyRow]) -> CommentedSeq:
    listed = CommentedSeq()
    for column in columns(row):
        declared = CommentedMap(
            Name=column.name, Type=column.glue_type, Comment=DoubleQuotedScalarString(column.comment)
        )
        declared.fa.set_flow_style()
        listed.append(declared)
    return listed


def _text(document: CommentedMap) -> str:
    written = StringIO()
    _yaml().dump(document, written)
    return written.getvalue()


def _yaml() -> YAML:
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 1_000_000
    yaml.indent(mapping=2, sequence=4, offset=2)
    return yaml


def main() -> None:
    """Write every file that is out of date."""
    for path, text in generated().items():
        if not path.exists() or path.read_text() != text:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)


if __name__ == "__main__":
    main()
