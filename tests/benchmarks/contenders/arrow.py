"""The tables as Arrow writes them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tests.benchmarks.contenders.tables import TABLES

_TYPES = {
    str: pa.string(),
    int: pa.int64(),
    float: pa.float64(),
    bool: pa.bool_(),
    "timestamp": pa.timestamp("us"),
    "day": pa.date32(),
}
SCHEMAS = {
    table: pa.schema([(name, _TYPES[kind]) for name, kind in columns.items()]) for table, columns in TABLES.items()
}


def write_columns(tables: Mapping[str, Mapping[str, Sequence[Any]]], folder: Path) -> None:
    """Write each table of its columns."""
    for name, columns in tables.items():
        schema = SCHEMAS[name]
        arrays = [pa.array(columns[field.name], field.type) for field in schema]
        pq.write_table(pa.Table.from_arrays(arrays, schema=schema), folder / f"{name}.parquet", compression="zstd")


def write_rows(tables: Mapping[str, Sequence[Mapping[str, Any]]], folder: Path) -> None:
    """Write each table of its rows."""
    for name, rows in tables.items():
        pq.write_table(
            pa.Table.from_pylist(list(rows), schema=SCHEMAS[name]), folder / f"{name}.parquet", compression="zstd"
        )
