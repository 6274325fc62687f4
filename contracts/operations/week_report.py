"""The report of a week: what is asked for, and what became of it."""

from datetime import date
from typing import ClassVar, Literal, TypeAlias

from contracts.days import SnapshotDay
from contracts.operations.payload import Payload, Request

Outcome: TypeAlias = Literal["nothing", "waiting", "unchanged", "written"]


class WeekRequest(Request):
    """What is to be reported.

    Attributes:
        week: A day of the week to report anew, even if nothing changed. Without one it is the week of today, unless
            its page is up to date.
    """

    holds: ClassVar[str] = "It may hold week (a day in it, YYYY-MM-DD), and nothing else"

    week: SnapshotDay | None = None


class WeekReport(Payload):
    """What became of a report.

    Attributes:
        outcome: `nothing` if the week has no snapshot, or none with entries; `waiting` while receipts are missing;
            `unchanged` if the page was made from the same receipts by the same version; `written`.
        week: The week's Monday.
        missing: Keys of the receipts that are waited for, the first 100.
        link_sent: Whether a link to the page went out.
    """

    outcome: Outcome
    week: date
    missing: tuple[str, ...] = ()
    link_sent: bool = False
