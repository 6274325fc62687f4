"""What becomes of Athena's answers, by an API that answers as Athena does."""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import pytest

from analytics.athena import Answer, Athena, AthenaError


@dataclass
class Api:
    """Athena's API with one query, which goes through some states and has two pages of results."""

    states: list[str]
    asked: dict[str, Any] = field(default_factory=dict)

    def start_query_execution(self, **request: Any) -> dict[str, str]:
        self.asked = request
        return {"QueryExecutionId": "one"}

    def get_query_execution(self, **_: str) -> dict[str, Any]:
        return {"QueryExecution": {"Status": {"State": self.states.pop(0), "StateChangeReason": "no such table"}}}

    def get_paginator(self, _: str) -> "Api":
        return self

    def paginate(self, **_: str) -> list[dict[str, Any]]:
        described = [{"Name": "name", "Type": "varchar"}, {"Name": "n", "Type": "bigint"}]
        pages: list[list[tuple[str | None, ...]]] = [[("name", "n"), ("a", "1")], [("b", None)]]
        return [
            {
                "ResultSet": {
                    "ResultSetMetadata": {"ColumnInfo": described},
                    "Rows": [{"Data": [{"VarCharValue": v} if v else {} for v in row]} for row in rows],
                }
            }
            for rows in pages
        ]


def asked_of(api: Any, *parameters: str) -> Answer:
    return Athena(api, "earworm_dev", "earworm-dev").ask("SELECT 1", parameters)


def test_an_answer_has_the_rows_of_every_page_without_the_header() -> None:
    api = Api(["QUEUED", "RUNNING", "SUCCEEDED"])

    answer = asked_of(api, "'x'")

    assert answer.records() == [{"name": "a", "n": 1}, {"name": "b", "n": None}]
    assert api.asked == {
        "QueryString": "SELECT 1",
        "WorkGroup": "earworm-dev",
        "QueryExecutionContext": {"Database": "earworm_dev"},
        "ExecutionParameters": ("'x'",),
    }


@pytest.mark.parametrize("state", ["FAILED", "CANCELLED"])
def test_a_query_that_fails_is_told_with_athenas_reason(state: str) -> None:
    with pytest.raises(AthenaError, match="Athena failed the query: no such table"):
        asked_of(Api([state]))


def test_values_are_numbers_flags_days_and_times_and_what_else_is_text() -> None:
    types = ("integer", "double", "boolean", "date", "timestamp", "varchar", "decimal")
    texts = ("7", "0.5", "false", "2026-11-23", "2026-11-23 06:00:01.250", "7", "1.10")

    answer = Answer(types, types, (texts, (None,) * len(types)))

    assert answer.values() == [
        [7, 0.5, False, date(2026, 11, 23), datetime.fromisoformat("2026-11-23T06:00:01.25"), "7", "1.10"],
        [None] * len(types),
    ]
    assert answer.number_columns == [0, 1, 6]
