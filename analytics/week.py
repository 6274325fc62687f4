"""Asks Athena what the report of a week tells."""

from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from typing import Any, Final

from analytics.athena import Athena
from analytics.report import Answers
from analytics.sql import queries, tables_of

_QUERIES: Final = {
    "lists": "lists_of_the_week",
    "entries": "week_on_the_lists",
    "labels": "track_labels",
    "stays": "time_on_list",
    "genres": "genre_momentum",
    "sound": "sound_momentum",
    "watch_list": "watch_list",
}
"""The query behind each field of `Answers`."""


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
        absent: Tables that are not deployed; what they are needed for is not asked.

    Raises:
        AthenaError: Athena failed a query.
    """
    monday = monday_of(week)
    last_day = min(monday + timedelta(days=6), today)
    known = queries()

    def rows(name: str) -> list[dict[str, Any]]:
        query = known[name]
        if not tables_of(query.text).isdisjoint(absent):
            return []
        days = {"week": str(monday), "to": str(monday)} | ({"from": str(monday)} if name == "watched_events" else {})
        given = {each.name: days[each.name] for each in query.parameters if each.name in days}
        return athena.ask(query.text, query.execution_parameters(given, today)).records()

    with ThreadPoolExecutor(len(_QUERIES)) as side_by_side:
        found = dict(zip(_QUERIES, side_by_side.map(rows, _QUERIES.values()), strict=True))
    return Answers(
        made_on=today,
        monday=monday,
        last_day=last_day,
        place=place,
        absent=tuple(absent),
        events=rows("watched_events") if found["watch_list"] else [],
        **found,
    )
