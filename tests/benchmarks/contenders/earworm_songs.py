"""One transformer of Earworm's."""

from pathlib import Path

from contracts.tables import TABLES
from tests.benchmarks.contenders.earworm import read, write_tables


def write(body: bytes, folder: Path) -> None:
    """The songs."""
    write_tables(read(body), folder, [TABLES["songs"]])
