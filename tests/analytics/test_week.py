"""What is asked of Athena for the report of a week."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import pytest

from analytics.athena import Answer
from analytics.week import collect, monday_of


@dataclass
class Asked:
    """Answers each query with its first line and the days that it was asked for.

    Attributes:
        at_work: The queries that were started and not waited for.
    """

    at_work: list[Answer] = field(default_factory=list)

    def start(self, sql: str, parameters: Sequence[str] = ()) -> Answer:
        self.at_work.append(self.ask(sql, parameters))
        return self.at_work[-1]

    def answer(self, query: Answer) -> Answer:
        self.at_work.remove(query)
        return query

    def ask(self, sql: str, parameters: Sequence[str] = ()) -> Answer:
        days = " ".join(each for each in parameters if each.startswith("'2"))
        return Answer(("question",), ("varchar",), ((f"{sql.splitlines()[0].removeprefix('-- ')} {days}",),))


@pytest.mark.parametrize("day", ["2026-11-23", "2026-11-25", "2026-11-29"])
def test_a_week_begins_on_its_monday(day: str) -> None:
    assert monday_of(date.fromisoformat(day)) == date(2026, 11, 23)


@pytest.mark.parametrize(
    ("today", "last"),
    [(date(2026, 11, 25), "2026-11-25"), (date(2027, 1, 1), "2026-11-29")],
)
def test_the_week_and_the_year_before_it_are_asked_for_but_no_day_to_come(today: date, last: str) -> None:
    athena: Any = Asked()

    answers = collect(athena, date(2026, 11, 24), today=today, place="here")

    assert (str(answers.monday), str(answers.last_day), answers.made_on) == ("2026-11-23", last, today)
    assert answers.place == "here"
    assert answers.entries[0]["question"].startswith("What happened on each list in a week? '2026-11-23'")
    assert answers.sound == [
        {"question": "How does the sound of the playlists change? '2026-11-23' '2025-12-01' '2026-11-23'"}
    ]


@pytest.mark.parametrize("entries", [0, 1])
def test_the_watch_list_is_asked_for_if_it_has_an_entry(entries: int) -> None:
    class Watched(Asked):
        def ask(self, sql: str, parameters: Sequence[str] = ()) -> Answer:
            answer = super().ask(sql, parameters)
            return (
                Answer(answer.columns, answer.types, answer.rows[:entries]) if "FROM watchlist LIMIT" in sql else answer
            )

    athena: Any = Watched()

    answers = collect(athena, date(2026, 11, 24), today=date(2026, 11, 25), place="here")

    assert [*answers.watch_list] == [{"question": "What does the watch list watch? "}] * entries


def test_what_the_week_tells_is_asked_for_side_by_side() -> None:
    class Busy(Asked):
        def answer(self, query: Answer) -> Answer:
            most.append(len(self.at_work))
            return super().answer(query)

    most: list[int] = []
    athena: Any = Busy()

    collect(athena, date(2026, 11, 24), today=date(2026, 11, 25), place="here")

    # none was waited for before all were at work
    assert most == [7, 6, 5, 4, 3, 2, 1]


def test_tables_that_are_not_deployed_are_asked_for_what_they_know_and_named() -> None:
    athena: Any = Asked()
    today = date(2026, 11, 25)

    answers = collect(athena, today, today=today, place="here", absent=["albums"])

    assert len(answers.labels) == len(answers.lists) == len(answers.entries) == 1
    assert answers.absent == ("albums",)
