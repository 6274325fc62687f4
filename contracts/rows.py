"""The rows of a table, kept by column: what becomes Parquet has no use for an object a row."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, cast, overload

from contracts.columns import columns
from contracts.tables.table import R, Table


@dataclass(frozen=True, slots=True)
class Rows(Sequence[R], Generic[R]):
    """Rows in order.

    Attributes:
        columns: The values of each column by its name, in the contract's order, all of one length.
    """

    columns: dict[str, list[Any]]

    @classmethod
    def of(cls, table: Table[R], rows: Iterable[R] = ()) -> "Rows[R]":
        """Rows of a table, none to begin with unless some are given."""
        made = cls({column.name: [] for column in columns(table.row)})
        made.extend(list(rows))
        return made

    def extend(self, rows: Sequence[R]) -> None:
        """Adds rows at the end."""
        for name, values in self.columns.items():
            values += [row[name] for row in rows]  # type: ignore[literal-required]  # the names are the model's own

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    @overload
    def __getitem__(self, place: int) -> R: ...
    @overload
    def __getitem__(self, place: slice) -> list[R]: ...
    def __getitem__(self, place: int | slice) -> R | list[R]:
        if isinstance(place, slice):
            return [self[each] for each in range(*place.indices(len(self)))]
        return cast("R", {name: values[place] for name, values in self.columns.items()})
