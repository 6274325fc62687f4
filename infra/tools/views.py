"""Generates the template of the views and named queries from `analytics/`.

`python -m infra.tools.views` writes `analytics/template.yaml`, which is committed, so that it deploys as it is.

A view in the Glue catalog is what Athena itself writes on CREATE VIEW: a table of type VIRTUAL_VIEW whose text is a
comment with the query and its columns, JSON in base64. CloudFormation encodes it, for the name of the database
depends on the environment. The description must be `Presto View` or absent: Trino takes it for the comment that it
knows its views by. Source: https://github.com/trinodb/trino/blob/435/plugin/trino-hive/src/main/java/io/trino/plugin/hive/ViewReaderUtil.java
"""

import json
from collections.abc import Mapping
from typing import Final

from analytics.sql import Query, View, queries, views
from infra.deploying.stacks import ANALYTICS, template
from infra.tools.templates import logical_id, written

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
_OUTPUTS: Final = """\
Outputs:
  WorkGroup:
    Description: The Athena workgroup that lists the queries.
    Value: !Sub earworm-${Environment}
"""
_GLUE_TYPES: Final[Mapping[str, str]] = {"varchar": "string", "integer": "int"}
"""Athena's types whose name in Glue is another. Source: https://docs.aws.amazon.com/athena/latest/ug/data-types.html"""


def text() -> str:
    """Returns the template."""
    resources = [*map(_view, views()), *map(_query, queries().values())]
    description = "the views that are pleasant to query and the questions of a music label as named queries"
    return f"{written(resources, source='the SQL beside it', description=description)}\n{_OUTPUTS}"


def _view(view: View) -> str:
    definition = {
        "originalSql": " ".join(view.text.split()),
        "catalog": "awsdatacatalog",
        "schema": "earworm_${Environment}",
        "columns": [{"name": name, "type": type_} for name, type_ in view.columns.items()],
    }
    quoted = json.dumps(definition, separators=(",", ":")).replace("'", "''")
    return _VIEW.format(
        logical_id=logical_id(view.name),
        name=view.name,
        definition=f"'{quoted}'",
        columns="\n".join(
            f"            - {{Name: {name}, Type: {_GLUE_TYPES.get(type_, type_)}}}"
            for name, type_ in view.columns.items()
        ),
    )


def _query(query: Query) -> str:
    return _NAMED_QUERY.format(
        logical_id=logical_id(query.name),
        name=query.name,
        question=json.dumps(query.question),
        text="\n".join(f"        {line}".rstrip() for line in query.text.splitlines()),
    )


def main() -> None:
    """Write the template."""
    template(ANALYTICS).write_text(text())


if __name__ == "__main__":
    main()
