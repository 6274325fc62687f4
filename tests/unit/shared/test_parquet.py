"""Parquet files say what the contract says, whoever reads them."""

from io import BytesIO
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from contracts.columns import ColumnType, columns
from contracts.rows import Rows
from contracts.tables import TABLES, Table
from shared.parquet import encode
from tests.rows import row_of

ARROW = {
    ColumnType.TEXT: pa.string(),
    ColumnType.INTEGER: pa.int64(),
    ColumnType.NUMBER: pa.float64(),
    ColumnType.FLAG: pa.bool_(),
    ColumnType.TIMESTAMP: pa.timestamp("us"),
    ColumnType.DAY: pa.date32(),
}
PHYSICAL = {
    ColumnType.TEXT: ("BYTE_ARRAY", "String"),
    ColumnType.INTEGER: ("INT64", "None"),
    ColumnType.NUMBER: ("DOUBLE", "None"),
    ColumnType.FLAG: ("BOOLEAN", "None"),
    ColumnType.TIMESTAMP: ("INT64", "Timestamp(isAdjustedToUTC=false, timeUnit=microseconds"),
    ColumnType.DAY: ("INT32", "Date"),
}
DUCKDB = {
    ColumnType.TEXT: "VARCHAR",
    ColumnType.INTEGER: "BIGINT",
    ColumnType.NUMBER: "DOUBLE",
    ColumnType.FLAG: "BOOLEAN",
    ColumnType.TIMESTAMP: "TIMESTAMP",
    ColumnType.DAY: "DATE",
}

every_table = pytest.mark.parametrize("table", TABLES.values(), ids=lambda table: table.name)
every_content = pytest.mark.parametrize("content", ["full and null", "all null", "empty"])


def rows_of(table: Table[Any], content: str) -> list[dict[str, Any]]:
    full, null = row_of(table), row_of(table, nulls=True)
    return {"full and null": [full, null, full], "all null": [null, null], "empty": []}[content]


@every_table
@every_content
def test_pyarrow_reads_the_types_the_nullability_and_the_rows_of_the_contract(table: Table[Any], content: str) -> None:
    rows = rows_of(table, content)
    file = pq.ParquetFile(BytesIO(encode(table, Rows.of(table, rows))))

    for place, column in enumerate(columns(table.row)):
        physical, logical = PHYSICAL[column.type]
        written = file.schema.column(place)
        assert (written.name, written.physical_type) == (column.name, physical)
        assert str(written.logical_type).startswith(logical)
        assert written.max_definition_level == (1 if column.nullable else 0)
        assert file.schema_arrow.field(column.name).type == ARROW[column.type]
    assert file.read().to_pylist() == rows


@every_table
@every_content
def test_duckdb_reads_the_same(table: Table[Any], content: str, tmp_path: Path) -> None:
    rows = rows_of(table, content)
    path = tmp_path / "rows.parquet"
    path.write_bytes(encode(table, Rows.of(table, rows)))

    relation = duckdb.read_parquet(str(path))

    assert dict(zip(relation.columns, map(str, relation.types), strict=True)) == {
        column.name: DUCKDB[column.type] for column in columns(table.row)
    }
    assert relation.fetchall() == [tuple(row.values()) for row in rows]


@every_table
def test_equal_rows_give_equal_bytes(table: Table[Any]) -> None:
    rows = rows_of(table, "full and null")

    assert encode(table, Rows.of(table, rows)) == encode(table, Rows.of(table, rows))


def test_a_large_integer_beside_null_keeps_its_last_digit() -> None:
    songs = TABLES["songs"]
    rows = [{**row_of(songs), "duration_ms": value} for value in (2**63 - 1, None, 2**53 + 1)]

    read = pq.read_table(BytesIO(encode(songs, Rows.of(songs, rows)))).column("duration_ms").to_pylist()

    assert read == [2**63 - 1, None, 2**53 + 1]
