from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Generic, TypeVar

from pydantic import Field
from typing_extensions import TypedDict

from contracts.fields import IsoDay, Text, Timestamp
from contracts.kinds import Kind


class AnyRow(TypedDict):
    """A row of any table."""


class Row(AnyRow):
    """A row with the columns that say which list it comes from."""

    snapshot_date: Annotated[IsoDay, Field(description="Day of the snapshot, YYYY-MM-DD in UTC")]
    playlist_id: Annotated[Text, Field(description="Spotify id of the playlist")]
    run_id: Annotated[Text | None, Field(description="Extractor invocation; null for a loaded document without one")]
    extracted_at: Annotated[
        Timestamp | None, Field(description="When Spotify was read, UTC; null for a loaded document")
    ]


RowT = TypeVar("RowT", bound=AnyRow)


@dataclass(frozen=True, slots=True)
class Table(Generic[RowT]):
    """A table of the lake.

    Attributes:
        name: The table's name in the catalog, in keys and in receipts.
        row: The model of one row: a TypedDict below AnyRow.
        key: The columns that identify a row.
        version: Grows when a column is dropped, renamed or retyped, and only then.
        description: One row for what.
        kind: The kind of list whose snapshots it is made of; None for a table of all kinds, which is partitioned by it.
        snapshot: The columns that identify a row's snapshot, the day first.
        ranked_by: The column of ranks from 1, of which none should be missing before the last; None if there is none.
        watched: Columns with shares, 0 to 1, that are published as metrics and kept in receipts, each with the lowest
            value that the daily audit does not tell of, unless a deployment overrides it; 0 is never told of.
    """

    name: str
    row: type[RowT]
    key: tuple[str, ...]
    version: int
    description: str
    kind: Kind | None = "playlists"
    snapshot: tuple[str, ...] = ("snapshot_date", "playlist_id")
    ranked_by: str | None = None
    watched: Mapping[str, float] = field(default_factory=dict, hash=False)

    @property
    def partition_keys(self) -> tuple[str, ...]:
        """The partition columns, all text."""
        return (*(() if self.kind else ("kind",)), "year", "month", "day")
