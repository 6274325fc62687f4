"""The output of a transform: candidates, each of which ends as a row, a rejected row or a skip."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Generic, TypeAlias

from msgspec import Struct
from msgspec.json import encode
from msgspec.json import format as format_

from contracts.fields import Unverified
from contracts.tables.table import RowT


class Candidate(Struct, Generic[RowT], frozen=True, gc=False):
    """A row that has not been validated yet; `location` is the JSON path that it was made from.

    A cell may be `Broken`, which no column accepts.
    """

    location: str
    row: RowT


class Skip(Struct, frozen=True, gc=False):
    """An entry that does not belong in the table, with the rule that says so."""

    rule: str


class Reject(Struct, frozen=True, gc=False):
    """An entry too broken to make a row of, or a row that breaks its contract."""

    location: str
    reason: str
    raw: Unverified


class Refusal(Struct, frozen=True, gc=False):
    """A value that an optional column refuses: the row is kept without it; `location` is the row's."""

    location: str
    column: str
    reason: str
    value: Unverified


Candidates: TypeAlias = Iterator[Candidate[RowT] | Skip | Reject]


def as_json(values: Sequence[Unverified] | Mapping[str, Unverified]) -> str:
    """Returns a list or an object as JSON text, in its own order; NaN and infinity become null."""
    return format_(encode(values), indent=0).decode()
