"""Compacts a month of a table into one file, which Athena reads faster than a file for each snapshot.

The lake stays as it is: its files are those that receipts and audit know, and that a replay writes again. A compacted
month is a copy below a prefix and in a table of its own, `<table>_compacted`. It records the files that it was made
from, so that compacting again writes only what changed since, and dropping it loses nothing.
"""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import date
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer
from botocore.exceptions import ClientError
from tenacity import retry, retry_if_exception_type, stop_after_attempt

from contracts.tables import TABLES, Table
from infra.cli.cloud import CONNECTIONS, Cloud, find_cloud
from infra.cli.completion import one_of
from infra.cli.days import read_month
from infra.cli.environment import Environment
from infra.cli.screen import ConsoleError, UsageError, grid, out, progress
from shared import objects
from shared.catalog import Catalog
from shared.errors import TransientError
from shared.lake import Partition, partition_of_month, table_prefix

if TYPE_CHECKING:
    from mypy_boto3_glue.type_defs import TableInputTypeDef
    from mypy_boto3_s3.type_defs import PutObjectRequestTypeDef

_SUFFIX = "_compacted"
_MADE_OF = "made-of"
_DUCKDB_TYPES = {"string": "VARCHAR"}
"""Glue's types whose name in DuckDB is another."""


class Compacted(NamedTuple):
    """A table's compacted month.

    Attributes:
        files: How many files of the lake it was made from.
        read_bytes: Their size in bytes.
        size: Its own size in bytes.
        is_new: Whether it was written, rather than found up to date.
    """

    table: str
    files: int
    read_bytes: int
    size: int
    is_new: bool


class _File(NamedTuple):
    key: str
    etag: str
    size: int


class _ChangedMeanwhileError(ConsoleError):
    """A file of the month changed while it was read, or another compaction was faster."""

    def __init__(self) -> None:
        super().__init__("The month changed five times while it was compacted: run it again when no replay is running.")


def compact(
    month: Annotated[date, typer.Option(parser=read_month, metavar="MONTH", help="Month, YYYY-MM.")],
    table: Annotated[
        list[str] | None,
        typer.Option(
            "--table",
            metavar="TABLE",
            autocompletion=one_of(lambda: TABLES),
            help="Table to compact; repeatable. [default: all that are deployed]",
        ),
    ] = None,
    environment: Environment = "dev",
) -> None:
    """Copy a month of a table into one file, which Athena reads faster, as the table TABLE_compacted."""
    unknown = sorted(set(table or ()) - TABLES.keys())
    if unknown:
        raise UsageError(f"There is no table {', '.join(unknown)}: choose one of {', '.join(TABLES)}.")
    cloud = find_cloud(environment, writes=True)
    names = table or cloud.tables()
    done = []
    with progress() as bar:
        task = bar.add_task("tables", total=len(names), note=f"{month:%Y-%m}")
        for name in names:
            done.append(month_of(cloud, TABLES[name], month.year, month.month))
            bar.advance(task)
    columns = ("table", "files", "their bytes", "bytes in one", "written")
    out.print(grid(f"Compacted {month:%Y-%m}", columns, done, numbers=range(1, 4)))


@retry(retry=retry_if_exception_type(_ChangedMeanwhileError), stop=stop_after_attempt(5), reraise=True)
def month_of(cloud: Cloud, table: Table[Any], year: int, month: int) -> Compacted:
    """Brings a table's compacted month up to date; without files it is removed.

    Raises:
        ConsoleError: The table is missing from the catalog.
    """
    partition = partition_of_month(date(year, month, 1))
    folder_of_month = f"{table_prefix(table, 'compacted')}{partition}"
    target = f"{folder_of_month}rows.parquet"
    columns = _declare(cloud, table)
    # Looked at before the month is listed, so that what another compaction makes meanwhile is never replaced.
    existing = _look(cloud, target)
    files = list(_files(cloud, f"{table_prefix(table)}{partition}"))
    made_of = sha256(repr((columns, files)).encode()).hexdigest()
    size, is_new = existing.size if existing else 0, False
    if files and (existing is None or existing.made_of != made_of):
        with TemporaryDirectory() as folder:
            merged = _merged(cloud, files, columns, table.key, Path(folder))
            size, is_new = merged.stat().st_size, True
            _put(cloud, target, merged, made_of, existing)
    if files:
        _register(cloud, Partition(f"{table.name}{_SUFFIX}", (f"{year}", f"{month:02}"), folder_of_month))
    elif existing:
        with _restarted_if_changed():
            cloud.client("s3").delete_object(Bucket=cloud.platform.bucket, Key=target, IfMatch=existing.etag)
        size = 0
    return Compacted(f"{table.name}{_SUFFIX}", len(files), sum(each.size for each in files), size, is_new)


def _declare(cloud: Cloud, table: Table[Any]) -> dict[str, str]:
    """Declares the compacted table in the catalog, and returns the columns of its files with their types.

    The day becomes a column, so that the same query works on both tables.
    """
    glue, database = cloud.client("glue"), cloud.platform.database
    try:
        declared = glue.get_table(DatabaseName=database, Name=table.name)["Table"]
    except glue.exceptions.EntityNotFoundException:
        repair = cloud.command("audit --repair")
        raise ConsoleError(f"There is no table {table.name} in {database}: run `{repair}`.") from None
    location = f"s3://{cloud.platform.bucket}/{table_prefix(table, 'compacted')}"
    year, month, day = declared["PartitionKeys"]
    columns = [*declared["StorageDescriptor"]["Columns"], day]
    compacted: TableInputTypeDef = {
        "Name": f"{table.name}{_SUFFIX}",
        "Description": f"{declared['Description']}, one file per month",
        "TableType": declared["TableType"],
        "Parameters": declared["Parameters"],
        "PartitionKeys": [year, month],
        "StorageDescriptor": {**declared["StorageDescriptor"], "Location": location, "Columns": columns},
    }
    try:
        glue.create_table(DatabaseName=database, TableInput=compacted)
    except glue.exceptions.AlreadyExistsException:
        glue.update_table(DatabaseName=database, TableInput=compacted, SkipArchive=True)
    return {column["Name"]: column["Type"] for column in columns}


def _register(cloud: Cloud, month: Partition) -> None:
    """Registers the month, or describes it anew where the table has other columns by now."""
    platform = cloud.platform
    try:
        Catalog(cloud.client("glue"), platform.database, platform.bucket).repair([month])
    except TransientError as fault:
        raise ConsoleError(f"The month is compacted, but cannot be queried: {fault}.") from None


def _files(cloud: Cloud, prefix: str) -> Iterator[_File]:
    for each in objects.listed(cloud.client("s3"), cloud.platform.bucket, prefix):
        yield _File(each["Key"], each["ETag"], each["Size"])


class _Existing(NamedTuple):
    etag: str
    size: int
    made_of: str | None


def _look(cloud: Cloud, key: str) -> _Existing | None:
    head = objects.head(cloud.client("s3"), cloud.platform.bucket, key)
    return head and _Existing(head["ETag"], head["ContentLength"], head["Metadata"].get(_MADE_OF))


def _merged(cloud: Cloud, files: Sequence[_File], columns: Mapping[str, str], key: Sequence[str], folder: Path) -> Path:
    """Writes one file of all rows, ordered by day and the table's key, on disk rather than in memory."""
    s3, bucket = cloud.client("s3"), cloud.platform.bucket

    def fetch(file: _File) -> None:
        path = folder / "month" / f"day={file.key.partition('/day=')[2]}"
        path.parent.mkdir(parents=True, exist_ok=True)
        with _restarted_if_changed():
            body = s3.get_object(Bucket=bucket, Key=file.key, IfMatch=file.etag)["Body"]
        path.write_bytes(body.read())

    with ThreadPoolExecutor(max_workers=CONNECTIONS) as pool:
        list(pool.map(fetch, files))
    types = {name: _DUCKDB_TYPES.get(type_, type_) for name, type_ in columns.items()}
    nothing = ", ".join(f'CAST(NULL AS {type_}) AS "{name}"' for name, type_ in types.items())
    wanted = ", ".join(f'CAST("{name}" AS {type_}) AS "{name}"' for name, type_ in types.items())
    order = ", ".join(f'"{name}"' for name in ("day", *key))
    merged = folder / "rows.parquet"
    # Imported here, as it would slow down completion in the shell.
    import duckdb  # noqa: PLC0415

    try:
        with duckdb.connect(config={"temp_directory": str(folder / "spilled")}) as connection:
            connection.execute("SET TimeZone = 'UTC'")
            connection.execute(
                f"COPY (SELECT {wanted} FROM (SELECT {nothing} WHERE false UNION ALL BY NAME SELECT * FROM "  # noqa: S608  # the names are the catalog's
                f"read_parquet($files, union_by_name = true, hive_partitioning = true, hive_types = {{day: VARCHAR}})) "
                f"ORDER BY {order}) TO '{merged}' (FORMAT parquet, COMPRESSION zstd)",
                {"files": str(folder / "month/*/*.parquet")},
            )
    except duckdb.Error as fault:
        month = files[0].key.partition("/day=")[0]
        raise ConsoleError(
            f"The files below {month}/ cannot be merged: {str(fault).splitlines()[0]}. "
            f"`earworm audit` names damaged files; also check the free space in {folder.parent}."
        ) from None
    return merged


def _put(cloud: Cloud, key: str, file: Path, made_of: str, existing: _Existing | None) -> None:
    with file.open("rb") as body:
        request: PutObjectRequestTypeDef = {
            "Bucket": cloud.platform.bucket,
            "Key": key,
            "Body": body,
            "Metadata": {_MADE_OF: made_of},
        }
        if objects.put_over(cloud.client("s3"), request, existing and existing.etag) is None:
            raise _ChangedMeanwhileError


@contextmanager
def _restarted_if_changed() -> Iterator[None]:
    try:
        yield
    except ClientError as fault:
        if fault.response["Error"]["Code"] in objects.OVERTAKEN:
            raise _ChangedMeanwhileError from fault
        raise
