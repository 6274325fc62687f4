"""Raw snapshots announced again, for a table that is new, corrected or incomplete."""

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
from infra.cli.cloud import STATE, Cloud, Environment, find_cloud
from infra.cli.completion import one_of
from infra.cli.days import read_day
from infra.cli.files import write_file
from infra.cli.screen import ConsoleError, StoppedError, UsageError, err, grid, out, progress
from infra.deploying.stacks import stack_name
from infra.waiting import poll
from shared.errors import PermanentError
from shared.lake import KINDS, ListKind, SnapshotKey

EVERY_TABLE = ""
"""In place of a table's name: the topic, which announces to all of them."""

Send: TypeAlias = Callable[[str], object]
"""Sends a message with a body."""

_PATIENCE = 180.0
_PAUSE = 0.5
_CONNECTIONS = 10


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
    """What is to be replayed; no tables are all of them, and no playlists likewise.

    Raises:
        UsageError: There is no such table or day.
    """

    first: date
    last: date
    tables: tuple[str, ...] = ()
    playlists: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.first > self.last:
            raise UsageError(f"There is no day from {self.first} to {self.last}: give --from a day before --to.")
        unknown = sorted(set(self.tables) - TABLES.keys())
        if unknown:
            raise UsageError(f"There is no table {', '.join(unknown)}: choose among {', '.join(TABLES)}.")


class Code(TypedDict):
    """The code that writes a table: the SHA-256 of its bundle, and the version that it puts into receipts."""

    sha256: str
    version: str


class Position(TypedDict):
    """How far a replay came.

    Attributes:
        began: When it began, by the clock of S3.
        code: The code that it runs with, by table: what other code wrote is not what was asked for.
        last: Its last announcement.
    """

    began: datetime
    code: NotRequired[dict[str, Code]]
    announced: int
    last: tuple[str, str] | None


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a replay did.

    Attributes:
        announced: How many announcements it took.
        receipts: How many receipts there are of each table and service version; empty if nobody waited for them.
    """

    announced: int
    receipts: Mapping[tuple[str, str], int]


_POSITION: TypeAdapter[Position] = TypeAdapter(Position)


class NotWrittenError(ConsoleError):
    """What was announced was not written by the code that should have: to begin anew is all that helps."""


def replay(
    first: Annotated[date, typer.Option("--from", parser=read_day, metavar="DAY", help="First day.")],
    last: Annotated[date, typer.Option("--to", parser=read_day, metavar="DAY", help="Last day.")],
    table: Annotated[
        list[str] | None,
        typer.Option(
            "--table",
            metavar="TABLE",
            autocompletion=one_of(lambda: TABLES),
            help="Table to write again; repeat it. [default: all]",
        ),
    ] = None,
    playlist: Annotated[
        list[str] | None,
        typer.Option("--playlist", metavar="PLAYLIST", help="Id of a playlist; repeat it. [default: all]"),
    ] = None,
    *,
    rate: Annotated[float, typer.Option(min=0.1, help="Announcements a second.")] = 50,
    environment: Environment = "dev",
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until the tables are written again.")] = True,
    restart: Annotated[bool, typer.Option("--restart", help="Begin anew, however far an earlier one came.")] = False,
) -> None:
    """Announce raw snapshots again, so that tables are written anew: after a fix, or for a new table."""
    asked = Request(first, last, tuple(sorted(set(table or ()))), tuple(sorted(set(playlist or ()))))
    done = run(find_cloud(environment, writes=True), asked, STATE / "replays", rate=rate, wait=wait, restart=restart)
    to = ", ".join(asked.tables) or "every table"
    if wait:
        rows = [(*written, number) for written, number in sorted(done.receipts.items())]
        out.print(grid("Receipts of what was replayed", ("table", "service version", "receipts"), rows, numbers=[2]))
    then = "each of which was written" if wait else "not waiting until they are written"
    out.print(f"{done.announced:,} announcements to {to}, {then}.")


def run(cloud: Cloud, asked: Request, positions: Path, *, rate: float, wait: bool, restart: bool = False) -> Replayed:
    """Replays what was asked for.

    A run that was interrupted goes on where it came to, unless other code was deployed since. It is over when every
    receipt is newer than its beginning: that each was made from the current raw version would be no sign of it, for
    after a fix in the code alone they all were, long before.

    Args:
        cloud: Where to.
        asked: What.
        positions: The folder where a replay keeps how far it came; the file is removed at its end.
        rate: Announcements a second, at most.
        wait: Whether to wait until the tables are written again.
        restart: Whether to begin anew in any case.

    Raises:
        ConsoleError: There is no such snapshot, it was interrupted, or a table was not written again, or not by the
            code that is deployed.
    """
    keys, now = _raw_keys(cloud, asked)
    if not keys:
        of = f" of {', '.join(asked.playlists)}" if asked.playlists else ""
        raise ConsoleError(
            f"There is no raw snapshot{of} from {asked.first} to {asked.last}: `earworm tables` shows the days that "
            "there are."
        )
    code = deployed_code(cloud, asked.tables or cloud.tables())
    file = positions / f"{_hash(cloud, asked)}.json"
    position = (None if restart else _resumed(file, code)) or Position(began=now, code=code, announced=0, last=None)
    everything = [
        Announcement(key, table)
        for key in keys
        for table in (of_kind(key.kind.name, asked.tables) if asked.tables else (EVERY_TABLE,))
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
            f"{f' ({fault})' if str(fault) else ''}. The same command goes on from there, --restart begins anew."
        ) from fault
    except NotWrittenError:
        file.unlink(missing_ok=True)
        raise
    file.unlink(missing_ok=True)
    return Replayed(position["announced"], receipts)


def deployed_code(cloud: Cloud, tables: Iterable[str]) -> dict[str, Code]:
    """The code that writes each of the tables.

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
                f"There is no function {name} at {cloud.address}, so that nothing would write {table}: run "
                f"`{cloud.command(f'deploy {table}')}`, or name other tables with --table."
            ) from None
        code[table] = Code(sha256=found["CodeSha256"], version=found["Environment"]["Variables"]["SERVICE_VERSION"])
    return code


def _resumed(file: Path, code: Mapping[str, Code]) -> Position | None:
    """Where an earlier replay came to, if it ran with the code that is deployed."""
    position = _read(file)
    if position is None:
        return None
    former = position.get("code", {})
    began = f"replay that began at {position['began']:%Y-%m-%d %H:%M:%S} UTC"
    if changed := [table for table in code if code[table] != former.get(table)]:
        err.print(f"The {began} ran with other code of {', '.join(changed)}: beginning anew.")
        return None
    err.print(f"[dim]going on after {position['announced']:,} announcements of the {began}; --restart begins anew[/]")
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
        told = ", ".join(f"{number:,} of {table} {version}" for (table, version), number in sorted(receipts.items()))
        raise NotWrittenError(
            f"Other code was at work during the replay, so that nobody knows which wrote what; receipts: {told}. "
            "The same command begins anew."
        )
    return receipts


def _receipts(announcements: Iterable[Announcement], tables: Collection[str]) -> dict[str, tuple[str, SnapshotKey]]:
    """The keys of the receipts of what was announced, to one table or to all, each with its table and snapshot."""
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

    with ThreadPoolExecutor(max_workers=_CONNECTIONS) as pool:
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
        cloud: Where to.
        announcements: What; an announcement made twice does no harm.
        bar: Shows how far it came.
        rate: Announcements a second, at most.
        keep: Is told of each announcement after it was made.
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
        cloud: Where.
        announcements: What was announced.
        since: Before the first announcement, by the clock of S3.
        bar: Shows how far it came.
        tables: The tables that hear what is announced to all.

    Raises:
        NotWrittenError: Nothing was written for three minutes; names what was not.
    """
    pending = _receipts(announcements, tables)
    task = bar.add_task("tables written", total=len(pending), note="")

    def written() -> set[str]:
        months = {receipt.rpartition("/day=")[0] + "/" for receipt in pending}
        return {
            key for month in months for key, moment in _modified(cloud, month) if moment >= since and key in pending
        }

    while pending:
        done = poll(written, pause=_PAUSE, patience=_PATIENCE)
        if not done:
            raise NotWrittenError(_not_written(cloud, pending))
        for receipt in done:
            del pending[receipt]
        bar.advance(task, len(done))


def clock(cloud: Cloud) -> datetime:
    """The time by the clock of S3, to a second, which is that of its `LastModified`."""
    told = cloud.client("s3").list_objects_v2(Bucket=cloud.platform.bucket, MaxKeys=1)
    return parsedate_to_datetime(told["ResponseMetadata"]["HTTPHeaders"]["date"])


def _raw_keys(cloud: Cloud, asked: Request) -> tuple[list[SnapshotKey], datetime]:
    """The snapshots that were asked for, in the order of their keys, and the time before they were listed."""
    now = clock(cloud)
    kinds = [kind for kind in KINDS.values() if not asked.tables or of_kind(kind.name, asked.tables)]
    found = [key for kind in kinds for key in _snapshots(cloud, kind, asked)]
    return sorted(found, key=lambda key: key.raw), now


def _snapshots(cloud: Cloud, kind: ListKind, asked: Request) -> Iterator[SnapshotKey]:
    prefix = kind.prefix("raw")
    pages = cloud.client("s3").get_paginator("list_objects_v2")
    for page in pages.paginate(Bucket=cloud.platform.bucket, Prefix=prefix, StartAfter=f"{prefix}{asked.first}"):
        keys = [each["Key"] for each in page.get("Contents", ())]
        yield from (key for each in keys if (key := _snapshot(each)) and _is_asked_for(key, asked))
        if keys and keys[-1] > f"{prefix}{asked.last}/~":
            break


def _snapshot(key: str) -> SnapshotKey | None:
    try:
        return SnapshotKey.from_raw(key)
    except PermanentError:
        return None


def _is_asked_for(key: SnapshotKey, asked: Request) -> bool:
    return asked.first <= key.snapshot_date <= asked.last and (not asked.playlists or key.list_id in asked.playlists)


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


def _modified(cloud: Cloud, prefix: str) -> Iterable[tuple[str, datetime]]:
    pages = cloud.client("s3").get_paginator("list_objects_v2")
    for page in pages.paginate(Bucket=cloud.platform.bucket, Prefix=prefix):
        for found in page.get("Contents", ()):
            yield found["Key"], found["LastModified"]


def _not_written(cloud: Cloud, pending: Mapping[str, tuple[str, SnapshotKey]]) -> str:
    named = "; ".join(
        f"{table} of {key.list_id} on {key.snapshot_date} (see the queue "
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
    except (OSError, ValidationError):
        raise ConsoleError(f"{file} does not tell how far the replay came: give --restart to begin anew.") from None
