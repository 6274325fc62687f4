"""What the simulator tells of itself, and takes, on its own routes."""

import datetime as dt

from pydantic import BaseModel, ConfigDict

INFO_PATH = "/_simulator"
CLOCK_PATH = "/_simulator/clock"


class ClockSetting(BaseModel):
    """The day that the simulator shall show; None lets it follow the calendar (UTC)."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    date: dt.date | None


class Clock(BaseModel):
    """The day that the simulator shows, and whether it was set."""

    model_config = ConfigDict(frozen=True)

    date: dt.date
    is_set: bool


class PlaylistInfo(BaseModel):
    """A playlist that the simulator serves."""

    model_config = ConfigDict(frozen=True)

    id: str
    name: str


class SimulatorInfo(BaseModel):
    """The simulator: its name, its clock and its playlists."""

    model_config = ConfigDict(frozen=True)

    name: str
    clock: Clock
    playlists: tuple[PlaylistInfo, ...]
