"""Days and numbers as people read them."""

from datetime import date


def day(day_: date) -> str:
    """A day, such as `23 November 2026`."""
    return f"{day_.day} {day_:%B %Y}"


def counted(number: int, noun: str) -> str:
    """A number of things that a noun names, such as `1,024 entries`."""
    if number != 1:
        noun = f"{noun[:-1]}ies" if noun.endswith("ry") else f"{noun}s"
    return f"{number:,} {noun}"
