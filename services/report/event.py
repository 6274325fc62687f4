from typing import ClassVar

from contracts.days import SnapshotDay
from shared.invocation import Invocation


class Event(Invocation):
    """What is to be reported.

    Attributes:
        week: A day of the week to report anew, even if nothing changed. Without one it is the week of today, unless
            its page is up to date.
    """

    holds: ClassVar[str] = "It may hold week (a day in it, YYYY-MM-DD), and nothing else"

    week: SnapshotDay | None = None
