"""Counts the rows of the tables."""

from contracts.tables import OPERATIONS, TABLES
from infra.cli.cloud import Cloud, find_cloud
from infra.cli.environment import Environment
from infra.cli.screen import grid, out


def tables(environment: Environment = "dev") -> None:
    """Show the tables with their rows, counted by Athena."""
    print_tables(find_cloud(environment))


def print_tables(cloud: Cloud) -> None:
    """Prints the deployed tables with their rows, snapshots and days."""
    tables = (*(TABLES[name] for name in cloud.tables()), *OPERATIONS.values())
    names = [table.name for table in tables]
    counted = "\nUNION ALL\n".join(
        f"SELECT '{table.name}' AS table_name, count(*) AS rows, count(DISTINCT concat({', '.join(table.snapshot)})) "  # noqa: S608  # the names are the contracts' own
        f"AS snapshots, min({table.snapshot[0]}) AS first_day, max({table.snapshot[0]}) AS last_day FROM {table.name}"
        for table in tables
    )
    answer = cloud.athena.ask(counted)
    counts = {row[0]: row[1:] for row in answer.rows}
    rows = [(name, *counts[name]) for name in names]
    columns = ("table", "rows", "snapshots", "first day", "last day")
    out.print(grid(f"Tables of {cloud.platform.database}", columns, rows, numbers=[1, 2]))
