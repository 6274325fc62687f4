"""What the report of a week tells, asked of Athena."""

from collections.abc import Collection
from datetime import date, timedelta
from typing import Any, Final

from analytics.athena import Athena
from analytics.report import Contents
from analytics.sql import queries, tables_of

_WEEKS: Final = 26


def monday_of(day: date) -> date:
    """The day that the week of a day begins with."""
    return day - timedelta(days=day.weekday())


def collect(athena: Athena, week: date, *, today: date, place: str, absent: Collection[str] = ()) -> Contents:
    """What there is to tell of the week of a day and of the half year before it.

    Args:
        athena: Whom to ask.
        week: A day of the week.
        today: The day of the report; no later one is asked for.
        place: See `Contents`.
        absent: Tables that are not deployed; what they are needed for is not asked.

    Raises:
        AthenaError: Athena failed a query.
    """
    first = monday_of(week) - timedelta(weeks=_WEEKS - 1)
    last = min(monday_of(week) + timedelta(days=6), today)
    known = queries()

    def answer(name: str, **given: str) -> list[dict[str, Any]]:
        if not tables_of(known[name].text).isdisjoint(absent):
            return []
        parameters = known[name].execution_parameters({"from": str(first), "to": str(last), **given}, today)
        return athena.ask(known[name].text, parameters).records()

    def rows(sql: str) -> list[dict[str, Any]]:
        if not tables_of(sql).isdisjoint(absent):
            return []
        return athena.ask(sql, [f"'{first}'", f"'{last}'"]).records()

    made_up = "SELECT playlist_id FROM list_snapshots WHERE week BETWEEN date(?) AND date(?) AND simulated LIMIT 1"
    return Contents(
        made_on=today,
        first_day=first,
        last_day=last,
        place=place,
        simulated=bool(rows(made_up)),
        entries=rows("SELECT * FROM weekly_chart WHERE week BETWEEN date(?) AND date(?)"),
        genres=answer("genre_share_by_month", limit="1000"),
        sound=answer("sound_of_the_top"),
        churn=answer("artist_churn"),
        survival=answer("survival_of_debuts"),
        coverage=answer("data_coverage"),
        chart_coverage=answer("chart_coverage"),
        absent=tuple(absent),
    )
