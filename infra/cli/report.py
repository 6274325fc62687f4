"""The report of a week, from what Athena answers."""

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from analytics import report
from infra.cli import athena, query
from infra.cli.cloud import Cloud
from infra.cli.screen import ConsoleError

_WEEKS = 26


def write(cloud: Cloud, week: date, file: Path) -> None:
    """Write the report of the week of a day, with the half year before it.

    Raises:
        ConsoleError: There is no chart of that time.
    """
    monday = week - timedelta(days=week.weekday())
    last = min(monday + timedelta(days=6), query.today())
    first = monday - timedelta(weeks=_WEEKS - 1)
    days = [f"--from={first}", f"--to={last}"]

    def answer(name: str, *more: str) -> Sequence[dict[str, Any]]:
        return query.records(query.ask(cloud, name, [*days, *more], query.today())[1])

    entries = athena.ask(
        cloud.client("athena"),
        cloud.platform,
        "SELECT * FROM weekly_chart WHERE week BETWEEN date(?) AND date(?)",
        [f"'{first}'", f"'{last}'"],
    )
    contents = report.Contents(
        made_on=query.today(),
        first_day=first,
        last_day=last,
        place=f"earworm-{cloud.environment} at {cloud.address}",
        simulated="SPOTIFY_SIMULATOR_URL" in cloud.variables,
        entries=query.records(entries),
        genres=answer("genre_share_by_month"),
        sound=answer("sound_of_the_top"),
        churn=answer("artist_churn"),
        survival=answer("survival_of_debuts"),
        coverage=answer("data_coverage"),
    )
    try:
        page = report.page(contents)
    except ValueError as nothing:
        raise ConsoleError(
            f"There is {nothing}. Name another week with --week, or see `earworm query data_coverage`."
        ) from None
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(page, "utf-8")
