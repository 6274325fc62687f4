"""Writes validated rows as a Parquet file. No other module knows the library."""

from datetime import date
from io import BytesIO
from typing import Any

import pandas as pd
from fastparquet.parquet_thrift import ConvertedType
from fastparquet.writer import make_metadata, write_simple

from contracts.columns import Column, ColumnType, columns
from contracts.rows import Rows
from contracts.tables.table import RowT, Table

_COMPRESSION = "ZSTD"
_EPOCH = date(1970, 1, 1).toordinal()


def encode(table: Table[RowT], rows: Rows[RowT]) -> bytes:
    """Encodes validated rows as one Parquet file; equal rows give equal bytes.

    Types and nullability are the contract's, whatever the rows hold: a column of nulls keeps its type. Text is UTF-8,
    a timestamp is INT64 in microseconds of UTC without zone (as Athena's `timestamp`), a day is INT32 DATE.
    Statistics are left out: with much text they corrupt the heap.
    Source: https://github.com/apache/parquet-format/blob/master/LogicalTypes.md
    """
    schema = columns(table.row)
    frame = pd.DataFrame({column.name: _series(column, rows.columns[column.name]) for column in schema}, copy=False)
    metadata = make_metadata(
        frame,
        has_nulls=[column.name for column in schema if column.nullable],
        object_encoding={column.name: "utf8" for column in schema if column.type is ColumnType.TEXT},
        times="int64",
    )
    days = {column.name for column in schema if column.type is ColumnType.DAY}
    for element in metadata.schema:
        if element.name in days:
            element.converted_type = ConvertedType.DATE
    buffer = BytesIO()
    write_simple(buffer, frame, metadata, compression=_COMPRESSION, stats=False)
    return buffer.getvalue()


def _series(column: Column, values: list[Any]) -> "pd.Series[Any]":
    match column.type:
        case ColumnType.TEXT:
            return pd.Series(values, dtype=object)
        case ColumnType.INTEGER:
            return pd.Series(values, dtype="Int64" if column.nullable else "int64")
        case ColumnType.NUMBER:
            return pd.Series(values, dtype="Float64" if column.nullable else "float64")
        case ColumnType.FLAG:
            return pd.Series(values, dtype="boolean" if column.nullable else "bool")
        case ColumnType.TIMESTAMP:
            return pd.Series(values, dtype="datetime64[us]")
        case ColumnType.DAY:
            return pd.Series([day and day.toordinal() - _EPOCH for day in values], dtype="Int32")
