"""Rows that keep any contract."""

from datetime import date, datetime
from typing import Any

from contracts.columns import Column, ColumnType, columns
from contracts.tables import Table

_VALUES: dict[ColumnType, Any] = {
    ColumnType.TEXT: "text – テキスト 🎵",
    ColumnType.INTEGER: 1,
    ColumnType.NUMBER: 0.5,
    ColumnType.FLAG: True,
    ColumnType.TIMESTAMP: datetime(2026, 11, 22, 6, 0, 5, 250_001),  # noqa: DTZ001
    ColumnType.DAY: date(1955, 2, 3),
}
_JSON = ("genres", "artist_ids", "artist_names", "drift", "gaps", "isrcs")


def row_of(table: Table[Any], *, nulls: bool = False) -> Any:
    """A row that keeps the table's contract, full or with null wherever it may be."""
    return {column.name: None if nulls and column.nullable else _value(column) for column in columns(table.row)}


def _value(column: Column) -> Any:
    if column.name == "snapshot_date":
        return "2026-11-22"
    return '["ä"]' if column.name in _JSON else _VALUES[column.type]
