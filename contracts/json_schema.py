"""The committed JSON schema of each table, and the guard of its readers.

`python -m contracts.json_schema` writes `contracts/schemas/<table>.v<version>.json` and refuses to overwrite one
with a schema that breaks its readers: Athena and Parquet match columns by name, so columns may come and move but
not be dropped, renamed or retyped unless the table's version grows.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from contracts.columns import columns
from contracts.tables import OPERATIONS, TABLES, Table

SCHEMAS = Path(__file__).parent / "schemas"


class BreakingChangeError(ValueError):
    """A contract changed in a way that breaks its readers."""


def schema_path(table: Table[Any]) -> Path:
    """Returns where the schema of a table's current version is committed."""
    return SCHEMAS / f"{table.name}.v{table.version}.json"


def json_schema(table: Table[Any]) -> dict[str, Any]:
    """Returns the JSON schema of one row, with each column's type in the catalog."""
    schema = TypeAdapter(table.row).json_schema()
    for column in columns(table.row):
        schema["properties"][column.name]["x-glue-type"] = column.glue_type
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "title": table.name,
        "description": table.description,
        "x-version": table.version,
        "x-key": list(table.key),
    }


def breaking_changes(committed: Mapping[str, Any], current: Mapping[str, Any]) -> list[str]:
    """Lists what a reader of the committed schema would miss or misread in the current one."""
    now = current["properties"]
    changes = []
    for name, column in committed["properties"].items():
        if name not in now:
            changes.append(f"column {name} was dropped or renamed")
        elif now[name]["x-glue-type"] != column["x-glue-type"]:
            changes.append(f"column {name} was retyped from {column['x-glue-type']} to {now[name]['x-glue-type']}")
    return changes


def write_schemas(directory: Path = SCHEMAS) -> None:
    """Writes the schema of every table.

    Raises:
        BreakingChangeError: A table's schema breaks the readers of its committed version.
    """
    schemas = {table: json_schema(table) for table in (*TABLES.values(), *OPERATIONS.values())}
    for table, schema in schemas.items():
        path = directory / schema_path(table).name
        changes = breaking_changes(json.loads(path.read_text("utf-8")), schema) if path.exists() else []
        if changes:
            raise BreakingChangeError(
                f"{table.name}: {'; '.join(changes)}. Readers of version {table.version} would break: keep the "
                f"columns, or raise the version in contracts/tables/{table.name}.py to {table.version + 1}"
            )
    for table, schema in schemas.items():
        (directory / schema_path(table).name).write_text(
            json.dumps(schema, indent=2, ensure_ascii=False) + "\n", "utf-8"
        )


if __name__ == "__main__":
    try:
        write_schemas()
    except BreakingChangeError as refusal:
        sys.exit(str(refusal))
