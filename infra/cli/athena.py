"""Questions to the lake through Athena's API."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tenacity import Retrying, retry_if_result, stop_after_delay, wait_exponential

from infra.cli.screen import ConsoleError

if TYPE_CHECKING:
    from mypy_boto3_athena import AthenaClient
    from mypy_boto3_athena.type_defs import StartQueryExecutionInputTypeDef

    from infra.cli.cloud import Platform

_NUMBERS = frozenset({"tinyint", "smallint", "integer", "bigint", "float", "double", "decimal"})
_LONGEST_QUERY = 1800.0


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


def ask(athena: "AthenaClient", platform: "Platform", sql: str, parameters: Sequence[str] = ()) -> Answer:
    """Runs a query in the platform's workgroup and waits for its answer.

    Args:
        athena: Whom to ask.
        platform: Where the tables are.
        sql: The query.
        parameters: A literal of SQL for each of its question marks, in their order.

    Raises:
        ConsoleError: Athena refused or failed it; the text is Athena's own reason.
    """
    request: StartQueryExecutionInputTypeDef = {
        "QueryString": sql,
        "WorkGroup": platform.workgroup,
        "QueryExecutionContext": {"Database": platform.database},
    }
    if parameters:
        request["ExecutionParameters"] = parameters
    query = athena.start_query_execution(**request)["QueryExecutionId"]
    execution = Retrying(
        retry=retry_if_result(lambda found: found["Status"]["State"] in {"QUEUED", "RUNNING"}),
        wait=wait_exponential(multiplier=0.02, max=1),
        stop=stop_after_delay(_LONGEST_QUERY),
    )(lambda: athena.get_query_execution(QueryExecutionId=query)["QueryExecution"])
    if execution["Status"]["State"] != "SUCCEEDED":
        raise ConsoleError(
            f"Athena failed the query: {execution['Status'].get('StateChangeReason', 'no reason given')}"
        )
    pages = list(athena.get_paginator("get_query_results").paginate(QueryExecutionId=query))
    described = pages[0]["ResultSet"]["ResultSetMetadata"]["ColumnInfo"]
    rows = [
        tuple(value.get("VarCharValue") for value in row["Data"]) for page in pages for row in page["ResultSet"]["Rows"]
    ]
    names = tuple(column["Name"] for column in described)
    header = 1 if rows and rows[0] == names else 0
    return Answer(names, tuple(column["Type"] for column in described), tuple(rows[header:]))
