# ruff: noqa: S608, SLF001 - it writes SQL, and hooks into what ministack keeps private
"""A Glue crawler that crawls: ministack's waits five seconds and finds nothing.

It looks below each S3 target for folders of Parquet files. A table that is known, by its location or its name,
keeps its columns whatever the files say (SchemaChangePolicy LOG) and is given the partitions that it lacks. An
unknown one is created with the columns of its files. For all that it does it asks the crawler's role.
"""

from __future__ import annotations

import contextvars
import json
import tempfile
import threading
import time
import uuid
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import urlparse

import duckdb
from ministack.core.responses import get_account_id, get_region
from ministack.services import glue, s3

from infra.local.emulator import iam
from infra.local.emulator.athena import glue_type

_INPUT_FORMAT: Final = "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat"
_OUTPUT_FORMAT: Final = "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat"
_SERDE: Final = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"


class Folder(NamedTuple):
    """The Parquet files below one folder of a bucket; those of one table."""

    bucket: str
    prefix: str
    keys: tuple[str, ...]

    @property
    def location(self) -> str:
        """Where the table is, ending with a slash."""
        return f"s3://{self.bucket}/{self.prefix}"

    @property
    def name(self) -> str:
        """The table's name: that of the folder."""
        return self.prefix.rstrip("/").rpartition("/")[2].lower().replace("-", "_")

    def partitions(self) -> dict[str, dict[str, str]]:
        """Returns the keys and values of each folder that holds files, by its prefix."""
        folders = sorted({key.rpartition("/")[0] + "/" for key in self.keys})
        return {folder: _key_values(folder.removeprefix(self.prefix)) for folder in folders}


def install() -> None:
    """Let ministack's crawlers crawl.

    Raises:
        AttributeError: ministack has no such hook any more.
    """
    _ = glue._start_crawler
    glue._start_crawler = _start


def folders(bucket: str, prefix: str, keys: list[str]) -> list[Folder]:
    """Returns the tables below a prefix: each folder of Parquet files, where folders named key=value belong to it."""
    tables: dict[str, list[str]] = {}
    for key in sorted(keys):
        parts = key.removeprefix(prefix).split("/")
        hidden = any(part.startswith(("_", ".")) for part in parts)
        if key.startswith(prefix) and key.endswith(".parquet") and not hidden:
            named = [part for part in parts[:-1] if "=" not in part]
            root = prefix + "".join(f"{part}/" for part in named)
            tables.setdefault(root, []).append(key)
    return [Folder(bucket, root, tuple(found)) for root, found in tables.items()]


def crawl(crawler: dict[str, Any]) -> None:
    """Bring the catalog up to date with all targets of a crawler.

    Raises:
        ValueError: A bucket is not there, or the crawler's role lacks a right.
    """
    role = _Role(crawler["Name"], crawler["Role"], crawler["DatabaseName"])
    role.must_be_trusted()
    for target in crawler["Targets"].get("S3Targets", []):
        path = urlparse(target["Path"])
        prefix = path.path.strip("/")
        bucket = s3._buckets.get(path.netloc)
        if bucket is None:
            raise ValueError(f"The bucket of the crawler's target {target['Path']} does not exist.")
        prefix = f"{prefix}/" if prefix else ""
        role.must("s3:ListBucket", f"arn:aws:s3:::{path.netloc}", s3_prefix=prefix)
        for folder in folders(path.netloc, prefix, list(bucket["objects"])):
            name = f"{crawler['TablePrefix']}{folder.name}"
            role.must_in_catalog("glue:GetTables", name)
            table = _table_at(crawler["DatabaseName"], name, folder.location) or _create_table(role, name, folder)
            _add_partitions(role, table, folder)


class _Role(NamedTuple):
    """Whose rights a crawler has; each method raises ValueError for one that is missing."""

    crawler: str
    arn: str
    database: str

    def must_be_trusted(self) -> None:
        crawler = f"arn:aws:glue:{get_region()}:{get_account_id()}:crawler/{self.crawler}"
        if not iam.role_trusts(self.arn, "glue.amazonaws.com", crawler):
            raise ValueError(f"Glue may not assume {self.arn}: name glue.amazonaws.com in its trust policy.")

    def must(self, action: str, resource: str, **context: str) -> None:
        if not iam.role_may(iam.session_of(self.arn, "crawler"), action, resource, **context):
            raise ValueError(f"{self.arn} may not call {action} on {resource}: allow it in a policy of that role.")

    def must_in_catalog(self, action: str, table: str) -> None:
        for resource in ("catalog", f"database/{self.database}", f"table/{self.database}/{table}"):
            self.must(action, f"arn:aws:glue:{get_region()}:{get_account_id()}:{resource}")


def _start(data: dict[str, Any]) -> Any:
    name = data["Name"]
    crawler = glue._crawlers.get(name)
    if crawler is None:
        return glue.error_response_json("EntityNotFoundException", f"Crawler {name} not found", 400)
    if crawler["State"] == "RUNNING":
        return glue.error_response_json("CrawlerRunningException", f"Crawler {name} is already running", 400)
    crawler["State"] = "RUNNING"
    # The account and the region of the request are context variables, which a thread does not inherit.
    context = contextvars.copy_context()
    threading.Thread(target=context.run, args=(_run, crawler), daemon=True).start()
    return glue.json_response({})


def _run(crawler: dict[str, Any]) -> None:
    started = time.time()
    last: dict[str, Any] = {
        "Status": "FAILED",
        "LogGroup": "/aws-glue/crawlers",
        "LogStream": crawler["Name"],
        "MessagePrefix": str(uuid.uuid4()),
        "StartTime": started,
    }
    try:
        crawl(crawler)
        last["Status"] = "SUCCEEDED"
    except (ValueError, duckdb.Error) as error:
        last["ErrorMessage"] = str(error)
    finally:
        crawler["LastCrawl"] = last
        crawler["CrawlElapsedTime"] = int((time.time() - started) * 1000)
        crawler["State"] = "READY"


def _table_at(database: str, name: str, location: str) -> dict[str, Any] | None:
    for key, table in glue._tables.items():
        if key.startswith(f"{database}/"):
            stored = table["StorageDescriptor"].get("Location", "").rstrip("/") + "/"
            if table["Name"] == name or stored == location:
                found: dict[str, Any] = table
                return found
    return None


def _create_table(role: _Role, name: str, folder: Folder) -> dict[str, Any]:
    keys = list(next(iter(folder.partitions().values())))
    role.must_in_catalog("glue:CreateTable", name)
    _call(
        glue._create_table,
        DatabaseName=role.database,
        TableInput={
            "Name": name,
            "TableType": "EXTERNAL_TABLE",
            "Parameters": {"classification": "parquet"},
            "PartitionKeys": [{"Name": key, "Type": "string"} for key in keys],
            "StorageDescriptor": {
                "Columns": _columns(role, folder, without=keys),
                "Location": folder.location,
                "InputFormat": _INPUT_FORMAT,
                "OutputFormat": _OUTPUT_FORMAT,
                "SerdeInfo": {"SerializationLibrary": _SERDE, "Parameters": {"serialization.format": "1"}},
            },
        },
    )
    created: dict[str, Any] = glue._tables[f"{role.database}/{name}"]
    return created


def _columns(role: _Role, folder: Folder, *, without: list[str]) -> list[dict[str, str]]:
    for key in folder.keys:
        role.must("s3:GetObject", f"arn:aws:s3:::{folder.bucket}/{key}")
    with tempfile.TemporaryDirectory(prefix="crawler-") as temporary, duckdb.connect() as connection:
        for position, key in enumerate(folder.keys):
            Path(temporary, f"{position}.parquet").write_bytes(s3._get_object_data(folder.bucket, key))
        found = connection.sql(f"SELECT * FROM read_parquet('{temporary}/*.parquet', union_by_name = true)")
        described = zip(found.columns, found.types, strict=True)
        return [{"Name": n.lower(), "Type": glue_type(t)} for n, t in described if n.lower() not in without]


def _add_partitions(role: _Role, table: dict[str, Any], folder: Folder) -> None:
    keys = [key["Name"] for key in table["PartitionKeys"]]
    for action in ("glue:GetPartitions", "glue:BatchCreatePartition"):
        role.must_in_catalog(action, table["Name"])
    known = {tuple(p["Values"]) for p in glue._partitions.get(f"{table['DatabaseName']}/{table['Name']}", [])}
    found = {tuple(values[k] for k in keys): f for f, values in folder.partitions().items() if keys == list(values)}
    _call(
        glue._batch_create_partition,
        DatabaseName=table["DatabaseName"],
        TableName=table["Name"],
        PartitionInputList=[
            {
                "Values": list(values),
                "StorageDescriptor": {
                    **table["StorageDescriptor"],
                    "Location": f"s3://{folder.bucket}/{prefix}",
                },
                "Parameters": {},
            }
            for values, prefix in found.items()
            if keys and values not in known
        ],
    )


def _key_values(relative: str) -> dict[str, str]:
    return dict(part.split("=", 1) for part in relative.split("/") if "=" in part)


def _call(operation: Any, **data: Any) -> None:
    status, _, body = operation(data)
    if status >= 400:
        raise ValueError(json.loads(body)["message"])
