"""Columns from row models: the one place where a Python type becomes a type in Parquet and Glue."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum
from types import NoneType
from typing import Any, get_type_hints

from pydantic.fields import FieldInfo

from contracts.annotations import alternatives, bare
from contracts.tables.table import AnyRow


class ColumnType(Enum):
    """A column's type; the value is its name in Glue and Athena.

    Source: https://docs.aws.amazon.com/athena/latest/ug/data-types.html
    """

    TEXT = "string"
    INTEGER = "bigint"
    NUMBER = "double"
    FLAG = "boolean"
    TIMESTAMP = "timestamp"
    DAY = "date"


_TYPES: dict[type, ColumnType] = {
    str: ColumnType.TEXT,
    int: ColumnType.INTEGER,
    float: ColumnType.NUMBER,
    bool: ColumnType.FLAG,
    datetime: ColumnType.TIMESTAMP,
    date: ColumnType.DAY,
}


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table."""

    name: str
    type: ColumnType
    nullable: bool
    comment: str

    @property
    def glue_type(self) -> str:
        """The type as the Glue catalog names it."""
        return self.type.value


def columns(row: type[AnyRow]) -> tuple[Column, ...]:
    """Returns the columns of a row model, in the model's order.

    Raises:
        TypeError: A field has a type that no column can have, or no description.
    """
    return tuple(_column(name, hint) for name, hint in get_type_hints(row, include_extras=True).items())


def _column(name: str, hint: Any) -> Column:
    comment = next(
        (m.description for m in getattr(hint, "__metadata__", ()) if isinstance(m, FieldInfo) and m.description),
        None,
    )
    if comment is None:
        raise TypeError(f"column {name} has no description: give its field one")
    type_ = column_type(hint)
    if type_ is None:
        raise TypeError(f"column {name} is {hint}: use one of {[t.__name__ for t in _TYPES]}, optionally with None")
    return Column(name, type_, nullable=NoneType in _bare_alternatives(hint), comment=comment)


def column_type(hint: Any) -> ColumnType | None:
    """Returns the column type of a Python type, nullable or not; None if no column can have it."""
    python_types = _bare_alternatives(hint) - {NoneType}
    return _TYPES.get(next(iter(python_types))) if len(python_types) == 1 else None


def _bare_alternatives(hint: Any) -> set[Any]:
    return {bare(alternative) for alternative in alternatives(bare(hint))}
