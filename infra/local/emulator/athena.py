# ruff: noqa: SLF001 - it writes SQL, and hooks into what ministack keeps private
"""Athena's queries: Trino's SQL over the tables of the Glue catalog, run by DuckDB.

Takes the place of `ministack.services.athena._run_duckdb`, which hands the SQL to DuckDB as it is and lets the
files decide about columns and types. Here the catalog decides, as in Athena:

* a column that a file lacks is NULL, a column that only a file has does not exist;
* JSON lines (openx JsonSerDe) are read with the types of the table, CSV (OpenCSVSerDe) by the places of its columns;
* a table with partition keys has the objects of the partitions in the catalog, and no others; partitions that the
  query rules out are not read, and projected ones are refused with a sentence;
* a query or view is translated once for each state of the tables and views that it names;
* an object is read once for each ETag, and its rows are kept in a table of DuckDB's for later queries, up to a bound;
* execution parameters take the place of question marks, in their order;
* values come back as the text that `GetQueryResults` shows, under Athena's names of the types;
* catalog, objects and results are reached with the rights of whoever asks.

Views are kept in the catalog as Athena keeps them and work in queries. SHOW, DESCRIBE, MSCK, CTAS, INSERT and the
pseudo columns are not there, and say so. `DataScannedInBytes` is the size of the objects read; Athena counts only
the columns it needs of them.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import re
import sys
import unicodedata
from bisect import bisect_left
from contextvars import ContextVar
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cached_property, lru_cache
from math import isinf, isnan
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import urlparse

from duckdb.sqltypes import DuckDBPyType
from ministack.core.responses import error_response_json, get_account_id, get_region
from ministack.services import athena, glue, s3
from sqlglot import exp
from sqlglot.errors import SqlglotError

from infra.local.emulator import iam, trino
from infra.local.emulator.rows import NUMBER, ObjectVersion, Reading, RowStore, path
from infra.local.emulator.trino import TableName, UnsupportedSqlError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from duckdb import DuckDBPyConnection

    from infra.local.emulator.rows import Query


_ATHENA_TYPES: Final = {
    "hugeint": "bigint", "uhugeint": "bigint", "ubigint": "bigint", "uinteger": "bigint",
    "usmallint": "integer", "utinyint": "smallint",
    "timestamp_s": "timestamp", "timestamp_ms": "timestamp", "timestamp_ns": "timestamp",
    "timestamptz_ns": "timestamp with time zone",
    "list": "array", "struct": "row", "blob": "varbinary", "enum": "varchar", "uuid": "varchar",
    "interval": "interval day to second", "null": "unknown",
}  # fmt: skip
"""DuckDB's types whose name in Athena is another."""

_OPEN_CSV: Final = "org.apache.hadoop.hive.serde2.OpenCSVSerde"
_PARTITIONS: Final = TableName("$internal", "partitions")
_VIEW_PREFIX: Final = "/* Presto View: "
_VIEW_SUFFIX: Final = " */"
_scanned_bytes: ContextVar[int] = ContextVar("scanned_bytes")


_PATH: Final = "$path"
_AFTER_ALL: Final = chr(sys.maxunicode)
"""Sorts after whatever else a key goes on with."""
MOST_ROWS: Final = 2_000_000
"""Rows that are kept: several times those of a thousand snapshots of 50 entries, which take some 400 MB."""


def row_store(most_rows: int = MOST_ROWS) -> RowStore:
    """Returns a database for the rows of objects in which the functions of Trino's are known."""

    def prepare(database: DuckDBPyConnection) -> None:
        database.create_function(trino.NORMALIZE, unicodedata.normalize, ["VARCHAR", "VARCHAR"], "VARCHAR")
        database.execute(trino.MACROS)

    return RowStore(most_rows, prepare=prepare)


rows = row_store()


class Source(NamedTuple):
    """An object below a table's location, as it was when it was listed.

    ministack never changes a record: who overwrites or removes an object leaves this one as it is, so that a query
    reads the lake of one moment.
    """

    key: str
    partition: Mapping[str, str]
    record: Mapping[str, Any]


def install() -> None:
    """Let ministack's Athena run its queries here.

    Raises:
        AttributeError: ministack has no such hook any more.
    """
    _ = athena._run_duckdb, athena._save_query_results

    async def run(query: str, database: str | None, catalog: str | None = None) -> dict[str, Any]:
        if catalog and catalog.lower() != trino.CATALOG:
            raise UnsupportedSqlError(
                f"CATALOG_NOT_FOUND: Catalog '{catalog}' does not exist; there is only '{trino.CATALOG}'."
            )
        result, scanned = await asyncio.to_thread(run_query, query, database or "default")
        _scanned_bytes.set(scanned)
        return result

    async def save(query_id: str) -> None:
        execution = athena._executions[query_id]
        execution["Statistics"]["DataScannedInBytes"] = _scanned_bytes.get(0)
        if execution["_results"]["columns"]:
            save_csv(execution["ResultConfiguration"]["OutputLocation"], execution["_results"])

    start_plain = athena._start_query_execution

    def start(request: dict[str, Any]) -> Any:
        parameters = request.get("ExecutionParameters")
        if not parameters:
            return start_plain(request)
        try:
            bound = trino.bind(request["QueryString"], parameters)
        except UnsupportedSqlError as error:
            return error_response_json("InvalidRequestException", str(error), 400)
        response = start_plain(request | {"QueryString": bound})
        status, _, body = response
        if status < 300:
            execution = athena._executions[json.loads(body)["QueryExecutionId"]]
            execution |= {"Query": request["QueryString"], "ExecutionParameters": parameters}
        return response

    athena._run_duckdb = run
    athena._save_query_results = save
    athena._start_query_execution = start


def save_csv(location: str, results: Mapping[str, Any]) -> None:
    """Put the result where `GetQueryExecution` says that it is: every value quoted, NULL empty.

    Raises:
        UnsupportedSqlError: The bucket of the location refuses it.
    """
    target = urlparse(location)
    _must("s3:PutObject", f"arn:aws:s3:::{target.netloc}{target.path}")
    lines = [results["columns"], *results["rows"]]
    text = "".join(",".join(_quoted(value) for value in line) + "\n" for line in lines)
    headers = {"content-type": "application/octet-stream", "content-length": str(len(text.encode()))}
    status, *_ = s3._put_object(target.netloc, target.path.lstrip("/"), text.encode(), headers)
    if status >= 300:
        raise UnsupportedSqlError(f"Unable to verify/create output bucket {target.netloc}.")


def run_query(sql: str, database: str) -> tuple[dict[str, Any], int]:
    """Run one statement.

    Returns:
        Columns, their types and the rows as Athena shows them, and the bytes read.

    Raises:
        UnsupportedSqlError: The statement cannot be run here, or names a table that does not exist.
        duckdb.Error: DuckDB refuses it; the text goes into the reason of the failed query.
    """
    statement = _parsed(sql, database)
    with rows.query() as query:
        workspace = _Workspace(query)
        match statement:
            case exp.Create():
                _create_view(statement, workspace)
            case exp.Drop():
                _drop_view(statement)
            case exp.Query():
                return workspace.run(_translations.of(sql, database, statement)), workspace.scanned
    return {"columns": [], "column_types": [], "rows": []}, 0


@dataclass(frozen=True)
class _Translation:
    """A query, which may be that of a view, as DuckDB runs it.

    Attributes:
        query: The query with the tables, columns and types of the catalog.
        definitions: The tables and views that it names, or that these name, as the catalog had them.
        views: The views among these, each after those that it names.
    """

    query: exp.Query
    definitions: Mapping[TableName, Mapping[str, Any]]
    views: Mapping[TableName, _Translation]

    @cached_property
    def body(self) -> str:
        """SQL in which each table and view is the relation of its `trino.relation_name`."""
        return trino.to_duckdb(self.query)

    @cached_property
    def sql(self) -> str:
        """SQL in which each table is the relation of its `trino.relation_name`."""
        return trino.to_duckdb(self.query, {name: view.body for name, view in self.views.items()})

    @cached_property
    def wanted(self) -> Mapping[TableName, str | None]:
        """The tables that it reads, each with SQL for those of its partitions that are needed; None needs all."""
        return {
            name: _wanted(_partition_keys(table), self.demands.get(name, [None]))
            for name, table in self.definitions.items()
            if name not in self.views
        }

    @cached_property
    def demands(self) -> Mapping[TableName, Sequence[exp.Expr | None]]:
        """What it asks of the partitions of tables, as `trino.partition_filters` has it."""
        keys = {name: frozenset(_partition_keys(table)) for name, table in self.definitions.items()}
        partitioned = {name: of_table for name, of_table in keys.items() if of_table}
        return trino.partition_filters(self.query, partitioned, {name: view.query for name, view in self.views.items()})

    def holds(self) -> bool:
        """Whether the catalog still has what the query names as it was.

        Raises:
            UnsupportedSqlError: It is gone, or whoever asks may not see it.
        """
        return all(_catalog_table(name) == definition for name, definition in self.definitions.items())


class _Translations:
    """The latest translations: to make one takes as long as to run it."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: dict[tuple[str, str], _Translation] = {}
        self._lock = Lock()

    def of(self, sql: str, database: str, statement: exp.Query) -> _Translation:
        """Returns the translation of a statement, which is the parsed SQL."""
        with self._lock:
            translation = self._kept.pop((sql, database), None)
        if translation is None or not translation.holds():
            translation = _translate(statement)
        with self._lock:
            self._kept[sql, database] = translation
            if len(self._kept) > self._most:
                del self._kept[next(iter(self._kept))]
        return translation


_translations = _Translations(most=256)


def _translate(statement: exp.Query) -> _Translation:
    named = {name: deepcopy(_catalog_table(name)) for name in trino.tables(statement)}  # Glue changes them in place
    definitions: dict[TableName, Mapping[str, Any]] = dict(named)
    views: dict[TableName, _Translation] = {}
    for name, table in named.items():
        if table.get("TableType") == "VIRTUAL_VIEW":
            view = _translated_view(name, table)
            definitions |= view.definitions
            views |= {**view.views, name: view}
    query = trino.qualify(statement, {name: _columns(table) for name, table in named.items()})
    return _Translation(query, definitions, views)


def _translated_view(name: TableName, table: Mapping[str, Any]) -> _Translation:
    definition = view_definition(table)
    statement = _parsed(definition["originalSql"], definition["schema"])
    if not isinstance(statement, exp.Query):
        raise UnsupportedSqlError(f"INVALID_VIEW: The text of view '{name.table}' is not a query.")
    view = _translations.of(definition["originalSql"], definition["schema"], statement)
    if view.query.named_selects != list(_columns(table)):
        raise UnsupportedSqlError(
            f"VIEW_IS_STALE: View '{name.table}' has other columns than its query; it must be re-created."
        )
    return view


def _wanted(keys: Sequence[str], demands: Sequence[exp.Expr | None]) -> str | None:
    """Returns SQL for the positions of the partitions that any of the references may need; None for all."""
    if not keys or any(demand is None for demand in demands):
        return None
    wanted = exp.or_(*{demand.sql(): demand for demand in demands if demand is not None}.values())
    listed = exp.table_(_PARTITIONS.table, db=_PARTITIONS.database, catalog=trino.CATALOG)
    query = exp.select("position").from_(listed).where(wanted).order_by("position")
    columns = {_PARTITIONS: {"position": "bigint"} | dict.fromkeys(keys, "varchar")}
    return trino.to_duckdb(trino.qualify(query, columns))


class _Workspace:
    """One query's session, with a temporary view for each table that it reads."""

    def __init__(self, query: Query) -> None:
        self._query = query
        self._connection = query.session
        self._connection.execute("SET TimeZone = 'UTC'")
        self.scanned = 0

    def run(self, translation: _Translation) -> dict[str, Any]:
        self._add_tables(translation)
        cursor = self._connection.execute(translation.sql)
        described = cursor.description or []
        types = [description[1] for description in described]
        rows = cursor.fetchall()
        return {
            "columns": [trino.column_name(d[0], position) for position, d in enumerate(described)],
            "column_types": [athena_type(type_) for type_ in types],
            "rows": [[athena_text(value, t) for value, t in zip(row, types, strict=True)] for row in rows],
        }

    def describe(self, translation: _Translation) -> list[tuple[str, DuckDBPyType]]:
        self._add_tables(translation)
        relation = self._connection.sql(translation.sql)
        return list(zip(relation.columns, relation.types, strict=True))

    def _add_tables(self, translation: _Translation) -> None:
        """Makes every table that the query reads a view of this database."""
        for name, wanted in translation.wanted.items():
            table = translation.definitions[name]
            sources = self._pruned(list(_sources(table)), _partition_keys(table), wanted)
            self.scanned += sum(source.record["size"] for source in sources)
            self._connection.execute(
                f"CREATE TEMP VIEW {_identifier(trino.relation_name(name))} AS {self._rows(table, sources)}"
            )

    def _pruned(self, sources: list[Source], keys: Sequence[str], wanted: str | None) -> list[Source]:
        """Returns the objects of the partitions that SQL of `_wanted` names."""
        if not sources or wanted is None:
            return sources
        declared = ", ".join(f"{_identifier(key)} VARCHAR" for key in keys)
        target = _identifier(trino.relation_name(_PARTITIONS))
        self._connection.execute(f"CREATE OR REPLACE TEMP TABLE {target} (position BIGINT, {declared})")
        values = zip(*([source.partition.get(key) for key in keys] for source in sources), strict=True)
        by_column = [list(range(len(sources))), *map(list, values)]
        unnested = ", ".join("unnest(?)" for _ in by_column)
        self._connection.execute(f"INSERT INTO {target} SELECT {unnested}", by_column)
        kept = self._connection.execute(wanted)
        return [sources[position] for (position,) in kept.fetchall()]

    def _rows(self, table: Mapping[str, Any], sources: Sequence[Source]) -> str:
        """Returns a SELECT of the rows of objects."""
        if not sources:
            return no_rows(table)
        bucket, _ = _location(table["StorageDescriptor"])
        for source in sources:
            _must("s3:GetObject", f"arn:aws:s3:::{bucket}/{source.key}")
        versions = {ObjectVersion(bucket, each.key, each.record["etag"]): each for each in sources}

        def read(numbers: Mapping[ObjectVersion, int]) -> Reading:
            return _read(table, {number: versions[version] for version, number in numbers.items()}, bucket)

        return self._query.rows(no_rows(table), list(versions), read)


def no_rows(table: Mapping[str, Any]) -> str:
    """Returns a SELECT of the columns of a table, in the catalog's order and types, and of no row."""
    columns = ", ".join(
        f"CAST(NULL AS {type_}) AS {_identifier(name)}" for name, type_ in _duckdb_columns(table).items()
    )
    return f"SELECT {columns} WHERE false"


def _read(table: Mapping[str, Any], sources: Mapping[int, Source], bucket: str) -> Reading:
    """Returns how objects are read that have these numbers.

    Raises:
        UnsupportedSqlError: The format of the table is neither Parquet, JSON lines nor CSV by OpenCSVSerDe.
    """
    keys = _partition_keys(table)
    stored = {name: type_ for name, type_ in _duckdb_columns(table).items() if name not in keys}
    bodies = {number: s3._read_body(bucket, source.key, source.record) for number, source in sources.items()}
    if athena._data_format(table) == "json":
        # DuckDB takes longer to open a file than to read many lines: of one file, a line's place tells whose it is.
        lines = [(number, line) for number, body in bodies.items() for line in body.split(b"\n") if line.strip()]
        bodies = {next(iter(bodies)): b"\n".join(line for _, line in lines)}
        objects: dict[str, list[Any]] = {NUMBER: [number for number, _ in lines]}
        join = "POSITIONAL JOIN (SELECT {})"
    else:
        objects = {NUMBER: list(bodies), _PATH: list(map(path, bodies))}
        join = f"JOIN (SELECT {{}}) USING ({_identifier(_PATH)})"
    objects |= {key: [sources[number].partition.get(key) for number in objects[NUMBER]] for key in keys}
    unnested = ", ".join(f"unnest(?) AS {_identifier(name)}" for name in objects)
    of_files = f"SELECT * EXCLUDE ({_identifier(_PATH)})"
    files = _reader(table, stored, map(path, bodies))
    return Reading(
        bodies=bodies,
        select=f"{of_files} FROM {files} {join.format(unnested)}",
        parameters=list(objects.values()),
    )


def _reader(table: Mapping[str, Any], columns: Mapping[str, str], paths: Iterable[str]) -> str:
    """Returns a call that reads files, and tells in a column which one a row is from."""
    files = f"[{', '.join(map(_literal, paths))}]"
    types = f"{{{', '.join(f'{_literal(name)}: {_literal(type_)}' for name, type_ in columns.items())}}}"
    options = f"hive_partitioning = false, filename = {_literal(_PATH)}"
    match athena._data_format(table):
        case "parquet":
            fields = ", ".join(
                f"{_literal(name)}: {{name: {_literal(name)}, type: {_literal(type_)}, default_value: NULL}}"
                for name, type_ in columns.items()
            )
            return f"read_parquet({files}, schema = MAP {{{fields}}}, {options})"
        case "json":
            return f"read_json({files}, format = 'newline_delimited', records = true, columns = {types}, {options})"
        case "csv" if table["StorageDescriptor"].get("SerdeInfo", {}).get("SerializationLibrary") == _OPEN_CSV:
            # By the places of its columns, an empty value as a text.
            has_header = table.get("Parameters", {}).get("skip.header.line.count") == "1"
            return (
                f"read_csv({files}, auto_detect = false, header = {has_header}, columns = {types}, delim = ',', "
                f"quote = '\"', escape = '\"', new_line = '\\n', null_padding = true, nullstr = '\x01', {options})"
            )
        case other:
            raise UnsupportedSqlError(
                f"NOT_SUPPORTED: tables in the format '{other}'; the local Athena reads parquet, json and, by "
                "OpenCSVSerDe, csv."
            )


def _duckdb_columns(table: Mapping[str, Any]) -> dict[str, str]:
    return {name: duckdb_type(type_) for name, type_ in _columns(table).items()}


@lru_cache(maxsize=1000)
def duckdb_type(glue_type: str) -> str:
    """Returns the type of a Glue column in DuckDB, nested ones too.

    Raises:
        UnsupportedSqlError: It is not a type of Hive's.
    """
    try:
        return exp.DataType.build(glue_type, dialect="hive").sql(dialect="duckdb")
    except SqlglotError as error:
        raise UnsupportedSqlError(f"HIVE_METASTORE_ERROR: '{glue_type}' is not the type of a column.") from error


def glue_type(type_: DuckDBPyType) -> str:  # noqa: PLR0911 - one line for each type
    """Returns the type of a DuckDB column as Glue writes it."""
    children = _children(type_)
    match athena_type(type_):
        case "varchar" | "json" | "unknown":
            return "string"
        case "integer":
            return "int"
        case "varbinary":
            return "binary"
        case "timestamp with time zone":
            return "timestamp"
        case "array":
            return f"array<{glue_type(children[0][1])}>"
        case "map":
            return f"map<{glue_type(children[0][1])},{glue_type(children[1][1])}>"
        case "row":
            return f"struct<{','.join(f'{name}:{glue_type(child)}' for name, child in children)}>"
        case "decimal":
            return str(type_).lower().replace(" ", "")
        case other:
            return other


def athena_type(type_: DuckDBPyType) -> str:
    """Returns the name of a DuckDB type in the metadata of Athena's results."""
    name = "json" if str(type_) == "JSON" else str(type_.id)
    return _ATHENA_TYPES.get(name.lower(), name)


def athena_text(value: Any, type_: DuckDBPyType) -> str | None:  # noqa: C901, PLR0911 - one line for each type
    """Returns a value as `GetQueryResults` shows it; None for NULL, which has no text."""
    match value:
        case None:
            return None
        case bool():
            return "true" if value else "false"
        case float():
            return _java_double(value)
        case Decimal():
            return f"{value:f}"
        case datetime() if value.tzinfo:
            return f"{_milliseconds(value.astimezone(UTC).replace(tzinfo=None))} UTC"
        case datetime():
            return _milliseconds(value)
        case date():
            return value.isoformat()
        case bytes():
            return value.hex(" ")
        case list():
            child = _children(type_)[0][1]
            return f"[{', '.join(_nested(item, child) for item in value)}]"
        case dict() if type_.id == "map":
            (_, key), (_, item) = _children(type_)
            return f"{{{', '.join(f'{_nested(k, key)}={_nested(v, item)}' for k, v in value.items())}}}"
        case dict():
            types = dict(_children(type_))
            return f"{{{', '.join(f'{k}={_nested(v, types[k])}' for k, v in value.items())}}}"
    return str(value)


def _quoted(value: str | None) -> str:
    if value is None:
        return ""
    escaped = value.replace('"', '""')
    return f'"{escaped}"'


def _nested(value: Any, type_: DuckDBPyType) -> str:
    text = athena_text(value, type_)
    return "null" if text is None else text


def _children(type_: DuckDBPyType) -> list[tuple[str, DuckDBPyType]]:
    nested = type_.children if type_.id in {"list", "map", "struct"} else []
    return [(name, child) for name, child in nested if isinstance(child, DuckDBPyType)]


def _milliseconds(time: datetime) -> str:
    return f"{time:%Y-%m-%d %H:%M:%S}.{time.microsecond // 1000:03}"


def _java_double(value: float) -> str:
    """As Java's Double.toString, which Athena uses: 0.5, 1.0E7, 1.0E-4."""
    if isnan(value):
        return "NaN"
    if isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    if value == 0 or 1e-3 <= abs(value) < 1e7:
        return repr(value)
    sign, digits, exponent = Decimal(repr(value)).normalize().as_tuple()
    text = "".join(map(str, digits))
    power = len(digits) - 1 + int(exponent)
    return f"{'-' if sign else ''}{text[0]}.{text[1:] or '0'}E{power}"


def _must(action: str, resource: str, **context: str) -> None:
    if not iam.caller_may(action, resource, **context):
        raise UnsupportedSqlError(f"PERMISSION_DENIED: Insufficient permissions: no {action} on {resource}")


def _catalog_table(name: TableName) -> dict[str, Any]:
    for resource in ("catalog", f"database/{name.database}", f"table/{name.database}/{name.table}"):
        _must("glue:GetTable", f"arn:aws:glue:{get_region()}:{get_account_id()}:{resource}")
    table: dict[str, Any] | None = glue._tables.get(f"{name.database}/{name.table}")
    if table is None:
        if name.database not in glue._databases:
            raise UnsupportedSqlError(f"SCHEMA_NOT_FOUND: Schema '{name.database}' does not exist")
        raise UnsupportedSqlError(
            f"TABLE_NOT_FOUND: Table '{trino.CATALOG}.{name.database}.{name.table}' does not exist"
        )
    return table


def _columns(table: Mapping[str, Any]) -> dict[str, str]:
    listed = [*table["StorageDescriptor"]["Columns"], *table.get("PartitionKeys", [])]
    return {column["Name"]: column["Type"] for column in listed}


def _partition_keys(table: Mapping[str, Any]) -> list[str]:
    return [key["Name"] for key in table.get("PartitionKeys", [])]


def _location(described: Mapping[str, Any]) -> tuple[str, str]:
    location = urlparse(described["Location"])
    prefix = location.path.strip("/")
    return location.netloc, f"{prefix}/" if prefix else ""


def _sources(table: Mapping[str, Any]) -> Iterator[Source]:
    """The objects of each partition but those that Trino hides: names that begin with `_` or a dot."""
    bucket, prefix = _location(table["StorageDescriptor"])
    _must("s3:ListBucket", f"arn:aws:s3:::{bucket}", s3_prefix=prefix)
    records: Mapping[str, Mapping[str, Any]] = dict((s3._buckets.get(bucket) or {}).get("objects", {}))
    keys = sorted(records)
    for folder, partition in _partitions(table):
        for key in keys[bisect_left(keys, folder) : bisect_left(keys, f"{folder}{_AFTER_ALL}")]:
            if not key.endswith("/") and not re.search(r"(?:^|/)[_.]", key.removeprefix(prefix)):
                yield Source(key, partition, records[key])


def _partitions(table: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, str]]]:
    """The folders of the table's partitions with the values of their keys; the table's own if it has no keys.

    Partitions are in the bucket of their table.
    """
    keys = _partition_keys(table)
    if not keys:
        yield _location(table["StorageDescriptor"])[1], {}
        return
    if table.get("Parameters", {}).get("projection.enabled", "").lower() == "true":
        raise UnsupportedSqlError(f"NOT_SUPPORTED: partition projection, as of {table['Name']}; register partitions.")
    name = f"{table['DatabaseName']}/{table['Name']}"
    for resource in ("catalog", f"database/{table['DatabaseName']}", f"table/{name}"):
        _must("glue:GetPartitions", f"arn:aws:glue:{get_region()}:{get_account_id()}:{resource}")
    for partition in glue._partitions.get(name, []):
        yield _location(partition["StorageDescriptor"])[1], dict(zip(keys, partition["Values"], strict=True))


@lru_cache
def _parsed(sql: str, database: str) -> exp.Query | exp.Create | exp.Drop:
    """Returns a statement, which is not to be changed."""
    return trino.parse(sql, database=database)


def view_definition(table: Mapping[str, Any]) -> dict[str, Any]:
    """Returns Athena's stored text of a view: JSON with originalSql, schema and columns, as base64 in a comment."""
    text = table.get("ViewOriginalText") or ""
    with contextlib.suppress(ValueError):
        encoded = text.removeprefix(_VIEW_PREFIX).removesuffix(_VIEW_SUFFIX)
        definition: dict[str, Any] = json.loads(base64.b64decode(encoded, validate=True))
        return definition
    raise UnsupportedSqlError(f"INVALID_VIEW: The text of view '{table['Name']}' is none that Athena wrote.")


def _create_view(statement: exp.Create, workspace: _Workspace) -> None:
    target, query = statement.this, statement.expression
    name = TableName(target.db, target.name)
    existing = glue._tables.get(f"{name.database}/{name.table}")
    if existing and not statement.args.get("replace"):
        raise UnsupportedSqlError(f"TABLE_ALREADY_EXISTS: '{name.database}.{name.table}' already exists")
    if existing and existing.get("TableType") != "VIRTUAL_VIEW":
        raise UnsupportedSqlError(f"TABLE_ALREADY_EXISTS: '{name.database}.{name.table}' is a table, no view")
    columns = workspace.describe(_translate(query))
    for position, (column, _) in enumerate(columns):
        if trino.column_name(column, position) != column:
            raise UnsupportedSqlError(f"MISSING_COLUMN_NAME: Column name not specified at position {position + 1}")
    definition = {
        "originalSql": query.sql(dialect="athena"),
        "catalog": trino.CATALOG,
        "schema": name.database,
        "columns": [{"name": column, "type": athena_type(type_)} for column, type_ in columns],
    }
    encoded = base64.b64encode(json.dumps(definition).encode()).decode()
    table = {
        "Name": name.table,
        "TableType": "VIRTUAL_VIEW",
        "Parameters": {"presto_view": "true", "comment": "Presto View"},
        "ViewOriginalText": f"{_VIEW_PREFIX}{encoded}{_VIEW_SUFFIX}",
        "ViewExpandedText": "/* Presto View */",
        "StorageDescriptor": {
            "Columns": [{"Name": column, "Type": glue_type(type_)} for column, type_ in columns],
            "SerdeInfo": {},
        },
        "PartitionKeys": [],
    }
    save = glue._update_table if existing else glue._create_table
    status, _, body = save({"DatabaseName": name.database, "TableInput": table})
    if status >= 300:
        raise UnsupportedSqlError(f"GENERIC_USER_ERROR: {json.loads(body)['message']}")


def _drop_view(statement: exp.Drop) -> None:
    target = next(statement.find_all(exp.Table))
    table = glue._tables.get(f"{target.db}/{target.name}")
    if table is None and statement.args.get("exists"):
        return
    if table is None or table.get("TableType") != "VIRTUAL_VIEW":
        raise UnsupportedSqlError(f"VIEW_NOT_FOUND: View '{target.db}.{target.name}' does not exist")
    glue._delete_table({"DatabaseName": target.db, "Name": target.name})


def _identifier(name: str) -> str:
    escaped = name.replace('"', '""')
    return f'"{escaped}"'


def _literal(text: str) -> str:
    escaped = text.replace("'", "''")
    return f"'{escaped}'"
