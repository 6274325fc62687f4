"""The template of the views and named queries, written from `analytics/`.

`python -m infra.tools.views` writes `analytics/template.yaml`, which is committed, so that it deploys as it is.

A view in the Glue catalog is what Athena itself writes on CREATE VIEW: a table of type VIRTUAL_VIEW whose text is a
comment with the query and its columns, JSON in base64. CloudFormation encodes it, for the name of the database
depends on the environment. The description must be `Presto View` or absent: Trino takes it for the comment that it
knows its views by. Source: https://github.com/trinodb/trino/blob/435/plugin/trino-hive/src/main/java/io/trino/plugin/hive/ViewReaderUtil.java
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from ministack.services import glue

from analytics.sql import Query, View, queries, views
from contracts.columns import columns
from contracts.tables import OPERATIONS, TABLES, Table
from infra.deploying.stacks import ANALYTICS, template
from infra.local.emulator import athena

_HEAD: Final = """\
# Written by `python -m infra.tools.views` from the SQL beside it.
AWSTemplateFormatVersion: "2010-09-09"
Description: Earworm, the views that are pleasant to query and the questions of a music label as named queries.

Parameters:
  Environment:
    Description: Which of the environments that live side by side in one account.
    Type: String
    AllowedValues: [dev, prod]
    Default: dev

Resources:
"""
_VIEW: Final = """\
  {logical_id}View:
    Type: AWS::Glue::Table
    Properties:
      CatalogId: !Ref AWS::AccountId
      DatabaseName: !Sub earworm_${{Environment}}
      TableInput:
        Name: {name}
        Description: Presto View
        TableType: VIRTUAL_VIEW
        Parameters: {{presto_view: "true", comment: Presto View}}
        ViewOriginalText: !Join
          - ""
          - - "/* Presto View: "
            - Fn::Base64: !Sub {definition}
            - " */"
        ViewExpandedText: /* Presto View */
        StorageDescriptor:
          SerdeInfo: {{}}
          Columns:
{columns}
"""
_NAMED_QUERY: Final = """\
  {logical_id}Query:
    Type: AWS::Athena::NamedQuery
    Properties:
      Name: {name}
      Description: {question}
      Database: !Sub earworm_${{Environment}}
      WorkGroup: !Sub earworm-${{Environment}}
      QueryString: |
{text}
"""
_TAIL: Final = """\
Outputs:
  WorkGroup:
    Description: The Athena workgroup that lists the queries.
    Value: !Sub earworm-${Environment}
"""
_DATABASE: Final = "earworm_typed"


def table_input(table: Table[Any], location: str) -> dict[str, Any]:
    """A table of the contracts as the catalog has it, without partition projection."""
    return {
        "Name": table.name,
        "TableType": "EXTERNAL_TABLE",
        "Parameters": {"classification": "parquet" if table.name in TABLES else "json"},
        "PartitionKeys": [{"Name": key, "Type": "string"} for key in ("year", "month", "day")],
        "StorageDescriptor": {
            "Location": location,
            "Columns": [{"Name": column.name, "Type": column.glue_type} for column in columns(table.row)],
        },
    }


def text() -> str:
    """The template."""
    parts = [_view(view, stored) for view, stored in _created(views())] + [_query(each) for each in queries().values()]
    return _HEAD + "\n".join(parts) + "\n" + _TAIL


def _created(declared: Iterable[View]) -> Iterator[tuple[View, Mapping[str, Any]]]:
    """What the local Athena writes into its catalog for each view; those that others read come first."""
    glue._create_database({"DatabaseInput": {"Name": _DATABASE}})  # noqa: SLF001 - its API wants a server
    for table in (*TABLES.values(), *OPERATIONS.values()):
        request = {"DatabaseName": _DATABASE, "TableInput": table_input(table, f"s3://nowhere/{table.name}/")}
        glue._create_table(request)  # noqa: SLF001
    for view in declared:
        athena.run_query(f"CREATE VIEW {view.name} AS {view.text}", _DATABASE)
        yield view, glue._tables[f"{_DATABASE}/{view.name}"]  # noqa: SLF001


def _view(view: View, stored: Mapping[str, Any]) -> str:
    definition = athena.view_definition(stored) | {
        "originalSql": " ".join(view.text.split()),
        "schema": "earworm_${Environment}",
    }
    quoted = json.dumps(definition, separators=(",", ":")).replace("'", "''")
    listed = stored["StorageDescriptor"]["Columns"]
    return _VIEW.format(
        logical_id=_logical_id(view.name),
        name=view.name,
        definition=f"'{quoted}'",
        columns="\n".join(f"            - {{Name: {each['Name']}, Type: {each['Type']}}}" for each in listed),
    )


def _query(query: Query) -> str:
    return _NAMED_QUERY.format(
        logical_id=_logical_id(query.name),
        name=query.name,
        question=json.dumps(query.question),
        text="\n".join(f"        {line}".rstrip() for line in query.text.splitlines()),
    )


def _logical_id(name: str) -> str:
    return name.title().replace("_", "")


def main() -> None:
    """Write the template."""
    template(ANALYTICS).write_text(text())


if __name__ == "__main__":
    main()
