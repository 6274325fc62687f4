"""The report of a week, from what Athena answers."""

import os
from datetime import date
from pathlib import Path
from typing import Annotated, Final

import typer

from analytics import week as weeks
from analytics.report import INDEX
from analytics.report import report as draw
from contracts.tables import TABLES
from infra.cli.cloud import Cloud, find_cloud
from infra.cli.days import read_day, today
from infra.cli.environment import Environment
from infra.cli.files import write_file
from infra.cli.screen import ConsoleError, out
from infra.deploying.stacks import ROOT

REPORTS: Final = ROOT / "report"


def report(
    week: Annotated[
        date | None, typer.Option(parser=read_day, metavar="DAY", help="A day of the week to report. [default: today]")
    ] = None,
    environment: Environment = "dev",
) -> None:
    """Write a week's report as pages that need neither network nor SQL, below report/, and as one file to send."""
    index = write(find_cloud(environment), week or today(), REPORTS)
    out.print(f"The report is {os.path.relpath(index)}.")


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
    answers = weeks.collect(
        cloud.athena,
        day,
        today=today(),
        place=f"earworm-{cloud.environment} at {cloud.address}",
        absent=[table for table in TABLES if table not in deployed],
    )
    try:
        pages = draw(answers)
    except ValueError as nothing:
        raise ConsoleError(
            f"There is {nothing}. Name another week with --week: `earworm tables` shows which days there are."
        ) from None
    of_the_week = folder / str(answers.monday)
    for name, page in pages.items():
        write_file(of_the_week / name, page)
    for stale in {each.name for each in of_the_week.glob("*.html")} - pages.keys():
        (of_the_week / stale).unlink()
    return of_the_week / INDEX
