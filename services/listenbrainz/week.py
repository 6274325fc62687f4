"""What ListenBrainz tells of a week's listening, and of which week; pure.

Source: https://listenbrainz.readthedocs.io/en/latest/users/api/statistics.html
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, Self

from contracts.fields import integer

RANGE: Final = "week"
MOST_ROWS: Final = 1000
"""How many rows ListenBrainz gives at once, which are all that it calculates."""

_MBID: Final = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_WEEK: Final = timedelta(days=7)


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


def read_statistics(answer: Mapping[str, Any], document: bytes) -> Statistics:
    """Reads the answer to `stats/sitewide/recordings`.

    `count` is what was asked for, capped, and `total_recording_count` what there is, so the lesser is what should come.

    Args:
        answer: The parsed document.
        document: The bytes that it came as.

    Raises:
        NotAWeekError: It is something else, or incomplete; says where.
    """
    payload = answer.get("payload")
    if not isinstance(payload, dict):
        raise NotAWeekError("the answer holds no object `payload`")
    if payload.get("range") != RANGE:
        raise NotAWeekError(f"`payload.range` is {payload.get('range')!r} and not {RANGE!r}")
    recordings = payload.get("recordings")
    if not isinstance(recordings, list):
        raise NotAWeekError("`payload.recordings` is not a list")
    if integer(payload.get("offset", 0)) != 0:
        raise NotAWeekError(f"`payload.offset` is {payload['offset']!r} and not 0")
    counted = [n for name in ("count", "total_recording_count") if (n := integer(payload.get(name))) is not None]
    return Statistics(
        week=_week(payload),
        rows=len(recordings),
        announced=min([*counted, MOST_ROWS]) if counted else len(recordings),
        mbids=tuple(dict.fromkeys(filter(None, map(_mbid, recordings)))),
        document=document,
    )


def _week(payload: Mapping[str, Any]) -> Week:
    stamps = [integer(payload.get(name)) for name in ("from_ts", "to_ts")]
    try:
        first, end = (datetime.fromtimestamp(stamp, UTC) for stamp in stamps if stamp is not None)
    except (ValueError, OverflowError, OSError):
        raise NotAWeekError(f"`payload.from_ts` and `payload.to_ts` are no moments: {stamps}") from None
    midnight = datetime.min.time()
    if (first.time(), end.time(), first.weekday(), end - first) != (midnight, midnight, 0, _WEEK):
        raise NotAWeekError(
            f"`payload.from_ts` and `payload.to_ts`, {first} and {end}, are not a week from a Monday on"
        )
    return Week(first.date())


def _mbid(recording: Any) -> str | None:
    """The MBID of a row, if it can be asked for: one that cannot be any would have the whole look-up refused."""
    mbid = recording.get("recording_mbid") if isinstance(recording, dict) else None
    return mbid if isinstance(mbid, str) and _MBID.fullmatch(mbid) else None
