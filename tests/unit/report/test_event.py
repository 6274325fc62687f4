from datetime import date
from typing import Any

import pytest

from contracts.operations.week_report import WeekRequest
from shared.errors import PermanentError
from shared.invocation import read


def test_without_a_week_it_is_that_of_today() -> None:
    assert read(WeekRequest, {}).week is None


def test_a_week_is_named_by_a_day_in_it() -> None:
    assert read(WeekRequest, {"week": "2026-11-25"}).week == date(2026, 11, 25)


@pytest.mark.parametrize(
    ("event", "sentence"),
    [
        ({"week": "last"}, "week: Input should be a valid date"),
        ({"week": "2036-01-01"}, "week: 2036-01-01 is outside the tables' days"),
        ({"month": "2026-11"}, "month: Extra inputs are not permitted"),
    ],
)
def test_any_other_event_is_refused_with_what_it_may_hold(event: dict[str, Any], sentence: str) -> None:
    with pytest.raises(PermanentError, match=f"{sentence}.*It may hold week"):
        read(WeekRequest, event)
