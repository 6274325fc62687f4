"""The transformer, with pyarrow in the place of its writer of Parquet."""

import sys
from io import BytesIO
from types import ModuleType
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from contracts.rows import Rows
from contracts.tables import Table
from tests.benchmarks.contenders.arrow import SCHEMAS


def _encode(table: Table[Any], rows: Rows[Any]) -> bytes:
    buffer = BytesIO()
    pq.write_table(pa.Table.from_pydict(rows.columns, schema=SCHEMAS[table.name]), buffer, compression="zstd")
    return buffer.getvalue()


sys.modules["shared.parquet"] = writer = ModuleType("shared.parquet")
writer.encode = _encode  # type: ignore[attr-defined]

from services.songs.handler import lambda_handler  # noqa: E402 - after the writer was replaced

__all__ = ["lambda_handler"]
