"""The value types that tables are made of, each with its bounds.

They are strict: text is never read as a number, nor a number as a truth value. A value that breaks its
bounds rejects the row; a value that Spotify did not send is None.
"""

from datetime import date, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, Field, Strict

Unverified = Any
"""A value as Spotify sent it, which only the contract of a table judges."""

_INT64_MAX = 2**63 - 1


def naive_utc(moment: datetime) -> datetime:
    """A moment in UTC without zone, which it is taken to be in if it has none.

    Raises:
        ValueError: In UTC it lies before the year 1 or after 9999.
    """
    offset = moment.utcoffset()
    try:
        return moment if offset is None else moment.replace(tzinfo=None) - offset
    except OverflowError:
        raise ValueError("no moment of the years 1 to 9999 in UTC") from None


Text = Annotated[str, Strict()]
Flag = Annotated[bool, Strict()]
Count = Annotated[int, Strict(), Field(ge=0, le=_INT64_MAX)]
Ordinal = Annotated[int, Strict(), Field(ge=1, le=_INT64_MAX)]
Percent = Annotated[int, Strict(), Field(ge=0, le=100)]
Number = Annotated[float, Strict(), Field(allow_inf_nan=False)]
Share = Annotated[float, Strict(), Field(ge=0, le=1)]
Timestamp = Annotated[datetime, AfterValidator(naive_utc)]
"""A moment in UTC without zone, in microseconds; read from ISO 8601 text."""
Day = Annotated[date, Strict()]
JsonText = Annotated[str, Strict(), Field(pattern=r"^[\[{]")]
"""A list or an object as JSON text: `contracts.candidates.as_json` makes it."""
IsoDay = Annotated[str, Strict(), Field(pattern=r"^\d{4}-\d{2}-\d{2}$")]
