"""What a transform makes of a snapshot: candidates, each of which ends as a row, a rejected row or a skip."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Generic, TypeAlias

from msgspec import Struct
from msgspec.json import encode
from msgspec.json import format as format_

from contracts.fields import Unverified
from contracts.tables.table import R


class Candidate(Struct, Generic[R], frozen=True, gc=False):
    """A row that its contract has not judged yet; `location` is the JSON path where it comes from.

    A cell may be `Broken`, which no column holds.
    """

    location: str
    row: R


class Skip(Struct, frozen=True, gc=False):
    """An entry for which the table has no place, by the rule that says so."""

    location: str
    rule: str


class Reject(Struct, frozen=True, gc=False):
    """An entry too broken to make a row of, or a row that breaks its contract."""

    location: str
    reason: str
    raw: Unverified


class Refusal(Struct, frozen=True, gc=False):
    """A value that an optional column's contract refuses: the row is kept without it; `location` is the row's."""

    location: str
    column: str
    reason: str
    value: Unverified


Candidates: TypeAlias = Iterator[Candidate[R] | Skip | Reject]


def as_json(values: Sequence[Unverified] | Mapping[str, Unverified]) -> str:
    """A list or an object as JSON text, in its own order; what is no number is null, as JSON knows none such."""
    return format_(encode(values), indent=0).decode()
