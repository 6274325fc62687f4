"""The range of days that snapshots can have."""

from datetime import date
from typing import Annotated, Final

from pydantic import AfterValidator

FIRST_DAY: Final = date(2006, 1, 1)
LAST_DAY: Final = date(2035, 12, 31)
"""A day outside these is taken for a mistake: Spotify was founded in 2006."""


def snapshot_day(day: date) -> date:
    """Returns the day if the tables have a partition for it.

    Raises:
        ValueError: They have none.
    """
    if FIRST_DAY <= day <= LAST_DAY:
        return day
    raise ValueError(f"{day} is outside the tables' days, {FIRST_DAY} to {LAST_DAY}: give a day within them")


SnapshotDay = Annotated[date, AfterValidator(snapshot_day)]
