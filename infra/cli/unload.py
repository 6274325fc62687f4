"""A snapshot taken back out of the lake, as if it had never been there; the raw object is kept beside the lake.

The raw object goes first, so that a worker that begins from now on finds nothing to work on: its message ends as a dead
letter, which says so. Then the receipts go, for a receipt says that its table is complete, which stops being true with
the first object that is removed; it came last and goes first. Whatever is left where this is interrupted is no
snapshot's any more: the audit names it, and the same command removes it.

A worker that read the raw object before it went may still write outputs after they were removed, since it finds the
keys free. So the outputs are looked for again as long as messages of their tables are in flight, and a function's
time-out at most: no worker lives longer. What an interrupted command leaves to such a worker, the audit names as well.
"""

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import TYPE_CHECKING, Annotated, Final

import typer
from botocore.exceptions import ClientError

from contracts.tables import TABLES, of_kind
from infra.cli.cloud import CONNECTIONS, Cloud, confirm, find_cloud
from infra.cli.days import lists_of, read_day
from infra.cli.environment import Environment
from infra.cli.screen import ConsoleError, UsageError, err, out
from infra.deploying.stacks import stack_name
from shared import objects
from shared.errors import PermanentError
from shared.lake import CHARTS, PLAYLISTS, SnapshotKey, partition_of_month, table_prefix
from shared.queue import depth

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_LONGEST_WORK: Final = 300.0
"""Seconds: the longest time-out that a transformer may be given."""
_PAUSE: Final = 1.0


def unload(
    day: Annotated[date, typer.Option("--date", parser=read_day, metavar="DAY", help="Day of the snapshot.")],
    playlist: Annotated[str | None, typer.Option(help="Id of the playlist.")] = None,
    chart: Annotated[str | None, typer.Option(help="Of a chart: <source>-<chart id>.")] = None,
    environment: Environment = "dev",
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would go, and do nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Take it out without a question.")] = False,
) -> None:
    """Take a snapshot back out: its rows, rejects and receipts go, and its document is kept below unloaded/."""
    key = _key(playlist, chart, day)
    cloud = find_cloud(environment, writes=not dry_run)
    s3, bucket = cloud.client("s3"), cloud.platform.bucket
    etag, outputs = _etag(s3, bucket, key.raw), list(_outputs(s3, bucket, key))
    if etag is None and not outputs:
        if _etag(s3, bucket, key.unloaded):
            out.print(f"It is out: its document is s3://{bucket}/{key.unloaded}.", soft_wrap=True, markup=False)
            _tell_of_copies(cloud, key)
            return
        raise ConsoleError(f"There is no snapshot of {key.list_id} on {day}. {lists_of(day)}")
    if etag:
        out.print(f"  {key.raw} → {key.unloaded}", soft_wrap=True, markup=False)
    for output in outputs:
        out.print(f"  {output}", soft_wrap=True, markup=False)
    if dry_run:
        out.print("These would go; nothing was done.")
        return
    confirm(f"Take these out of {environment} at {cloud.address}?", yes=yes)
    if etag:
        _archive(s3, bucket, key, etag)
    tables = cloud.tables()
    with err.status("removing, and waiting for workers that may be at work on it"):
        _remove(cloud, key, tables)
    is_kept = _etag(s3, bucket, key.unloaded)
    back = f" To put it back: aws s3 mv s3://{bucket}/{key.unloaded} s3://{bucket}/{key.raw}" if is_kept else ""
    out.print(f"{key.list_id} of {day} is out of the lake.{back}", soft_wrap=True, markup=False)
    _tell_of_copies(cloud, key)


def _key(playlist: str | None, chart: str | None, day: date) -> SnapshotKey:
    if (playlist is None) is (chart is None):
        raise UsageError("Name either a playlist with --playlist, or a chart with --chart.")
    kind, list_id = (PLAYLISTS, playlist) if chart is None else (CHARTS, chart)
    try:
        return SnapshotKey.from_raw(SnapshotKey(day, list_id or "", kind).raw)
    except PermanentError as fault:
        raise UsageError(f"{list_id!r} is not the id of a list: {fault.sentence}.") from None


def _archive(s3: "S3Client", bucket: str, key: SnapshotKey, etag: str) -> None:
    """Moves the raw object: between the copy and the removal there are two, and doing it again does no harm.

    Raises:
        ConsoleError: It was written anew meanwhile.
    """
    try:
        s3.copy_object(
            Bucket=bucket,
            Key=key.unloaded,
            CopySource={"Bucket": bucket, "Key": key.raw},
            CopySourceIfMatch=etag,
            MetadataDirective="COPY",
        )
        s3.delete_object(Bucket=bucket, Key=key.raw, IfMatch=etag)
    except ClientError as fault:
        if fault.response["Error"]["Code"] in objects.OVERTAKEN:
            raise ConsoleError(
                f"s3://{bucket}/{key.raw} was written anew meanwhile, and is still there. Look what it is, and give "
                "the same command again."
            ) from None
        raise


def _remove(cloud: Cloud, key: SnapshotKey, tables: Sequence[str]) -> None:
    """Removes the outputs, and those that workers write that were at work."""
    s3, bucket = cloud.client("s3"), cloud.platform.bucket
    until = time.monotonic() + _LONGEST_WORK
    while True:
        # Looked at before the outputs are: what is not in flight by then has written all that it will.
        at_work = _is_in_flight(cloud, tables)
        for output in _outputs(s3, bucket, key):
            s3.delete_object(Bucket=bucket, Key=output)
        if not at_work or time.monotonic() > until:
            return
        time.sleep(_PAUSE)


def _outputs(s3: "S3Client", bucket: str, key: SnapshotKey) -> Iterator[str]:
    """The outputs that there are, the receipts first; also of tables whose service was removed."""
    keys = sorted((key.outputs(table) for table in of_kind(key.kind.name)), key=lambda of_table: of_table[0])
    wanted: Sequence[str] = [output for kind in zip(*keys, strict=True) for output in kind]
    with ThreadPoolExecutor(max_workers=CONNECTIONS) as pool:
        found = list(pool.map(lambda output: _etag(s3, bucket, output), wanted))
    yield from (output for output, etag in zip(wanted, found, strict=True) if etag)


def _tell_of_copies(cloud: Cloud, key: SnapshotKey) -> None:
    """Says which tables have a compacted copy of the month, which has the rows if it was made with them."""
    s3, bucket, month = cloud.client("s3"), cloud.platform.bucket, partition_of_month(key.snapshot_date)
    folders = {name: table_prefix(TABLES[name], "compacted") + month for name in of_kind(key.kind.name)}
    if copied := [name for name, folder in folders.items() if any(objects.listed(s3, bucket, folder))]:
        tables = "".join(f" --table {name}" for name in copied)
        command = cloud.command(f"compact --month {key.snapshot_date:%Y-%m}{tables}")
        out.print(f"A compacted copy may still have its rows: {command}", soft_wrap=True, markup=False)


def _etag(s3: "S3Client", bucket: str, key: str) -> str | None:
    head = objects.head(s3, bucket, key)
    return head and head["ETag"]


def _is_in_flight(cloud: Cloud, tables: Sequence[str]) -> bool:
    """Whether any message of the tables is with a worker."""
    sqs = cloud.client("sqs")
    for table in tables:
        url = sqs.get_queue_url(QueueName=stack_name(cloud.environment, table))["QueueUrl"]
        if depth(sqs, url).hidden:
            return True
    return False
