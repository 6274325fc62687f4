"""Asks Athena what the report of a week tells."""

from collections.abc import Collection
from datetime import date, timedelta
from typing import Final

from analytics.athena import Athena
from analytics.report import Answers
from analytics.sql import queries

_QUERIES: Final = {
    "lists": "lists_of_the_week",
    "entries": "week_on_the_lists",
    "labels": "track_labels",
    "stays": "time_on_list",
    "genres": "genre_momentum",
    "sound": "sound_momentum",
}
"""The query behind each field of `Answers` but the watch list's."""


def monday_of(day: date) -> date:
    """The day that the week of a day begins with."""
    return day - timedelta(days=day.weekday())


def collect(athena: Athena, week: date, *, today: date, place: str, absent: Collection[str] = ()) -> Answers:
    """What there is to tell of the week of a day, and of the year before it.

    Args:
        athena: Whom to ask.
        week: A day of the week.
        today: The day of the report; no later one is asked for.
        place: See `Answers`.
        absent: See `Answers`.

    Raises:
        AthenaError: Athena failed a query.
    """
    monday = monday_of(week)
    last_day = min(monday + timedelta(days=6), today)
    known = queries()

    def question(name: str) -> tuple[str, list[str]]:
        query = known[name]
        given = {each.name: str(monday) for each in query.parameters if each.name in {"week", "to"}}
        return query.text, query.execution_parameters(given, today)

    started = {field: athena.start(*question(name)) for field, name in _QUERIES.items()}
    if athena.ask("SELECT type FROM watchlist LIMIT 1").rows:
        started["watch_list"] = athena.start(*question("watch_list"))
    return Answers(
        made_on=today,
        monday=monday,
        last_day=last_day,
        place=place,
        absent=tuple(absent),
        **{field: athena.answer(query).records() for field, query in started.items()},
    )
