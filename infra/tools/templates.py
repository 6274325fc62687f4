"""Generates templates and services from the contracts.

`python -m infra.tools.templates` writes, for each table of the contracts, the service around its `transform.py`:
`template.yaml` from `infra/transformer.yaml`, and `handler.py`; and `infra/catalog.yaml`, which declares all tables,
whether or not the services that write them are deployed. All of it is committed, so that a template deploys as it is.
"""

import json
from collections.abc import Iterable, Mapping
from io import StringIO
from pathlib import Path
from typing import Any, Final, TypeAlias

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, TaggedScalar

from contracts.columns import columns
from contracts.tables import OPERATIONS, TABLES, Table
from contracts.tables.table import AnyRow
from contracts.watch_list import WatchEntry
from infra.deploying.stacks import CATALOG, ROOT, template
from shared.lake import WATCH_LIST, kind_of, table_prefix

_TRANSFORMER: Final = ROOT / "infra/transformer.yaml"
_HEAD: Final = "# Written by `make generate` from infra/transformer.yaml and the contract of {table}.\n"
_HANDLER: Final = '''\
"""Written by `make generate`."""

import gc

gc.disable()  # hardly any of what cold start makes is garbage; `ready` freezes it and enables the collector again

from contracts.tables import TABLES
from services.{table}.transform import {table}
from shared.invocation import ready
from shared.worker import transformer

lambda_handler = ready(transformer(table=TABLES["{table}"], transform={table}))
'''
_TEMPLATE: Final = """\
# Written by `make generate` from {source}.
AWSTemplateFormatVersion: "2010-09-09"
Description: Earworm, {description}.

Parameters:
  Environment:
    Description: Which of the environments that live side by side in one account.
    Type: String
    AllowedPattern: "[a-z][a-z0-9]{{0,11}}"
    Default: dev
{parameters}
Resources:
{resources}"""
_BUCKET: Final = """\
  # The platform's, read from an SSM parameter that deploying names: in dev, /earworm/dev/bucket.
  Bucket:
    Description: The lake's bucket.
    Type: AWS::SSM::Parameter::Value<String>
"""
_TABLE: Final = """\
  {logical_id}Table:
    Type: AWS::Glue::Table
    Properties:
      CatalogId: !Ref AWS::AccountId
      DatabaseName: !Sub earworm_${{Environment}}
      TableInput:
        Name: {name}
        Description: {description}
        TableType: EXTERNAL_TABLE
        Parameters: {{EXTERNAL: "TRUE", {parameters}}}
        PartitionKeys:{keys}
        StorageDescriptor:
          Location: !Sub s3://${{Bucket}}/{prefix}
          Columns:{columns}
{storage}
"""
_PARQUET: Final = """\
          InputFormat: org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat
          OutputFormat: org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat
          SerdeInfo: {SerializationLibrary: org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe}
"""
_JSON_LINES: Final = """\
          InputFormat: org.apache.hadoop.mapred.TextInputFormat
          OutputFormat: org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat
          SerdeInfo: {SerializationLibrary: org.openx.data.jsonserde.JsonSerDe}
"""
_CSV: Final = """\
          # Athena matches columns of CSV by their place, and takes an empty value for a text.
          InputFormat: org.apache.hadoop.mapred.TextInputFormat
          OutputFormat: org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat
          SerdeInfo:
            SerializationLibrary: org.apache.hadoop.hive.serde2.OpenCSVSerde
            Parameters: {separatorChar: ",", quoteChar: "\\"", escapeChar: "\\\\"}
"""
_KEYS: Final = {
    "kind": "Kind of the list, spotify or charts",
    "year": "Year of the snapshot",
    "month": "Month of the snapshot, two digits",
    "day": "Day of the snapshot, two digits",
}
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
    }
    return _HEAD.format(table=table.name) + _text(_filled(document, filling))


def handler(table: Table[Any]) -> str:
    """Returns the handler of a table's service."""
    return _HANDLER.format(table=table.name)


def written(resources: Iterable[str], *, source: str, description: str, parameters: str = "") -> str:
    """Returns a template of resources that are text, and of parameters beside the environment."""
    return _TEMPLATE.format(
        source=source, description=description, parameters=parameters, resources="\n".join(resources)
    )


def logical_id(name: str) -> str:
    """Returns the beginning of the logical id of what a snake_case name names."""
    return name.title().replace("_", "")


def catalog() -> str:
    """Returns the template of the tables, those of operations and the watch list among them."""
    parquet = (_declared(each, "classification: parquet, compressionType: none", _PARQUET) for each in TABLES.values())
    json_lines = (
        _declared(each, "classification: json, compressionType: none", _JSON_LINES) for each in OPERATIONS.values()
    )
    return written(
        [*parquet, *json_lines, _watch_list()],
        source="the contracts",
        description="the tables of the lake in the Glue catalog, whether or not their services are deployed",
        parameters=_BUCKET,
    )


def _declared(table: Table[Any], parameters: str, storage: str) -> str:
    return _TABLE.format(
        logical_id=logical_id(table.name),
        name=table.name,
        description=json.dumps(table.description),
        parameters=parameters,
        keys=_listed((key, "string", _KEYS[key]) for key in table.partition_keys),
        prefix=table_prefix(table),
        columns=_columns(table.row),
        storage=storage.rstrip("\n"),
    )


def _watch_list() -> str:
    return _TABLE.format(
        logical_id="WatchList",
        name="watchlist",
        description="One row for each artist, label or recording that is watched",
        parameters='classification: csv, compressionType: none, skip.header.line.count: "1"',
        keys=" []",
        prefix=WATCH_LIST.rpartition("/")[0] + "/",
        columns=_columns(WatchEntry),
        storage=_CSV.rstrip("\n"),
    )


def _columns(row: type[AnyRow]) -> str:
    return _listed((each.name, each.glue_type, each.comment) for each in columns(row))


def _listed(of_columns: Iterable[tuple[str, str, str]]) -> str:
    return "".join(
        f"\n            - {{Name: {name}, Type: {type_}, Comment: {json.dumps(comment, ensure_ascii=False)}}}"
        for name, type_, comment in of_columns
    )


def generated() -> dict[Path, str]:
    """Returns each generated file with its text."""
    files = {template(CATALOG): catalog()}
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
