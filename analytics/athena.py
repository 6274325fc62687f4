"""Questions to the lake through Athena's API, and what it answered."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Final

from tenacity import Retrying, retry_if_result, stop_after_delay, wait_exponential

if TYPE_CHECKING:
    from mypy_boto3_athena import AthenaClient
    from mypy_boto3_athena.type_defs import StartQueryExecutionInputTypeDef

_NUMBERS: Final = frozenset({"tinyint", "smallint", "integer", "bigint", "float", "double", "decimal"})
_FROM_TEXT: Final[Mapping[str, Callable[[str], Any]]] = {
    "tinyint": int,
    "smallint": int,
    "integer": int,
    "bigint": int,
    "float": float,
    "double": float,
    "boolean": lambda text: text == "true",
    "date": date.fromisoformat,
    "timestamp": datetime.fromisoformat,
}
"""By Athena's name of a type; what it does not name stays text."""
_LONGEST_QUERY: Final = 1800.0


class AthenaError(Exception):
    """Athena failed a query; the text is Athena's own reason."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What Athena answered, values as text in its own notation; None is NULL."""

    columns: tuple[str, ...]
    types: tuple[str, ...]
    rows: tuple[tuple[str | None, ...], ...]

    @property
    def number_columns(self) -> Sequence[int]:
        """The places of the columns that hold numbers."""
        return [place for place, type_ in enumerate(self.types) if type_ in _NUMBERS]

    def values(self) -> list[list[Any]]:
        """The rows with numbers, flags, days and times as such."""
        convert = [_FROM_TEXT.get(type_, str) for type_ in self.types]
        return [
            [None if text is None else read(text) for text, read in zip(row, convert, strict=True)] for row in self.rows
        ]

    def records(self) -> list[dict[str, Any]]:
        """The rows by column, with numbers, flags, days and times as such."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.values()]


@dataclass(frozen=True, slots=True)
class Athena:
    """Whom to ask.

    Attributes:
        client: Athena's API.
        database: Where the tables are.
        workgroup: Where queries run and their results go.
    """

    client: "AthenaClient"
    database: str
    workgroup: str

    def ask(self, sql: str, parameters: Sequence[str] = ()) -> Answer:
        """Runs a query and waits for its answer.

        Args:
            sql: The query.
            parameters: A literal of SQL for each of its question marks, in their order.

        Raises:
            AthenaError: Athena failed it.
        """
        return self.answer(self.start(sql, parameters))

    def start(self, sql: str, parameters: Sequence[str] = ()) -> str:
        """Starts a query, given as to `ask`, and returns its id: queries that are started run side by side."""
        request: StartQueryExecutionInputTypeDef = {
            "QueryString": sql,
            "WorkGroup": self.workgroup,
            "QueryExecutionContext": {"Database": self.database},
        }
        if parameters:
            request["ExecutionParameters"] = parameters
        return self.client.start_query_execution(**request)["QueryExecutionId"]

    def answer(self, query: str) -> Answer:
        """Waits for the answer of a query that was started.

        Raises:
            AthenaError: Athena failed it.
        """
        execution = Retrying(
            retry=retry_if_result(lambda found: found["Status"]["State"] in {"QUEUED", "RUNNING"}),
            wait=wait_exponential(multiplier=0.02, exp_base=1.15, max=1),
            stop=stop_after_delay(_LONGEST_QUERY),
        )(lambda: self.client.get_query_execution(QueryExecutionId=query)["QueryExecution"])
        if execution["Status"]["State"] != "SUCCEEDED":
            raise AthenaError(
                f"Athena failed the query: {execution['Status'].get('StateChangeReason', 'no reason given')}"
            )
        pages = list(self.client.get_paginator("get_query_results").paginate(QueryExecutionId=query))
        described = pages[0]["ResultSet"]["ResultSetMetadata"]["ColumnInfo"]
        rows = [
            tuple(value.get("VarCharValue") for value in row["Data"])
            for page in pages
            for row in page["ResultSet"]["Rows"]
        ]
        names = tuple(column["Name"] for column in described)
        header = 1 if rows and rows[0] == names else 0
        return Answer(names, tuple(column["Type"] for column in described), tuple(rows[header:]))
