"""The value types of columns, each with its bounds.

They are strict: text is never read as a number, nor a number as a boolean. A value out of bounds is refused
(`contracts.validation` says what that costs); a value that Spotify did not send is None.
"""

from datetime import date, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, Strict

Unverified = Any
"""A value as Spotify sent it, which only a table's contract validates."""

_INT64_MAX = 2**63 - 1
_EXACT_AS_DOUBLE = 2**53
"""Beyond it a double may stand for several integers. Source: https://www.rfc-editor.org/rfc/rfc7493#section-2.2"""
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - as every moment of a table


def integer(number: Unverified) -> int | None:
    """Returns a JSON number as an integer, `67.0` and `4.9022656E7` included; None if it is not one.

    JSON has one type of number, and some senders write integers as floats. A float beyond 2**53 may stand for several
    integers and is not accepted.
    """
    if isinstance(number, int):
        return None if isinstance(number, bool) else number
    if isinstance(number, float) and number.is_integer() and abs(number) <= _EXACT_AS_DOUBLE:
        return int(number)
    return None


def naive_utc(moment: datetime) -> datetime:
    """Returns a moment in UTC without zone; one without zone is taken as UTC.

    Raises:
        ValueError: In UTC it is before the year 1 or after 9999.
    """
    offset = moment.utcoffset()
    try:
        return moment if offset is None else moment.replace(tzinfo=None) - offset
    except OverflowError:
        raise ValueError("not between the years 1 and 9999 in UTC") from None


def _in_iso_8601(moment: Unverified) -> Unverified:
    """Refuses a number, be it a text: pydantic would take it for seconds, or for milliseconds, since the epoch."""
    if isinstance(moment, datetime) or (isinstance(moment, str) and moment[4:5] == "-"):
        return moment
    raise ValueError("not a moment in ISO 8601, such as 2026-11-23T08:00:00Z")


def _known(moment: datetime) -> datetime | None:
    """Returns None for the epoch, which Spotify sends for an unknown time, however it is spelled."""
    return None if moment == _EPOCH else moment


Text = Annotated[str, Strict()]
Flag = Annotated[bool, Strict()]
Count = Annotated[int, Strict(), Field(ge=0, le=_INT64_MAX)]
Ordinal = Annotated[int, Strict(), Field(ge=1, le=_INT64_MAX)]
Percent = Annotated[int, Strict(), Field(ge=0, le=100)]
Number = Annotated[float, Strict(), Field(allow_inf_nan=False)]
Share = Annotated[float, Strict(), Field(ge=0, le=1)]
Timestamp = Annotated[datetime, BeforeValidator(_in_iso_8601), AfterValidator(naive_utc)]
"""A moment in UTC without zone, in microseconds; read from ISO 8601 text."""
KnownTimestamp = Annotated[Timestamp, AfterValidator(_known)]
"""The same where Spotify sends the epoch for an unknown time, which becomes null."""
Day = Annotated[date, Strict()]
JsonText = Annotated[str, Strict(), Field(pattern=r"^[\[{]")]
"""A list or an object as JSON text, from `contracts.candidates.as_json`."""
IsoDay = Annotated[str, Strict(), Field(pattern=r"^\d{4}-\d{2}-\d{2}$")]
