"""What contenders wrote, compared value by value: `python -m tests.benchmarks.check FOLDER...`."""

import hashlib
import json
import math
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from contracts.columns import columns
from contracts.tables import TABLES, of_kind


def contents(folder: Path) -> dict[str, tuple[int, str]]:
    """Rows and a checksum of the values of each table that a contender wrote, however it lays out its files."""
    found = {}
    for name in of_kind("playlists"):
        table = TABLES[name]
        files = [*folder.rglob(f"{name}.parquet"), *folder.rglob(f"{name}/*.parquet")]
        names = [column.name for column in columns(table.row)]
        rows = sorted(json.dumps(row) for file in files for row in _rows(pq.ParquetFile(file).read(names), names))
        found[name] = len(rows), hashlib.sha256("\n".join(rows).encode()).hexdigest()
    return found


def _rows(table: pa.Table, names: list[str]) -> Iterator[list[object]]:
    if table.column_names != names and set(table.column_names) != set(names):
        raise SystemExit(f"These columns are missing: {sorted(set(names) - set(table.column_names))}")
    for row in table.to_pylist():
        yield [_plain(row[name]) for name in names]


def _plain(value: Any) -> object:  # noqa: PLR0911 - one line for each type
    match value:
        case datetime():
            moment = value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value
            return moment.isoformat().removesuffix("T00:00:00")
        case date():
            return value.isoformat()
        case list():
            return json.dumps(value, ensure_ascii=False)
        case bool() | None:
            return value
        case int() | float():
            return None if math.isnan(value) else float(f"{value:.12g}")
        case bytes():
            return value.decode()
    return value


def differences(folders: list[Path]) -> Iterator[str]:
    """In what each folder differs from the first."""
    first, *others = ((folder, contents(folder)) for folder in folders)
    for folder, found in others:
        for table, told in found.items():
            if told != first[1][table]:
                yield f"{folder} and {first[0]} differ in {table}: {told} and {first[1][table]} (rows, checksum)"


def main(folders: list[Path]) -> Mapping[str, tuple[int, str]]:
    """Compare, and end with a sentence for each difference."""
    found = list(differences(folders))
    if found:
        raise SystemExit("\n".join(found))
    return {}


if __name__ == "__main__":
    main([Path(folder) for folder in sys.argv[1:]])
