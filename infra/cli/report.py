"""The report of a week, from what Athena answers."""

from datetime import date
from pathlib import Path

from analytics import report, week
from contracts.tables import TABLES
from infra.cli import query
from infra.cli.cloud import Cloud
from infra.cli.files import write_file
from infra.cli.screen import ConsoleError


def write(cloud: Cloud, day: date, folder: Path) -> Path:
    """Write the report of the week of a day into a folder of its own, and return its first page.

    Args:
        cloud: Whom to ask.
        day: A day of the week.
        folder: Where the week's folder is, or will be.

    Raises:
        AthenaError: Athena failed a query.
        ConsoleError: There is no chart of the week, or a file cannot be written.
    """
    deployed = cloud.tables()
    answers = week.collect(
        cloud.athena,
        day,
        today=query.today(),
        place=f"earworm-{cloud.environment} at {cloud.address}",
        absent=[table for table in TABLES if table not in deployed],
    )
    try:
        pages = report.report(answers)
    except ValueError as nothing:
        raise ConsoleError(
            f"There is {nothing}. Name another week with --week, or see `earworm query data_coverage`."
        ) from None
    of_the_week = folder / str(answers.monday)
    for name, page in pages.items():
        write_file(of_the_week / name, page)
    for stale in {each.name for each in of_the_week.glob("*.html")} - pages.keys():
        (of_the_week / stale).unlink()
    return of_the_week / report.INDEX
