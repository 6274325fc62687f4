"""What is asked of Athena for the report of a week."""

from dataclasses import dataclass, field
from datetime import date
from threading import Barrier
from typing import Any

import pytest

from analytics.athena import Answer
from analytics.week import collect, monday_of


@dataclass
class Asked:
    """Answers each query with its first line and the days that it was asked for."""

    queries: list[str] = field(default_factory=list)

    def ask(self, sql: str, parameters: list[str]) -> Answer:
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


def test_the_queries_run_side_by_side() -> None:
    everything_is_asked = Barrier(7)

    class Patient(Asked):
        def ask(self, sql: str, parameters: list[str]) -> Answer:
            if "What happened to the recordings of the watch list" not in sql:
                everything_is_asked.wait(timeout=10)
            return super().ask(sql, parameters)

    athena: Any = Patient()

    assert collect(athena, date(2026, 11, 24), today=date(2026, 11, 25), place="here").lists


def test_what_needs_a_table_that_is_not_deployed_is_not_asked() -> None:
    athena: Any = Asked()
    today = date(2026, 11, 25)

    answers = collect(athena, today, today=today, place="here", absent=["albums"])

    # labels are those of albums, and nothing else is
    assert answers.labels == []
    assert len(answers.lists) == len(answers.entries) == len(answers.genres) == len(answers.stays) == 1
    assert answers.absent == ("albums",)
