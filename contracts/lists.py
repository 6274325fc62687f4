"""Snapshots of lists of every kind, each read as its kind is."""

from collections.abc import Iterator
from typing import Any, Protocol

from contracts.kinds import Kind
from contracts.snapshot import Provenance, read_snapshot
from contracts.tables.table import Row


class ListEntries(Protocol):
    """The entries of a snapshot in order. Going through them can find that the document is not to be read after all."""

    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[Any]: ...


class ListSnapshot(Protocol):
    """A snapshot of a list of any kind."""

    @property
    def origin(self) -> Row:
        """The columns that all that is told of the snapshot shares."""

    @property
    def length(self) -> int | None:
        """How many ranks its source says that there are; None if it does not say, or has no ranks."""

    @property
    def entries(self) -> ListEntries:
        """Its entries."""


def read_list(kind: Kind, body: bytes, provenance: Provenance) -> ListSnapshot:
    """Reads a raw object of a kind.

    Raises:
        UnreadableSnapshotError: It is none.
    """
    if kind == "playlists":
        return read_snapshot(body, provenance)
    from contracts.chart_snapshot import read_chart  # noqa: PLC0415 - the cold starts of other functions go without

    return read_chart(body, provenance)
