"""Days and months on the command line."""

import re
from datetime import UTC, date, datetime
from typing import Final

from pydantic_core import PydanticCustomError

from contracts.days import snapshot_day

_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def read_day(text: str) -> date:
    """Read a day, YYYY-MM-DD.

    Raises:
        PydanticCustomError: It is not a day, or outside the tables' days; typer prints the text verbatim.
    """
    return _read(text, text, "a day: write YYYY-MM-DD, such as 2026-11-23")


def read_month(text: str) -> date:
    """Read a month, YYYY-MM, as its first day.

    Raises:
        PydanticCustomError: It is not a month, or outside the tables' days; typer prints the text verbatim.
    """
    return _read(text, f"{text}-01", "a month: write YYYY-MM, such as 2026-11")


def today() -> date:
    """The day in UTC, as Athena's current_date."""
    return datetime.now(UTC).date()


def lists_of(day: date) -> str:
    """Says how to find out which lists have a snapshot of a day, and their ids."""
    asked = f"SELECT playlist_id, playlist_name FROM list_snapshots WHERE snapshot_on = DATE '{day}'"  # noqa: S608 - a day
    return f'`earworm query "{asked}"` shows the lists of that day.'


def _read(text: str, day: str, what: str) -> date:
    try:
        found = date.fromisoformat(day) if _DAY.fullmatch(day) else None
    except ValueError:
        found = None
    if found is None:
        raise _refusal(f"{text!r} is not {what}")
    try:
        return snapshot_day(found)
    except ValueError as fault:
        raise _refusal(str(fault)) from None


def _refusal(sentence: str) -> PydanticCustomError:
    return PydanticCustomError("day", "{sentence}", {"sentence": sentence})
