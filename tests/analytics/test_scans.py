"""Which days a query makes Athena list, of each table as often as it reads it."""

import pytest
from sqlglot import exp

from analytics import week
from analytics.sql import queries
from infra.local.emulator import athena, trino
from infra.tools.cost import DATED_SCANS_OF_A_REPORT, UNDATED_SCANS_OF_A_REPORT
from tests.analytics.lake import DATABASE, TODAY


def scans(sql: str) -> tuple[int, int]:
    """How many tables it reads, each as often as it does: of all their days, and of some."""
    statement = trino.parse(sql, database=DATABASE)
    assert isinstance(statement, exp.Query)
    demands = [demand for each in athena._translate(statement).demands.values() for demand in each]
    undated = sum(demand is None for demand in demands)
    return undated, len(demands) - undated


@pytest.mark.usefixtures("lake")
def test_the_page_of_a_week_reads_as_many_tables_as_the_cost_of_a_year_assumes() -> None:
    found = []
    for name in (*week._QUERIES.values(), "watch_list"):
        query = queries()[name]
        days = {"week": "2026-11-16", "to": "2026-11-16"}
        given = {each.name: days[each.name] for each in query.parameters if each.name in days}
        found.append(scans(trino.bind(query.text, query.execution_parameters(given, TODAY))))

    undated, dated = (sum(of_each) for of_each in zip(*found, strict=True))
    assert (undated, dated) == (UNDATED_SCANS_OF_A_REPORT, DATED_SCANS_OF_A_REPORT)
