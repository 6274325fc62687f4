"""Announces raw snapshots again, for a table that is new, corrected or incomplete."""

import json
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, datetime
from email.utils import parsedate_to_datetime
from hashlib import sha256
from pathlib import Path
from typing import Annotated, NamedTuple, NotRequired, TypeAlias
from urllib.parse import quote_plus

import typer
from botocore.exceptions import BotoCoreError, ClientError
from pydantic import TypeAdapter, ValidationError
from rich.progress import Progress
from typing_extensions import TypedDict

from contracts.tables import TABLES, of_kind
from infra.cli.cloud import CONNECTIONS, STATE, Cloud, find_cloud
from infra.cli.collect import missing
from infra.cli.completion import one_of
from infra.cli.days import read_day
from infra.cli.environment import Environment
from infra.cli.files import write_file
from infra.cli.screen import ConsoleError, StoppedError, UsageError, err, grid, out, progress
from infra.deploying.stacks import stack_name
from infra.waiting import poll
from shared import objects
from shared.lake import KINDS, ListKind, Place, SnapshotKey

EVERY_TABLE = ""
"""Stands for the topic, which announces to all tables, in place of a table's name."""

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
        """The sort key of announcements."""
        return self.key.raw, self.table


@dataclass(frozen=True, slots=True)
class ReplayRequest:
    """A request for a replay; no tables means all, and so for playlists.

    Raises:
        UsageError: There is no such table or day.
    """

    first: date
    last: date
    tables: tuple[str, ...] = ()
    playlists: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.first > self.last:
            raise UsageError(f"There is no day from {self.first} to {self.last}: choose --from before --to.")
        unknown = sorted(set(self.tables) - TABLES.keys())
        if unknown:
            raise UsageError(f"There is no table {', '.join(unknown)}: choose one of {', '.join(TABLES)}.")


class Code(TypedDict):
    """The code that writes a table: the SHA-256 of its bundle, and the version that it puts into receipts."""

    sha256: str
    version: str


class Position(TypedDict):
    """How far a replay has come.

    Attributes:
        began: When it began, by the clock of S3.
        code: The code that it runs with, by table: rows written by other code do not count.
        last: Its last announcement.
    """

    began: datetime
    code: NotRequired[dict[str, Code]]
    announced: int
    last: tuple[str, str] | None


@dataclass(frozen=True, slots=True)
class Replayed:
    """The result of a replay.

    Attributes:
        announced: How many announcements it made.
        receipts: How many receipts there are of each table and service version; empty without waiting.
    """

    announced: int
    receipts: Mapping[tuple[str, str], int]


_POSITION: TypeAdapter[Position] = TypeAdapter(Position)


class NotWrittenError(ConsoleError):
    """A table was not written, or not by the expected code: only starting over helps."""


def replay(
    first: Annotated[date, typer.Option("--from", parser=read_day, metavar="DAY", help="First day.")],
    last: Annotated[date, typer.Option("--to", parser=read_day, metavar="DAY", help="Last day.")],
    table: Annotated[
        list[str] | None,
        typer.Option(
            "--table",
            metavar="TABLE",
            autocompletion=one_of(lambda: TABLES),
            help="Table to write again; repeatable. [default: all]",
        ),
    ] = None,
    playlist: Annotated[
        list[str] | None,
        typer.Option("--playlist", metavar="PLAYLIST", help="Id of a playlist; repeatable. [default: all]"),
    ] = None,
    *,
    rate: Annotated[float, typer.Option(min=0.1, help="Announcements per second.")] = 50,
    environment: Environment = "dev",
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until the tables are written again.")] = True,
    restart: Annotated[bool, typer.Option("--restart", help="Start over, however far an earlier one came.")] = False,
) -> None:
    """Announce raw snapshots again, so that tables are written anew: after a fix, or for a new table."""
    request = ReplayRequest(first, last, tuple(sorted(set(table or ()))), tuple(sorted(set(playlist or ()))))
    done = run(find_cloud(environment, writes=True), request, STATE / "replays", rate=rate, wait=wait, restart=restart)
    to = ", ".join(request.tables) or "every table"
    if wait:
        rows = [(*written, number) for written, number in sorted(done.receipts.items())]
        out.print(grid("Receipts of what was replayed", ("table", "service version", "receipts"), rows, numbers=[2]))
    then = "each of which was written" if wait else "not waiting until they are written"
    out.print(f"{done.announced:,} announcements to {to}, {then}.")


def run(
    cloud: Cloud, request: ReplayRequest, positions: Path, *, rate: float, wait: bool, restart: bool = False
) -> Replayed:
    """Carries out a replay.

    An interrupted replay resumes where it stopped, unless other code was deployed since. It is done when every receipt
    is newer than its beginning; that each was made from the current raw version proves nothing, as after a fix in the
    code alone that was true before.

    Args:
        cloud: The cloud.
        request: The request.
        positions: The folder where a replay keeps its position; the file is removed at the end.
        rate: The most announcements per second.
        wait: Whether to wait until the tables are written again.
        restart: Whether to start over in any case.

    Raises:
        ConsoleError: There is no such snapshot, it was interrupted, or a table was not written again, or not by the
            deployed code.
    """
    keys, now = _raw_keys(cloud, request)
    if not keys:
        of = f" of {', '.join(request.playlists)}" if request.playlists else ""
        raise ConsoleError(
            f"There is no raw snapshot{of} from {request.first} to {request.last}: `earworm tables` shows the existing "
            "days."
        )
    code = deployed_code(cloud, request.tables or cloud.tables())
    file = positions / f"{_hash(cloud, request)}.json"
    position = (None if restart else _resumed(file, code)) or Position(began=now, code=code, announced=0, last=None)
    everything = [
        Announcement(key, table)
        for key in keys
        for table in (of_kind(key.kind.name, request.tables) if request.tables else (EVERY_TABLE,))
    ]
    left = [each for each in everything if position["last"] is None or each.place > position["last"]]

    def keep(done: Announcement) -> None:
        position["announced"] += 1
        position["last"] = done.place
        write_file(file, _POSITION.dump_json(position).decode())

    try:
        with progress() as bar:
            announce(cloud, left, bar, rate=rate, keep=keep)
            receipts = _written_by(cloud, code, everything, position["began"], bar) if wait else Counter()
    except (KeyboardInterrupt, BotoCoreError, ClientError) as fault:
        kind = StoppedError if isinstance(fault, KeyboardInterrupt) else ConsoleError
        raise kind(
            f"Interrupted after {position['announced']:,} of {len(everything):,} announcements"
            f"{f' ({fault})' if str(fault) else ''}. The same command goes on from there, --restart starts over."
        ) from fault
    except NotWrittenError:
        file.unlink(missing_ok=True)
        raise
    file.unlink(missing_ok=True)
    return Replayed(position["announced"], receipts)


def deployed_code(cloud: Cloud, tables: Iterable[str]) -> dict[str, Code]:
    """Returns the code that writes each of the tables.

    Raises:
        ConsoleError: A table's service is not deployed.
    """
    functions = cloud.client("lambda")
    code = {}
    for table in tables:
        name = stack_name(cloud.environment, table)
        try:
            found = functions.get_function_configuration(FunctionName=name)
        except functions.exceptions.ResourceNotFoundException:
            raise ConsoleError(
                f"There is no function {name} at {cloud.address}, so nothing would write {table}: run "
                f"`{cloud.command(f'deploy {table}')}`, or name other tables with --table."
            ) from None
        code[table] = Code(sha256=found["CodeSha256"], version=found["Environment"]["Variables"]["SERVICE_VERSION"])
    return code


def _resumed(file: Path, code: Mapping[str, Code]) -> Position | None:
    """Returns the position of an earlier replay, if it ran with the deployed code."""
    position = _read(file)
    if position is None:
        return None
    former = position.get("code", {})
    began = f"replay that began at {position['began']:%Y-%m-%d %H:%M:%S} UTC"
    if changed := [table for table in code if code[table] != former.get(table)]:
        err.print(f"The {began} ran with other code of {', '.join(changed)}: starting over.")
        return None
    err.print(f"[dim]resuming after {position['announced']:,} announcements of the {began}; --restart starts over[/]")
    return position


def _written_by(
    cloud: Cloud, code: Mapping[str, Code], announcements: Sequence[Announcement], since: datetime, bar: Progress
) -> Counter[tuple[str, str]]:
    """Waits until everything is written, and counts the receipts by table and service version.

    Raises:
        NotWrittenError: Something was not written, or not by the code that the replay began with.
    """
    await_written(cloud, announcements, since, bar, tables=code)
    receipts = _versions(cloud, _receipts(announcements, code), bar)
    if deployed_code(cloud, code) != code or any(version != code[table]["version"] for table, version in receipts):
        counts = ", ".join(f"{number:,} of {table} {version}" for (table, version), number in sorted(receipts.items()))
        raise NotWrittenError(
            f"Other code was deployed during the replay, so it is unknown which wrote what; receipts: {counts}. "
            "The same command starts over."
        )
    return receipts


def _receipts(announcements: Iterable[Announcement], tables: Collection[str]) -> dict[str, tuple[str, SnapshotKey]]:
    """Returns the receipts' keys for announcements to one table or all, each with its table and snapshot."""
    return {
        each.key.receipt(table): (table, each.key)
        for each in announcements
        for table in (of_kind(each.key.kind.name, tables) if each.table == EVERY_TABLE else (each.table,))
    }


def _versions(cloud: Cloud, receipts: Mapping[str, tuple[str, SnapshotKey]], bar: Progress) -> Counter[tuple[str, str]]:
    s3 = cloud.client("s3")
    task = bar.add_task("receipts counted", total=len(receipts), note="")

    def version(key: str) -> tuple[str, str]:
        told = s3.head_object(Bucket=cloud.platform.bucket, Key=key)["Metadata"]
        bar.advance(task)
        return receipts[key][0], told.get("service-version", "unknown")

    with ThreadPoolExecutor(max_workers=CONNECTIONS) as pool:
        return Counter(pool.map(version, receipts))


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
        cloud: The cloud.
        announcements: The announcements; one made twice does no harm.
        bar: Shows the progress.
        rate: The most announcements per second.
        keep: Receives each announcement after it was made.
    """
    send = _senders(cloud, announcements)
    task = bar.add_task("announced", total=len(announcements), note="")
    began = time.monotonic()
    for made, each in enumerate(announcements):
        time.sleep(max(0.0, began + made / rate - time.monotonic()))
        bar.update(task, note=f"{each.key.snapshot_date}")
        send[each.table, each.key.kind](announcement(cloud.platform.bucket, each.key))
        keep(each)
        bar.advance(task)


def announcement(bucket: str, key: SnapshotKey) -> str:
    """Returns the event by which S3 announces a raw snapshot, with the key encoded as S3 does.

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


def await_written(
    cloud: Cloud,
    announcements: Iterable[Announcement],
    since: datetime,
    bar: Progress,
    *,
    tables: Collection[str] = tuple(TABLES),
) -> None:
    """Waits until every table that was announced to has written its receipt again.

    Args:
        cloud: The cloud.
        announcements: The announcements.
        since: A time before the first announcement, by the clock of S3.
        bar: Shows the progress.
        tables: The tables that receive announcements to all.

    Raises:
        NotWrittenError: Nothing was written for three minutes; names what is missing.
    """
    pending = _receipts(announcements, tables)
    task = bar.add_task("tables written", total=len(pending), note="")

    def written() -> set[str]:
        months = {receipt.rpartition("/day=")[0] + "/" for receipt in pending}
        return {
            found["Key"]
            for month in months
            for found in objects.listed(cloud.client("s3"), cloud.platform.bucket, month)
            if found["LastModified"] >= since and found["Key"] in pending
        }

    while pending:
        done = poll(written, pause=_PAUSE, patience=_PATIENCE)
        if not done:
            raise NotWrittenError(_not_written(cloud, pending))
        for receipt in done:
            del pending[receipt]
        bar.advance(task, len(done))


def clock(cloud: Cloud) -> datetime:
    """Returns the time by the clock of S3, in seconds, as in its `LastModified`."""
    told = cloud.client("s3").list_objects_v2(Bucket=cloud.platform.bucket, MaxKeys=1)
    return parsedate_to_datetime(told["ResponseMetadata"]["HTTPHeaders"]["date"])


def _raw_keys(cloud: Cloud, request: ReplayRequest) -> tuple[list[SnapshotKey], datetime]:
    """Returns the snapshots that were requested, in the order of their keys, and the time before they were listed."""
    now = clock(cloud)
    kinds = [kind for kind in KINDS.values() if not request.tables or of_kind(kind.name, request.tables)]
    found = [key for kind in kinds for key in _snapshots(cloud, kind, request)]
    return sorted(found, key=lambda key: key.raw), now


def _snapshots(cloud: Cloud, kind: ListKind, request: ReplayRequest) -> Iterator[SnapshotKey]:
    prefix = kind.prefix("raw")
    pages = cloud.client("s3").get_paginator("list_objects_v2")
    for page in pages.paginate(Bucket=cloud.platform.bucket, Prefix=prefix, StartAfter=f"{prefix}{request.first}"):
        keys = [each["Key"] for each in page.get("Contents", ())]
        yield from (key for each in keys if (key := SnapshotKey.find(each)) and _is_requested(key, request))
        if keys and keys[-1] > f"{prefix}{request.last}/~":
            break


def _is_requested(key: SnapshotKey, request: ReplayRequest) -> bool:
    return request.first <= key.snapshot_date <= request.last and (
        not request.playlists or key.list_id in request.playlists
    )


def _senders(cloud: Cloud, announcements: Iterable[Announcement]) -> Mapping[tuple[str, ListKind], Send]:
    return {
        (table, kind): _to_topic(cloud, kind) if table == EVERY_TABLE else _to_queue(cloud, table)
        for table, kind in {(each.table, each.key.kind) for each in announcements}
    }


def _to_topic(cloud: Cloud, kind: ListKind) -> Send:
    topic = cloud.client("ssm").get_parameter(Name=f"/earworm/{cloud.environment}/{kind.topic}")["Parameter"]["Value"]
    sns = cloud.client("sns")
    return lambda body: sns.publish(TopicArn=topic, Message=body)


def _to_queue(cloud: Cloud, table: str) -> Send:
    sqs = cloud.client("sqs")
    url = sqs.get_queue_url(QueueName=stack_name(cloud.environment, table))["QueueUrl"]
    return lambda body: sqs.send_message(QueueUrl=url, MessageBody=body)


def _not_written(cloud: Cloud, pending: Mapping[str, tuple[str, SnapshotKey]]) -> str:
    places = [Place(table, key) for table, key in pending.values()]
    return (
        f"No table was written for {_PATIENCE:.0f} seconds; {len(places):,} are not written again: "
        f"{missing(cloud, places)}"
    )


def _hash(cloud: Cloud, request: ReplayRequest) -> str:
    return sha256(repr((cloud.address, cloud.platform.bucket, request)).encode()).hexdigest()[:16]


def _read(file: Path) -> Position | None:
    try:
        return _POSITION.validate_json(file.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError):
        raise ConsoleError(f"{file} holds no position of a replay: give --restart to start over.") from None
