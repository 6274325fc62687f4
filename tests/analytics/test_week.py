"""What is asked of Athena for the report of a week."""

from dataclasses import dataclass, field
from datetime import date
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
def test_the_half_year_to_the_end_of_the_week_is_asked_for_but_no_day_to_come(today: date, last: str) -> None:
    athena: Any = Asked()

    contents = collect(athena, date(2026, 11, 24), today=today, place="here")

    assert (str(contents.first_day), str(contents.last_day), contents.made_on) == ("2026-06-01", last, today)
    assert contents.place == "here"
    between = f"'2026-06-01' '{last}'"
    assert contents.entries == [
        {"question": f"SELECT * FROM weekly_chart WHERE week BETWEEN date(?) AND date(?) {between}"}
    ]
    assert contents.sound == [
        {"question": f"How do the recordings at the top sound, compared with the rest? {between}"}
    ]
    assert contents.coverage[0]["question"].endswith(between)
    assert contents.chart_coverage[0]["question"].startswith("How complete are the charts")


@pytest.mark.parametrize("simulated", [True, False])
def test_the_lists_of_these_weeks_say_themselves_whether_they_are_simulated(*, simulated: bool) -> None:
    class Lake(Asked):
        def ask(self, sql: str, parameters: list[str]) -> Answer:
            asked = super().ask(sql, parameters)
            if "AND simulated" not in sql:
                return asked
            return Answer(("playlist_id",), ("varchar",), (("top",),) if simulated else ())

    athena: Any = Lake()

    assert collect(athena, date(2026, 11, 24), today=date(2026, 11, 25), place="here").simulated is simulated


def test_what_needs_a_table_that_is_not_deployed_is_not_asked() -> None:
    athena: Any = Asked()
    today = date(2026, 11, 25)

    contents = collect(athena, today, today=today, place="here", absent=["albums"])

    # the view behind the sound joins albums, the charts do not
    assert contents.sound == []
    assert len(contents.entries) == len(contents.genres) == len(contents.churn) == len(contents.survival) == 1
    assert contents.absent == ("albums",)
