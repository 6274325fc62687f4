"""Validates the candidates of a snapshot against a table's contract.

A value that its column refuses costs the cell where the column may be null, and the row where it may not: the row's
key, and whatever else it needs.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from itertools import islice
from typing import Annotated, Any, Generic, get_type_hints

from pydantic import TypeAdapter, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from contracts.broken import Broken
from contracts.candidates import Candidate, Refusal, Reject, Skip
from contracts.columns import ColumnType, column_type, columns
from contracts.fields import Unverified, integer
from contracts.rows import Rows, by_column
from contracts.tables.table import RowT, Table

_AT_ONCE = 500
"""Candidates validated together: fewer take more time, more take more memory."""
_LONGEST_VALUE_QUOTED = 80


@dataclass(frozen=True, slots=True)
class Judgement(Generic[RowT]):
    """The outcome of every candidate of a snapshot.

    Attributes:
        rows: The rows that keep the contract, in the order of their candidates.
        rejects: The candidates that break it or were too broken to be rows.
        skipped: The number of candidates that do not belong in the table, by rule.
        refused: The values that rows are kept without.
    """

    rows: Rows[RowT]
    rejects: list[Reject]
    skipped: Counter[str]
    refused: list[Refusal]

    @property
    def entries(self) -> int:
        """The number of candidates, which rows, rejects and skips add up to."""
        return len(self.rows) + len(self.rejects) + self.skipped.total()


def judge(table: Table[RowT], candidates: Iterable[Candidate[RowT] | Skip | Reject]) -> Judgement[RowT]:
    """Validates candidates in bulk against the model of the table's rows."""
    rows: Rows[RowT] = Rows.of(table)
    too_broken: list[Reject] = []
    invalid: list[Reject] = []
    refused: list[Refusal] = []
    skipped: Counter[str] = Counter()
    remaining = iter(candidates)
    while some := list(islice(remaining, _AT_ONCE)):
        proposed: list[Candidate[RowT]] = []
        for candidate in some:
            if isinstance(candidate, Candidate):
                proposed.append(candidate)
            elif isinstance(candidate, Skip):
                skipped[candidate.rule] += 1
            else:
                too_broken.append(candidate)
        rows.extend(_validated(table, proposed, invalid, refused))
    return Judgement(rows, too_broken + invalid, skipped, refused)


def _validated(
    table: Table[RowT], proposed: list[Candidate[RowT]], rejects: list[Reject], refused: list[Refusal]
) -> dict[str, list[Any]]:
    """Returns the columns of valid rows; adds the others, and values that rows are kept without, to the lists."""
    values = by_column(table, [candidate.row for candidate in proposed])
    faults: dict[int, dict[str, str]] = {}
    for name, hint in _hints(table).items():
        try:
            values[name] = _adapter(hint).validate_python(values[name])
        except ValidationError as fault:
            for index, reason in _mend(values, name, hint, fault):
                faults.setdefault(index, {})[name] = reason
    if not faults:
        return values
    optional = _optional(table)
    broken = set()
    for index, reasons in sorted(faults.items()):
        location, row = proposed[index].location, _as_sent(proposed[index].row)
        if reasons.keys() <= optional:
            refused += (Refusal(location, name, reason, row[name]) for name, reason in reasons.items())
        else:
            broken.add(index)
            rejects.append(Reject(location, "; ".join(f"{name}: {reason}" for name, reason in reasons.items()), row))
    if not broken:
        return values
    return {
        name: [value for index, value in enumerate(column) if index not in broken] for name, column in values.items()
    }


def _mend(values: dict[str, list[Any]], name: str, hint: Any, fault: ValidationError) -> Iterable[tuple[int, str]]:
    """Replaces refused values by null and returns where and why; integral floats become integers first."""
    column = list(values[name])
    reasons: dict[int, str] = {}
    is_integer = _is_integer(hint)
    while True:
        for each in fault.errors(include_url=False):
            index = int(each["loc"][0])
            value = column[index]
            if is_integer and isinstance(value, float) and (number := integer(value)) is not None:
                column[index] = number
            else:
                reasons[index] = _sentence(each)
                column[index] = None
        try:
            values[name] = _adapter(hint | None).validate_python(column)
        except ValidationError as another:
            fault = another
        else:
            return reasons.items()


def _as_sent(row: Any) -> dict[str, Unverified]:
    return {name: value.raw if isinstance(value, Broken) else value for name, value in row.items()}


@cache
def _optional(table: Table[Any]) -> frozenset[str]:
    """Returns the columns that may be null."""
    return frozenset(column.name for column in columns(table.row) if column.nullable) - set(table.key)


@cache
def _is_integer(hint: Any) -> bool:
    return column_type(hint) is ColumnType.INTEGER


@cache
def _hints(table: Table[Any]) -> dict[str, Any]:
    """Returns the type of each column without its description, so that columns share types."""
    return {name: _bare(hint) for name, hint in get_type_hints(table.row, include_extras=True).items()}


def _bare(hint: Any) -> Any:
    judged = [
        each
        for each in getattr(hint, "__metadata__", ())
        if not (isinstance(each, FieldInfo) and each.description and not each.metadata)
    ]
    bare = getattr(hint, "__origin__", hint)
    return Annotated[(bare, *judged)] if judged else bare


@cache
def _adapter(hint: Any) -> TypeAdapter[list[Any]]:
    """Returns the validator of a whole column, which takes a third of the time of row by row."""
    return TypeAdapter(list[hint])


def _sentence(fault: ErrorDetails) -> str:
    if isinstance(fault["input"], Broken):
        return fault["input"].reason
    value = repr(fault["input"])
    quoted = value if len(value) <= _LONGEST_VALUE_QUOTED else f"{value[:_LONGEST_VALUE_QUOTED]}…"
    return f"{fault['msg']} (was {quoted})"
