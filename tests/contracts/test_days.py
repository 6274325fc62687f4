"""The days that snapshots can be of."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.days import FIRST_DAY, LAST_DAY, snapshot_day


@given(st.dates(FIRST_DAY, LAST_DAY))
def test_a_day_of_a_partition_is_taken_as_it_is(day: date) -> None:
    assert snapshot_day(day) == day


@pytest.mark.parametrize("day", [FIRST_DAY - timedelta(days=1), LAST_DAY + timedelta(days=1), date.min, date.max])
def test_any_other_day_is_refused_with_those_that_there_are(day: date) -> None:
    with pytest.raises(ValueError, match=f"^{day} is outside the tables' days, 2006-01-01 to 2035-12-31"):
        snapshot_day(day)
