"""The day that a simulator shows."""

import datetime as dt
from typing import Final

from pydantic import BaseModel, ConfigDict

from infra.local.loopback import INFO_PATH

CLOCK_PATH: Final = f"{INFO_PATH}/clock"


class Message(BaseModel):
    """What a simulator's own routes take and return."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class ClockSetting(Message):
    """The day that the simulator shall show; None lets it follow the calendar (UTC)."""

    date: dt.date | None


class Clock(Message):
    """The day that the simulator shows, and whether it was set."""

    date: dt.date
    is_set: bool
