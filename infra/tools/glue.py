"""The columns of the Glue tables, written into the templates from the contracts.

`python -m infra.tools.glue` rewrites what stands between `# columns of <table>` and `# end of columns` in every
template. The columns are committed, so that a template deploys as it is.
"""

import json
import re

from contracts.columns import Column, columns
from contracts.tables import OPERATIONS, TABLES
from infra.deploying.stacks import PLATFORM, SERVICES, template

_COLUMNS = re.compile(
    r"^(?P<indent> *)# columns of (?P<table>\w+)\n(?P<columns>.*?)^ *# end of columns\n", re.MULTILINE | re.DOTALL
)


def with_columns(text: str) -> str:
    """A template with the columns of each marked table as its contract has them.

    Raises:
        KeyError: A marker names a table that no contract declares.
    """
    return _COLUMNS.sub(_marked_columns, text)


def _marked_columns(marked: re.Match[str]) -> str:
    indent, table = marked["indent"], marked["table"]
    lines = [
        f"# columns of {table}",
        *(_line(column) for column in columns(({**TABLES, **OPERATIONS}[table]).row)),
        "# end of columns",
    ]
    return "".join(f"{indent}{line}\n" for line in lines)


def _line(column: Column) -> str:
    return f"- {{Name: {column.name}, Type: {column.glue_type}, Comment: {json.dumps(column.comment)}}}"


def main() -> None:
    """Rewrite the columns in every template."""
    for path in map(template, (PLATFORM, *SERVICES)):
        path.write_text(with_columns(path.read_text()))


if __name__ == "__main__":
    main()
