"""What the report of a week tells, asked of Athena."""

from datetime import date, timedelta
from typing import Any, Final

from analytics.athena import Athena
from analytics.report import Contents
from analytics.sql import queries

_WEEKS: Final = 26


def monday_of(day: date) -> date:
    """The day that the week of a day begins with."""
    return day - timedelta(days=day.weekday())


def collect(athena: Athena, week: date, *, today: date, place: str, simulated: bool) -> Contents:
    """What there is to tell of the week of a day and of the half year before it.

    Args:
        athena: Whom to ask.
        week: A day of the week.
        today: The day of the report; no later one is asked for.
        place: See `Contents`.
        simulated: See `Contents`.

    Raises:
        AthenaError: Athena failed a query.
    """
    first = monday_of(week) - timedelta(weeks=_WEEKS - 1)
    last = min(monday_of(week) + timedelta(days=6), today)
    known = queries()

    def answer(name: str) -> list[dict[str, Any]]:
        parameters = known[name].execution_parameters({"from": str(first), "to": str(last)}, today)
        return athena.ask(known[name].text, parameters).records()

    entries = athena.ask(
        "SELECT * FROM weekly_chart WHERE week BETWEEN date(?) AND date(?)", [f"'{first}'", f"'{last}'"]
    )
    return Contents(
        made_on=today,
        first_day=first,
        last_day=last,
        place=place,
        simulated=simulated,
        entries=entries.records(),
        genres=answer("genre_share_by_month"),
        sound=answer("sound_of_the_top"),
        churn=answer("artist_churn"),
        survival=answer("survival_of_debuts"),
        coverage=answer("data_coverage"),
    )
