"""The tables of the lake: one module and one row model each."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from contracts.tables.albums import ALBUMS
from contracts.tables.artists import ARTISTS
from contracts.tables.playlist_metadata import PLAYLIST_METADATA
from contracts.tables.receipts import RECEIPTS
from contracts.tables.rejected_rows import REJECTED_ROWS
from contracts.tables.rejected_values import REJECTED_VALUES
from contracts.tables.songs import SONGS
from contracts.tables.table import Row, Table
from contracts.tables.track_features import TRACK_FEATURES

__all__ = ["OPERATIONS", "TABLES", "Row", "Table"]

TABLES: Mapping[str, Table[Any]] = MappingProxyType(
    {table.name: table for table in (SONGS, ARTISTS, ALBUMS, TRACK_FEATURES, PLAYLIST_METADATA)}
)
"""The tables that a transformer writes as Parquet, by name."""

OPERATIONS: Mapping[str, Table[Any]] = MappingProxyType(
    {table.name: table for table in (REJECTED_ROWS, REJECTED_VALUES, RECEIPTS)}
)
"""The tables of JSON lines that tell what the transformers did, by name."""
