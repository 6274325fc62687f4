"""Earworm's own way, through the functions that its workers call."""

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from contracts.snapshot import Provenance, Snapshot, read_snapshot
from contracts.tables import TABLES, of_kind
from contracts.validation import judge
from services import transform_of
from shared.parquet import encode
from tests.benchmarks.contenders.tables import DAY, PLAYLIST


def write(body: bytes, folder: Path) -> None:
    """Every table, the entries decoded once, as no service has to: each has a table of its own."""
    snapshot = read(body)
    decoded: Any = list(snapshot.entries)
    snapshot = replace(snapshot, entries=decoded)
    write_tables(snapshot, folder, [TABLES[name] for name in of_kind("playlists")])


def read(body: bytes) -> Snapshot:
    """The document, whose entries are decoded each time that they are gone through."""
    return read_snapshot(body, Provenance(PLAYLIST, date.fromisoformat(DAY)))


def write_tables(snapshot: Snapshot, folder: Path, tables: Any) -> None:
    """Some tables of a snapshot."""
    for table in tables:
        rows = encode(table, judge(table, transform_of(table.name)(snapshot)).rows)
        (folder / f"{table.name}.parquet").write_bytes(rows)
