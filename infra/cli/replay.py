"""Raw snapshots announced again, for a table that is new, corrected or incomplete."""

import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from email.utils import parsedate_to_datetime
from hashlib import sha256
from pathlib import Path
from typing import Annotated, NamedTuple, TypeAlias
from urllib.parse import quote_plus

import typer
from botocore.exceptions import BotoCoreError, ClientError
from pydantic import TypeAdapter
from rich.progress import Progress
from typing_extensions import TypedDict

from contracts.tables import TABLES
from infra.cli.cloud import STATE, Cloud, Environment, find_cloud
from infra.cli.screen import ConsoleError, err, out, progress
from infra.deploying.stacks import stack_name
from infra.local import processes
from shared.errors import PermanentError
from shared.lake import RAW_PREFIX, SnapshotKey

EVERY_TABLE = ""
"""In place of a table's name: the topic, which announces to all of them."""

Send: TypeAlias = Callable[[str], object]
"""Sends a message with a body."""

_PATIENCE = 180.0
_PAUSE = 0.5


class Announcement(NamedTuple):
    """A raw snapshot announced to a table's queue, or to every table."""

    key: SnapshotKey
    table: str

    @property
    def place(self) -> tuple[str, str]:
        """What announcements are ordered by."""
        return self.key.raw, self.table


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be replayed; no tables are all of them, and no playlists likewise."""

    first: date
    last: date
    tables: tuple[str, ...] = ()
    playlists: tuple[str, ...] = ()


class Position(TypedDict):
    """How far a replay came: when it began by the clock of S3, and its last announcement."""

    began: datetime
    announced: int
    last: tuple[str, str] | None


_POSITION: TypeAdapter[Position] = TypeAdapter(Position)


def replay(
    first: Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="First day.")],
    last: Annotated[datetime, typer.Option("--to", formats=["%Y-%m-%d"], help="Last day.")],
    table: Annotated[
        list[str] | None, typer.Option("--table", help="Table to write again; repeat it. [default: all]")
    ] = None,
    playlist: Annotated[
        list[str] | None, typer.Option("--playlist", help="Id of a playlist; repeat it. [default: all]")
    ] = None,
    *,
    rate: Annotated[float, typer.Option(min=0.1, help="Announcements a second.")] = 50,
    environment: Environment = "dev",
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until the tables are written again.")] = True,
) -> None:
    """Announce raw snapshots again, so that tables are written anew: after a fix, or for a new table."""
    asked = Request(first.date(), last.date(), tuple(sorted(set(table or ()))), tuple(sorted(set(playlist or ()))))
    announced = run(find_cloud(environment, writes=True), asked, STATE / "replays", rate=rate, wait=wait)
    to = ", ".join(asked.tables) or "every table"
    done = "which wrote them again" if wait else "not waiting until they are written"
    out.print(f"{announced:,} announcements to {to}, {done}.")


def run(cloud: Cloud, asked: Request, positions: Path, *, rate: float, wait: bool) -> int:
    """Replays what was asked for, and tells how many announcements that took.

    A run that was interrupted goes on where it came to. It is over when every receipt is newer than its beginning:
    that each was made from the current raw version would be no sign of it, for after a fix in the code alone they
    all were, long before.

    Args:
        cloud: Where to.
        asked: What.
        positions: The folder where a replay keeps how far it came; the file is removed at its end.
        rate: Announcements a second, at most.
        wait: Whether to wait until the tables are written again.

    Raises:
        ConsoleError: There is no such table or snapshot, it was interrupted, or a table was not written again.
    """
    unknown = sorted(set(asked.tables) - TABLES.keys())
    if unknown:
        raise ConsoleError(f"There is no table {', '.join(unknown)}: choose among {', '.join(TABLES)}.")
    keys, now = _raw_keys(cloud, asked)
    if not keys:
        raise ConsoleError(
            f"There is no raw snapshot from {asked.first} to {asked.last}"
            f"{f' of {asked.playlists}' if asked.playlists else ''}: `earworm tables` shows which days there are."
        )
    file = positions / f"{_hash(cloud, asked)}.json"
    position = _read(file) or Position(began=now, announced=0, last=None)
    if position["last"]:
        err.print(
            f"[dim]going on after {position['announced']:,} announcements of the replay that began at "
            f"{position['began']:%Y-%m-%d %H:%M:%S} UTC; to begin anew, remove {file}[/]"
        )
    everything = [Announcement(key, table) for key in keys for table in asked.tables or (EVERY_TABLE,)]
    left = [each for each in everything if position["last"] is None or each.place > position["last"]]

    def keep(done: Announcement) -> None:
        position["announced"] += 1
        position["last"] = done.place
        processes.replace(file, _POSITION.dump_json(position).decode())

    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        with progress() as bar:
            announce(cloud, left, bar, rate=rate, keep=keep)
            if wait:
                await_written(cloud, everything, position["began"], bar)
    except (KeyboardInterrupt, BotoCoreError, ClientError) as fault:
        raise ConsoleError(
            f"Interrupted after {position['announced']:,} of {len(everything):,} announcements"
            f"{f' ({fault})' if str(fault) else ''}. The same command goes on from there."
        ) from fault
    except ConsoleError:
        file.unlink(missing_ok=True)
        raise
    file.unlink(missing_ok=True)
    return position["announced"]


def announce(
    cloud: Cloud,
    announcements: Sequence[Announcement],
    bar: Progress,
    *,
    rate: float,
    keep: Callable[[Announcement], None] = lambda _: None,
) -> None:
    """Makes announcements in the shape in which S3 makes them.

    Args:
        cloud: Where to.
        announcements: What; an announcement made twice does no harm.
        bar: Shows how far it came.
        rate: Announcements a second, at most.
        keep: Is told of each announcement after it was made.
    """
    send = _senders(cloud, {each.table for each in announcements})
    task = bar.add_task("announced", total=len(announcements), note="")
    began = time.monotonic()
    for made, each in enumerate(announcements):
        time.sleep(max(0.0, began + made / rate - time.monotonic()))
        bar.update(task, note=f"{each.key.snapshot_date}")
        send[each.table](announcement(cloud.platform.bucket, each.key))
        keep(each)
        bar.advance(task)


def announcement(bucket: str, key: SnapshotKey) -> str:
    """The event by which S3 announces a raw snapshot, with the key encoded as S3 does.

    Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
    """
    return json.dumps(
        {
            "Records": [
                {
                    "eventVersion": "2.1",
                    "eventSource": "aws:s3",
                    "eventName": "ObjectCreated:Put",
                    "s3": {"bucket": {"name": bucket}, "object": {"key": quote_plus(key.raw, safe="/")}},
                }
            ]
        }
    )


def await_written(cloud: Cloud, announcements: Iterable[Announcement], since: datetime, bar: Progress) -> None:
    """Waits until every deployed table that was announced to has written its receipt again.

    Args:
        cloud: Where.
        announcements: What was announced.
        since: Before the first announcement, by the clock of S3.
        bar: Shows how far it came.

    Raises:
        ConsoleError: Nothing was written for three minutes; names what was not.
    """
    deployed = cloud.tables()
    pending = {
        each.key.receipt(table): (table, each.key)
        for each in announcements
        for table in (deployed if each.table == EVERY_TABLE else (each.table,))
    }
    task = bar.add_task("tables written", total=len(pending), note="")
    patience = time.monotonic() + _PATIENCE
    while pending:
        months = {receipt.rpartition("/day=")[0] + "/" for receipt in pending}
        written = {key for month in months for key, moment in _modified(cloud, month) if moment >= since}
        done = pending.keys() & written
        for receipt in done:
            del pending[receipt]
        bar.advance(task, len(done))
        if done:
            patience = time.monotonic() + _PATIENCE
        elif time.monotonic() > patience:
            raise ConsoleError(_not_written(cloud, pending))
        if pending:
            time.sleep(_PAUSE)


def clock(cloud: Cloud) -> datetime:
    """The time by the clock of S3, to a second, which is that of its `LastModified`."""
    told = cloud.client("s3").list_objects_v2(Bucket=cloud.platform.bucket, MaxKeys=1)
    return parsedate_to_datetime(told["ResponseMetadata"]["HTTPHeaders"]["date"])


def _raw_keys(cloud: Cloud, asked: Request) -> tuple[list[SnapshotKey], datetime]:
    """The snapshots that were asked for, in the order of their keys, and the time before they were listed."""
    now = clock(cloud)
    pages = cloud.client("s3").get_paginator("list_objects_v2")
    found: list[SnapshotKey] = []
    for page in pages.paginate(
        Bucket=cloud.platform.bucket, Prefix=RAW_PREFIX, StartAfter=f"{RAW_PREFIX}{asked.first}"
    ):
        keys = [each["Key"] for each in page.get("Contents", ())]
        found += (key for each in keys if (key := _snapshot(each)) and _is_asked_for(key, asked))
        if keys and keys[-1] > f"{RAW_PREFIX}{asked.last}/~":
            break
    return found, now


def _snapshot(key: str) -> SnapshotKey | None:
    try:
        return SnapshotKey.from_raw(key)
    except PermanentError:
        return None


def _is_asked_for(key: SnapshotKey, asked: Request) -> bool:
    return asked.first <= key.snapshot_date <= asked.last and (
        not asked.playlists or key.playlist_id in asked.playlists
    )


def _senders(cloud: Cloud, tables: Iterable[str]) -> Mapping[str, Send]:
    return {table: _to_topic(cloud) if table == EVERY_TABLE else _to_queue(cloud, table) for table in tables}


def _to_topic(cloud: Cloud) -> Send:
    topic = cloud.client("ssm").get_parameter(Name=f"/earworm/{cloud.environment}/topic-arn")["Parameter"]["Value"]
    sns = cloud.client("sns")
    return lambda body: sns.publish(TopicArn=topic, Message=body)


def _to_queue(cloud: Cloud, table: str) -> Send:
    sqs = cloud.client("sqs")
    url = sqs.get_queue_url(QueueName=stack_name(cloud.environment, table))["QueueUrl"]
    return lambda body: sqs.send_message(QueueUrl=url, MessageBody=body)


def _modified(cloud: Cloud, prefix: str) -> Iterable[tuple[str, datetime]]:
    pages = cloud.client("s3").get_paginator("list_objects_v2")
    for page in pages.paginate(Bucket=cloud.platform.bucket, Prefix=prefix):
        for found in page.get("Contents", ()):
            yield found["Key"], found["LastModified"]


def _not_written(cloud: Cloud, pending: Mapping[str, tuple[str, SnapshotKey]]) -> str:
    named = "; ".join(
        f"{table} of {key.playlist_id} on {key.snapshot_date} (see the queue "
        f"{stack_name(cloud.environment, table)}-dead-letters)"
        for _, (table, key) in sorted(pending.items())[:5]
    )
    return f"No table was written for {_PATIENCE:.0f} seconds; {len(pending)} are not written again, such as {named}."


def _hash(cloud: Cloud, asked: Request) -> str:
    return sha256(repr((cloud.address, cloud.platform.bucket, asked)).encode()).hexdigest()[:16]


def _read(file: Path) -> Position | None:
    try:
        return _POSITION.validate_json(file.read_bytes())
    except FileNotFoundError:
        return None
