"""The report of a week, from what Athena answers."""

import os
from datetime import date
from pathlib import Path
from typing import Annotated, Final

import typer

from analytics import week as weeks
from analytics.report import page
from contracts.tables import TABLES
from infra.cli.cloud import Cloud, find_cloud
from infra.cli.days import read_day, today
from infra.cli.environment import Environment
from infra.cli.files import write_file
from infra.cli.screen import ConsoleError, out
from infra.deploying.stacks import ROOT

REPORT: Final = ROOT / "report/index.html"


def report(
    week: Annotated[
        date | None, typer.Option(parser=read_day, metavar="DAY", help="A day of the week to report. [default: today]")
    ] = None,
    environment: Environment = "dev",
) -> None:
    """Write a week's report as one page, report/index.html, that needs neither network nor SQL."""
    write(find_cloud(environment), week or today(), REPORT)
    out.print(f"The report is {os.path.relpath(REPORT)}.")


def write(cloud: Cloud, day: date, file: Path) -> None:
    """Write the report of the week of a day, with the half year before it.

    Raises:
        AthenaError: Athena failed a query.
        ConsoleError: There is no chart of that time, or the file cannot be written.
    """
    deployed = cloud.tables()
    contents = weeks.collect(
        cloud.athena,
        day,
        today=today(),
        place=f"earworm-{cloud.environment} at {cloud.address}",
        absent=[table for table in TABLES if table not in deployed],
    )
    try:
        text = page(contents)
    except ValueError as nothing:
        raise ConsoleError(
            f"There is {nothing}. Name another week with --week, or see `earworm query data_coverage`."
        ) from None
    write_file(file, text)
