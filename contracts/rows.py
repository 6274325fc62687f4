"""The rows of a table by column, as Parquet needs them: no object per row."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, cast, overload

from contracts.tables.table import RowT, Table


@dataclass(frozen=True, slots=True)
class Rows(Sequence[RowT], Generic[RowT]):
    """Rows in order.

    Attributes:
        columns: The values of each column by its name, in the contract's order, all of one length.
    """

    columns: dict[str, list[Any]]

    @classmethod
    def of(cls, table: Table[RowT], rows: Iterable[RowT] = ()) -> "Rows[RowT]":
        """Returns the rows of a table, by default none."""
        return cls(by_column(table, list(rows)))

    def missing_ranks(self, ranks: str, length: int | None = None) -> list[int]:
        """The ranks from 1 that no row has in a column of them, up to its highest, or to the length if known."""
        there = set(self.columns[ranks])
        return [rank for rank in range(1, max(*there, length or 0, 0) + 1) if rank not in there]

    def extend(self, more: Mapping[str, Iterable[Any]]) -> None:
        """Adds rows at the end, by column."""
        for name, values in self.columns.items():
            values.extend(more[name])

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    @overload
    def __getitem__(self, place: int) -> RowT: ...
    @overload
    def __getitem__(self, place: slice) -> list[RowT]: ...
    def __getitem__(self, place: int | slice) -> RowT | list[RowT]:
        if isinstance(place, slice):
            return [self[each] for each in range(*place.indices(len(self)))]
        return cast("RowT", {name: values[place] for name, values in self.columns.items()})


def by_column(table: Table[RowT], rows: Sequence[RowT]) -> dict[str, list[Any]]:
    """Returns the values of rows by column name, in the contract's order."""
    names = table.row.__annotations__
    return {name: [row[name] for row in rows] for name in names}  # type: ignore[literal-required]
