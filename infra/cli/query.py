"""Named queries and SQL of one's own, asked on the console and written in the forms that others read."""

import csv
import json
import re
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from enum import Enum
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from analytics.athena import Answer
from analytics.sql import ParameterError, queries
from infra.cli.cloud import Cloud
from infra.cli.screen import ConsoleError, grid, out

_ARROW: Final[Mapping[str, pa.DataType]] = {
    "tinyint": pa.int64(),
    "smallint": pa.int64(),
    "integer": pa.int64(),
    "bigint": pa.int64(),
    "float": pa.float64(),
    "double": pa.float64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("ms"),
}


class Form(Enum):
    """How an answer is written."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    PARQUET = "parquet"


def ask(cloud: Cloud, question: str, arguments: Sequence[str], today: date) -> tuple[str, Answer]:
    """The title and the answer of a question.

    Args:
        cloud: Where to ask.
        question: The name of a query in `analytics/queries`, or SQL.
        arguments: The parameters of a named query, `--name value` or `--name=value`.
        today: The day that defaults are counted from.

    Raises:
        AthenaError: Athena failed it.
        ConsoleError: There is no such query or parameter.
    """
    query = queries().get(question)
    if query:
        try:
            parameters = query.execution_parameters(_named_values(arguments), today)
        except ParameterError as fault:
            raise ConsoleError(str(fault)) from None
        return query.question, cloud.athena.ask(query.text, parameters)
    if " " not in question.strip():
        raise ConsoleError(f"There is no query {question!r}: choose among {', '.join(queries())}, or write SQL.")
    if arguments:
        raise ConsoleError(f"SQL of your own takes no parameters: write {' '.join(arguments)} into it.")
    return "", cloud.athena.ask(question)


def show_queries() -> None:
    """Print what can be asked by name."""
    rows = [
        (
            query.name,
            query.question,
            ", ".join(f"--{parameter.name} ({parameter.default})" for parameter in query.parameters),
        )
        for query in queries().values()
    ]
    out.print(grid("Queries", ("name", "question", "parameters (defaults)"), rows))


def write(title: str, answer: Answer, form: Form) -> None:
    """Write an answer to standard output. Dates are ISO; in JSON and Parquet numbers are numbers, and NULL is null.

    Raises:
        ConsoleError: It is Parquet, and standard output is a terminal.
    """
    match form:
        case Form.TABLE:
            out.print(grid(title, answer.columns, answer.rows, numbers=answer.number_columns))
        case Form.CSV:
            csv.writer(sys.stdout, lineterminator="\n").writerows([answer.columns, *answer.rows])
        case Form.JSON:
            json.dump(answer.records(), sys.stdout, ensure_ascii=False, indent=1, default=str)
            sys.stdout.write("\n")
        case Form.PARQUET:
            if sys.stdout.isatty():
                raise ConsoleError("Parquet is no text: send it to a file, `earworm query … --parquet > FILE`.")
            pq.write_table(_arrow(answer), sys.stdout.buffer)


def today() -> date:
    """The day in UTC, as Athena's current_date."""
    return datetime.now(UTC).date()


def _arrow(answer: Answer) -> pa.Table:
    types = [_ARROW.get(type_, pa.string()) for type_ in answer.types]
    columns = list(zip(*answer.values(), strict=True)) or [()] * len(types)
    arrays = [pa.array(column, type_) for column, type_ in zip(columns, types, strict=True)]
    return pa.table(arrays, names=list(answer.columns))


def _named_values(arguments: Sequence[str]) -> dict[str, str]:
    values: dict[str, str] = {}
    rest = iter(arguments)
    for argument in rest:
        name = re.fullmatch(r"--(?P<name>\w+)(=(?P<value>.*))?", argument, re.DOTALL)
        value = (name["value"] if name["value"] is not None else next(rest, None)) if name else None
        if not name or value is None:
            raise ConsoleError(f"{argument!r} is no parameter with a value: write --name value.")
        values[name["name"]] = value
    return values
