"""Rows of objects in memory: an object is read once, however often and by however many views it is asked for."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import pyarrow as pa


class ObjectVersion(NamedTuple):
    """An object as it was at a time, which has the same bytes whenever it has the same ETag."""

    bucket: str
    key: str
    etag: str


class RowCache:
    """The rows of objects by their version and by the columns that they were read as.

    Any number of threads may use it at once: two that miss the same object both read it, to the same rows.

    Args:
        most_bytes: What is kept at most, in Arrow's memory; the rows that were asked for longest ago go first.
    """

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._bytes = 0
        self._kept: OrderedDict[tuple[str, ObjectVersion], pa.Table] = OrderedDict()
        self._lock = Lock()

    def rows(
        self,
        columns: str,
        objects: Sequence[ObjectVersion],
        read: Callable[[Sequence[ObjectVersion]], Mapping[ObjectVersion, pa.Table]],
    ) -> list[pa.Table]:
        """Returns the rows of each object, in the order of the objects.

        Args:
            columns: Identifies the columns that objects are read as.
            objects: Whose rows.
            read: Reads those that are not kept.
        """
        with self._lock:
            found = {each: self._kept[columns, each] for each in objects if (columns, each) in self._kept}
            for each in found:
                self._kept.move_to_end((columns, each))
        missing = [each for each in objects if each not in found]
        if missing:
            fresh = read(missing)
            found |= fresh
            with self._lock:
                for each, table in fresh.items():
                    self._keep((columns, each), table)
        return [found[each] for each in objects]

    def _keep(self, name: tuple[str, ObjectVersion], table: pa.Table) -> None:
        replaced = self._kept.pop(name, None)
        self._bytes += table.nbytes - (replaced.nbytes if replaced else 0)
        self._kept[name] = table
        while self._bytes > self._most_bytes:
            _, oldest = self._kept.popitem(last=False)
            self._bytes -= oldest.nbytes
