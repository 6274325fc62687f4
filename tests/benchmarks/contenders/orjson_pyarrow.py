"""orjson and pyarrow, without validation."""

from pathlib import Path

import orjson

from tests.benchmarks.contenders.arrow import write_rows
from tests.benchmarks.contenders.flatten import flatten


def write(body: bytes, folder: Path) -> None:
    """All five tables."""
    write_rows(flatten(orjson.loads(body)), folder)
