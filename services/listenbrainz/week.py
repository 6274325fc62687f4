"""What ListenBrainz tells of a week's listening, and of which week; pure.

Source: https://listenbrainz.readthedocs.io/en/latest/users/api/statistics.html
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final, Self

from contracts.candidates import Reject
from contracts.ids import MBID
from contracts.layouts.layout import ChartEntry, ChartIdentityError
from contracts.layouts.listenbrainz import SitewideRecordings

_LAYOUT: Final = SitewideRecordings()


class NotAWeekError(ValueError):
    """An answer is not the statistics of a week."""


@dataclass(frozen=True, slots=True, order=True)
class Week:
    """A week from Monday to Sunday, in UTC; the earlier one is the lesser."""

    monday: date

    @classmethod
    def last_before(cls, moment: datetime) -> Self:
        """The last week that was over at a moment."""
        day = moment.astimezone(UTC).date()
        return cls(day - timedelta(days=day.weekday() + 7))

    @property
    def sunday(self) -> date:
        """Its last day."""
        return self.monday + timedelta(days=6)

    def __str__(self) -> str:
        return f"{self.monday} to {self.sunday}"


@dataclass(frozen=True, slots=True)
class Statistics:
    """The recordings that were listened to most in a week.

    Attributes:
        week: As `from_ts` and `to_ts` tell it.
        rows: How many came.
        announced: How many there should be.
        mbids: The distinct MBIDs of recordings among them, in their order.
        document: The answer as it came.
    """

    week: Week
    rows: int
    announced: int
    mbids: tuple[str, ...]
    document: bytes


def read_statistics(document: bytes) -> Statistics:
    """Reads the answer to `stats/sitewide/recordings`.

    Raises:
        NotAWeekError: It is something else, or not of a week from Monday to Sunday.
    """
    try:
        text = document.decode()
        said = _LAYOUT.says(text)
    except (UnicodeDecodeError, ChartIdentityError) as fault:
        raise NotAWeekError(f"not the statistics of a week: {fault}") from None
    monday, sunday = said.period_start, said.period_end
    if monday is None or monday.weekday() or sunday != monday + timedelta(days=6):
        raise NotAWeekError(f"from_ts and to_ts are not a week from a Monday on: {monday} to {sunday}, both included")
    rows = list(_LAYOUT.entries(text, ()))
    length = _LAYOUT.length(text)
    return Statistics(
        week=Week(monday),
        rows=len(rows),
        announced=len(rows) if length is None else length,
        mbids=tuple(dict.fromkeys(filter(None, map(_mbid, rows)))),
        document=document,
    )


def _mbid(row: ChartEntry | Reject) -> str | None:
    """The MBID of a row, if it can be asked for: one that cannot be any would have the whole look-up refused."""
    mbid = row.recording_mbid if isinstance(row, ChartEntry) else None
    return mbid if isinstance(mbid, str) and MBID.fullmatch(mbid) else None
