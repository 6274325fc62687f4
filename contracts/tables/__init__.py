"""The tables of the lake: one module and one row model each."""

from collections.abc import Iterable, Iterator, Mapping
from importlib import import_module
from pkgutil import iter_modules
from types import MappingProxyType
from typing import Any

from contracts.kinds import Kind
from contracts.tables.receipts import RECEIPTS
from contracts.tables.rejected_rows import REJECTED_ROWS
from contracts.tables.rejected_values import REJECTED_VALUES
from contracts.tables.table import Row, Table

__all__ = ["OPERATIONS", "TABLES", "Row", "Table", "of_kind"]

OPERATIONS: Mapping[str, Table[Any]] = MappingProxyType(
    {table.name: table for table in (REJECTED_ROWS, REJECTED_VALUES, RECEIPTS)}
)
"""The tables of JSON lines about the transformers' work, by name."""


def _declared() -> Iterator[Table[Any]]:
    for module in iter_modules(__path__, f"{__name__}."):
        for value in vars(import_module(module.name)).values():
            if isinstance(value, Table) and value.name not in OPERATIONS:
                yield value


TABLES: Mapping[str, Table[Any]] = MappingProxyType({table.name: table for table in _declared()})
"""The tables that transformers write as Parquet, by name: each that a module of this package declares."""


def of_kind(kind: Kind, names: Iterable[str] = TABLES) -> list[str]:
    """Returns those of some tables, by default of all, that are made from a kind of list."""
    return [name for name in names if TABLES[name].kind == kind]
