"""One transformer of Earworm's, in a process of its own as it is deployed."""

from pathlib import Path

from contracts.tables import TABLES
from tests.benchmarks.contenders.earworm import read, write_tables


def write(body: bytes, folder: Path, table: str) -> None:
    """One table."""
    write_tables(read(body), folder, [TABLES[table]])
