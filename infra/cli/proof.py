"""Checks files against their receipts, in a process that a damaged file may crash.

`python -m infra.cli.proof` reads a JSON list of claims from standard input and writes a line for each in order, the
fault as JSON text or null, so that its parent knows which file crashed it.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import TypeAdapter, ValidationError

from contracts.columns import ColumnType, columns
from contracts.tables import TABLES, Table
from contracts.tables.rejected_rows import RejectedRow
from contracts.tables.rejected_values import RejectedValue
from infra.cli.claim import Claim

ARROW: Final[Mapping[ColumnType, pa.DataType]] = {
    ColumnType.TEXT: pa.string(),
    ColumnType.INTEGER: pa.int64(),
    ColumnType.NUMBER: pa.float64(),
    ColumnType.FLAG: pa.bool_(),
    ColumnType.TIMESTAMP: pa.timestamp("us"),
    ColumnType.DAY: pa.date32(),
}
_LINE: Final[Mapping[str, TypeAdapter[Any]]] = {
    "quarantine": TypeAdapter(RejectedRow),
    "quarantine of values": TypeAdapter(RejectedValue),
}

_CLAIMS: TypeAdapter[list[Claim]] = TypeAdapter(list[Claim])


def fault_of(claim: Claim) -> str | None:
    """Returns what is wrong with a Parquet file or the JSON lines of a quarantine; None if nothing is."""
    faults = _faults_of_rows(claim) if claim["holding"] == "Parquet file" else _faults_of_lines(claim)
    return next(faults, None)


def _faults_of_rows(claim: Claim) -> Iterator[str]:
    try:
        rows = pq.ParquetFile(claim["path"]).read()
        rows.validate(full=True)
    except (pa.ArrowException, OSError, ValueError) as fault:
        yield f"Parquet file cannot be read: {str(fault).partition(chr(10))[0][:200]}"
        return
    if rows.num_rows != claim["rows"]:
        yield f"Parquet file holds {rows.num_rows} rows, the receipt says {claim['rows']}"
    yield from _other_columns(rows, TABLES[claim["table"]])
    for name, value in claim["shared"].items():
        others = set(rows.column(name).unique().to_pylist()) - {value} if name in rows.column_names else set()
        if others:
            yield f"Parquet file holds rows of {name} {others.pop()!r}, not {value!r}"


def _other_columns(rows: pa.Table, table: Table[Any]) -> Iterator[str]:
    """Returns where columns differ from the contract; a nullable one may be absent, as it may be newer."""
    contract = {column.name: column for column in columns(table.row)}
    for field in rows.schema:
        if field.name not in contract or field.type != ARROW[contract[field.name].type]:
            yield f"Parquet file holds a column {field.name[:80]!r} of {field.type}, which is not in the contract"
    for name in (column.name for column in contract.values() if not column.nullable):
        if name not in rows.column_names:
            yield f"Parquet file lacks the column {name}"
        elif rows.column(name).null_count:
            yield f"Parquet file holds a row without {name}"


def _faults_of_lines(claim: Claim) -> Iterator[str]:
    holding = claim["holding"]
    lines = Path(claim["path"]).read_bytes().splitlines()
    if len(lines) != claim["rows"]:
        yield f"{holding} holds {len(lines)} lines, the receipt says {claim['rows']}"
    for number, line in enumerate(lines, start=1):
        try:
            row = _LINE[holding].validate_json(line)
        except ValidationError as fault:
            yield f"{holding} cannot be read: line {number}: {fault.errors(include_url=False)[0]['msg']}"
            return
        for name, value in {**claim["shared"], "table_name": claim["table"]}.items():
            if row[name] != value:
                yield f"{holding} holds a line of {name} {row[name]!r}, not {value!r}"


def main() -> None:
    """Write the fault of each claim on standard input."""
    for claim in _CLAIMS.validate_json(sys.stdin.buffer.read()):
        sys.stdout.write(json.dumps(fault_of(claim)) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
