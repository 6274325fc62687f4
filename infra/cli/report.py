"""The report of a week, from what Athena answers."""

from datetime import date
from pathlib import Path

from analytics import report, week
from contracts.tables import TABLES
from infra.cli import query
from infra.cli.cloud import Cloud
from infra.cli.files import write_file
from infra.cli.screen import ConsoleError


def write(cloud: Cloud, day: date, file: Path) -> None:
    """Write the report of the week of a day, with the half year before it.

    Raises:
        AthenaError: Athena failed a query.
        ConsoleError: There is no chart of that time, or the file cannot be written.
    """
    deployed = cloud.tables()
    contents = week.collect(
        cloud.athena,
        day,
        today=query.today(),
        place=f"earworm-{cloud.environment} at {cloud.address}",
        absent=[table for table in TABLES if table not in deployed],
    )
    try:
        page = report.page(contents)
    except ValueError as nothing:
        raise ConsoleError(
            f"There is {nothing}. Name another week with --week, or see `earworm query data_coverage`."
        ) from None
    write_file(file, page)
