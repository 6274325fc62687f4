"""Rows of objects in DuckDB's tables: an object is read once, however often and by however many views it is asked."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from collections import OrderedDict
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import BytesIO
from itertools import count
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import duckdb
from fsspec import AbstractFileSystem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

NUMBER: Final = "$object"
"""The column that tells which object a row is from."""
_MOST_MEMORY: Final = "2GB"
"""What DuckDB may take for rows and queries; the rest it keeps on the disk."""


class ObjectVersion(NamedTuple):
    """An object as it was at a time, which has the same bytes whenever it has the same ETag."""

    bucket: str
    key: str
    etag: str


class Reading(NamedTuple):
    """How objects are read.

    Attributes:
        bodies: The bytes of each by its number.
        select: A SELECT of the columns and of `NUMBER`, for which an object is the file of that `path`.
        parameters: Those of the SELECT.
    """

    bodies: Mapping[int, bytes]
    select: str
    parameters: Sequence[Any]


def path(number: int) -> str:
    """Returns the name of the file that the object with a number is while it is read."""
    return f"{_Files.protocol}://{number}"


class _Files(AbstractFileSystem):  # type: ignore[misc]
    """Files of DuckDB's that are nowhere but in the memory."""

    protocol = "object"
    cachable = False

    def __init__(self) -> None:
        super().__init__()
        self._bodies: dict[int, bytes] = {}

    @contextmanager
    def of(self, bodies: Mapping[int, bytes]) -> Iterator[None]:
        """For as long as they are read."""
        self._bodies |= bodies
        try:
            yield
        finally:
            for number in bodies:
                del self._bodies[number]

    def open(self, path: str, *_: object, **__: object) -> BytesIO:
        return BytesIO(self._body(path))

    def info(self, path: str, **_: object) -> dict[str, Any]:
        return {"name": path, "type": "file", "size": len(self._body(path))}

    def modified(self, path: str) -> datetime:  # noqa: ARG002
        return datetime.now(UTC)

    def _body(self, path: str) -> bytes:
        return self._bodies[int(path.rpartition("/")[2])]


@dataclass
class _Table:
    """The rows of objects that are read as the same columns.

    Attributes:
        name: The table of DuckDB's.
        numbers: The objects whose rows it has, some of which may have none.
        rows: How many rows it has.
        queries: How many queries are reading it.
        lock: Held by the query that adds rows.
    """

    name: str
    numbers: dict[ObjectVersion, int] = field(default_factory=dict)
    rows: int = 0
    queries: int = 0
    lock: Lock = field(default_factory=Lock)


class RowStore:
    """A database with the rows of objects by their version and by the columns that they were read as.

    Any number of threads may query it at once. Rows of a version never change, so that a query that has listed its
    objects reads the lake of that moment, whatever others write or remove meanwhile.

    Args:
        most_rows: How many rows are kept while no query reads them: beyond that, the tables that were asked for longest
            ago are dropped, and what is asked of them again is read again.
        most_memory: What DuckDB may take, as its setting `memory_limit` has it; the rest it keeps on the disk.
        prepare: SQL that each query's session begins with.
    """

    def __init__(
        self, most_rows: int, *, most_memory: str = _MOST_MEMORY, prepare: Callable[[Any], None] = lambda _: None
    ) -> None:
        self._most_rows = most_rows
        self._folder = Path(tempfile.mkdtemp(prefix="athena-"))
        self._database = duckdb.connect(
            config={
                "autoinstall_known_extensions": "false",
                "memory_limit": most_memory,
                # Each query has its caller's thread. Others would wait for the interpreter at each file.
                "threads": 1,
                "async_threads": 0,
            }
        )
        self._files = _Files()
        self._database.register_filesystem(self._files)
        self._database.execute(f"SET temp_directory = '{self._folder}'")
        self._database.execute(f"SET allowed_directories = ['{_Files.protocol}://']")
        self._database.execute("SET enable_external_access = false")
        prepare(self._database)
        self._tables: OrderedDict[str, _Table] = OrderedDict()
        self._numbers = count()
        self._lock = Lock()
        weakref.finalize(self, _dispose, self._database, self._folder)

    @contextmanager
    def query(self) -> Iterator[Query]:
        """A session of the database for one query."""
        query = Query(self, self._database.cursor())
        try:
            yield query
        finally:
            query.session.close()
            with self._lock:
                for table in query.tables.values():
                    table.queries -= 1
                self._drop_what_is_too_much()

    def hold(
        self,
        query: Query,
        columns: str,
        objects: Sequence[ObjectVersion],
        read: Callable[[Mapping[ObjectVersion, int]], Reading],
    ) -> _Table:
        """Returns the table with the rows of objects, which it keeps at least until the query is over."""
        with self._lock:
            table = self._tables.get(columns) or self._create(columns)
            self._tables.move_to_end(columns)
            if table.name not in query.tables:
                query.tables[table.name] = table
                table.queries += 1
        with table.lock:
            missing = {each: next(self._numbers) for each in objects if each not in table.numbers}
            if missing:
                reading = read(missing)
                with self._files.of(reading.bodies):
                    insert = f"INSERT INTO {table.name} BY NAME {reading.select}"
                    ((rows,),) = query.session.execute(insert, reading.parameters).fetchall()
                table.rows += rows
                table.numbers |= missing
        return table

    def _create(self, columns: str) -> _Table:
        table = self._tables[columns] = _Table(f"rows_{next(self._numbers)}")
        self._database.execute(f'CREATE TABLE {table.name} AS SELECT *, 0::BIGINT AS "{NUMBER}" FROM ({columns})')  # noqa: S608 - a name of ours
        return table

    def _drop_what_is_too_much(self) -> None:
        surplus = sum(table.rows for table in self._tables.values()) - self._most_rows
        for columns, table in list(self._tables.items()):
            if surplus > 0 and table.queries == 0:
                self._database.execute(f"DROP TABLE {table.name}")
                surplus -= self._tables.pop(columns).rows


@dataclass
class Query:
    """A query's session, with temporary views and tables of its own.

    Attributes:
        store: Where the rows are.
        session: A connection of DuckDB.
        tables: What it reads of the store, by name.
    """

    store: RowStore
    session: duckdb.DuckDBPyConnection
    tables: dict[str, _Table] = field(default_factory=dict)

    def rows(
        self,
        columns: str,
        objects: Sequence[ObjectVersion],
        read: Callable[[Mapping[ObjectVersion, int]], Reading],
    ) -> str:
        """Returns a SELECT of the rows of objects.

        Args:
            columns: A SELECT of the columns, and of no row.
            objects: Whose rows.
            read: Reads those that the store lacks, and so gave numbers.
        """
        table = self.store.hold(self, columns, objects, read)
        chosen = f"wanted_{next(self.store._numbers)}"  # noqa: SLF001
        self.session.execute(
            f"CREATE TEMP TABLE {chosen} AS SELECT unnest(?::BIGINT[]) AS number",
            [[table.numbers[each] for each in objects]],
        )
        return f'SELECT * EXCLUDE ("{NUMBER}") FROM {table.name} WHERE "{NUMBER}" IN (SELECT number FROM {chosen})'  # noqa: S608 - names of ours


def _dispose(database: duckdb.DuckDBPyConnection, folder: Path) -> None:
    database.unregister_filesystem(_Files.protocol)
    database.close()
    shutil.rmtree(folder, ignore_errors=True)
