"""The weekly report's request and outcomes."""

from datetime import date
from typing import ClassVar, Literal, TypeAlias

from contracts.days import SnapshotDay
from contracts.operations.payload import Payload, Request

Outcome: TypeAlias = Literal["nothing", "waiting", "unchanged", "written"]


class WeekRequest(Request):
    """The event that asks for a report.

    Attributes:
        week: A day of the week to report again, even if nothing changed; by default the last and the current week, each
            unless its page is up to date.
    """

    holds: ClassVar[str] = "It may hold week (a day in it, YYYY-MM-DD), and nothing else"

    week: SnapshotDay | None = None


class WeekReport(Payload):
    """The outcome of a week's report.

    Attributes:
        outcome: `nothing` if the week has no snapshot, or none with entries; `waiting` while receipts are missing;
            `unchanged` if the page was made from the same receipts by the same version; `written`.
        week: The week's Monday.
        missing: Keys of the missing receipts, the first 100.
        link_sent: Whether a link to the page was sent.
    """

    outcome: Outcome
    week: date
    missing: tuple[str, ...] = ()
    link_sent: bool = False


class WeekReports(Payload):
    """The outcomes of an invocation.

    Attributes:
        reports: One for each week, in the order of weeks.
        alert_sent: Whether the alert of the last of them was sent now.
    """

    reports: tuple[WeekReport, ...]
    alert_sent: bool = False
