"""Days and months as they are given on the command line."""

import re
from datetime import date
from typing import Final

from contracts.days import snapshot_day

_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def read_day(text: str) -> date:
    """Read a day, YYYY-MM-DD.

    Raises:
        ValueError: It is not a day, or none that the tables have.
    """
    return snapshot_day(_read(text, text, "a day: write YYYY-MM-DD, such as 2026-11-23"))


def read_month(text: str) -> date:
    """Read a month, YYYY-MM, as its first day.

    Raises:
        ValueError: It is not a month, or none that the tables have.
    """
    return snapshot_day(_read(text, f"{text}-01", "a month: write YYYY-MM, such as 2026-11"))


def _read(text: str, day: str, what: str) -> date:
    try:
        if _DAY.fullmatch(day):
            return date.fromisoformat(day)
    except ValueError:
        pass
    raise ValueError(f"{text!r} is not {what}")
