"""The days that a snapshot can be of."""

from datetime import date
from typing import Annotated, Final

from pydantic import AfterValidator

FIRST_DAY: Final = date(2006, 1, 1)
LAST_DAY: Final = date(2035, 12, 31)
"""The partitions that the tables have, in the templates' `projection.year.range`: Athena would never see others."""


def snapshot_day(day: date) -> date:
    """The day, if a snapshot can be of it.

    Raises:
        ValueError: The tables have no partition of that day.
    """
    if FIRST_DAY <= day <= LAST_DAY:
        return day
    raise ValueError(f"{day} is outside the days that the tables have, {FIRST_DAY} to {LAST_DAY}: give one of these")


SnapshotDay = Annotated[date, AfterValidator(snapshot_day)]
