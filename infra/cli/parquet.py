"""Writes Athena's answers as Parquet."""

from collections.abc import Mapping
from typing import BinaryIO, Final

import pyarrow as pa
import pyarrow.parquet as pq

from analytics.athena import Answer

_TYPES: Final[Mapping[str, pa.DataType]] = {
    "tinyint": pa.int64(),
    "smallint": pa.int64(),
    "integer": pa.int64(),
    "bigint": pa.int64(),
    "float": pa.float64(),
    "double": pa.float64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("ms"),
}


def write_parquet(answer: Answer, file: BinaryIO) -> None:
    """Write an answer with the types of its columns; other types of Athena's become text."""
    types = [_TYPES.get(type_, pa.string()) for type_ in answer.types]
    columns = list(zip(*answer.values(), strict=True)) or [()] * len(types)
    arrays = [pa.array(column, type_) for column, type_ in zip(columns, types, strict=True)]
    pq.write_table(pa.table(arrays, names=list(answer.columns)), file)
