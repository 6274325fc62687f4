"""A demonstration of what an operator does when much goes wrong at once, on a local cloud of its own.

Some weeks of raw snapshots, one in five of them damaged, meet a transformer that was deployed broken. Code and
documents are fixed, and the lake must end like that of a backfill in which nothing went wrong. Every step shows the
balance: each snapshot is complete, a dead letter or in flight in each table, and each entry of a complete one is a row,
rejected or skipped.
"""

import json
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeAlias
from zipfile import ZipFile

import typer

from contracts.operations.redrive import LetterSummary
from contracts.tables import of_kind
from infra.cli import collect, dlq
from infra.cli.app import app
from infra.cli.cloud import STATE, Cloud, bound_to, local_cloud, variables_of_the_user
from infra.cli.days import today
from infra.cli.screen import ConsoleError, grid, out
from infra.deploying import build, deploy
from infra.deploying.stacks import CATALOG, PLATFORM, ROOT, stack_name
from infra.local.cloud import LocalCloud
from shared import objects
from shared.lake import PLAYLISTS, Area, Place, SnapshotKey
from shared.queue import depth

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import CopySourceTypeDef

Console: TypeAlias = Callable[[Sequence[str]], object]
"""Runs a command of the console with its arguments, and returns its exit code, None for 0."""

_WEEKS: Final = 26
_ONE_IN = 5
_TABLES = of_kind("playlists")
_BROKEN = "songs"
_BY_SQS = "redriven by SQS"
_RIGHT = '"position": entry.position'
_WRONG = '"position": entry.positon'
_VALUES = 3
_PATIENCE = 180.0


def _cut_off(body: bytes) -> bytes:
    return body[: len(body) // 2]


def _error_page(_: bytes) -> bytes:
    return b"<!DOCTYPE html><html><body><h1>502 Bad Gateway</h1></body></html>\n"


def _other_document(_: bytes) -> bytes:
    return b'{"error": {"status": 404, "message": "Resource not found"}}'


def _values_out_of_range(body: bytes) -> bytes:
    snapshot = json.loads(body)
    page = snapshot["playlist"].get("items") or snapshot["playlist"]["tracks"]
    for entry in page["items"][:_VALUES]:
        (entry.get("item") or entry["track"])["popularity"] = 999
    return json.dumps(snapshot).encode()


OUT_OF_RANGE = "three values out of range"
DAMAGES: Mapping[str, Callable[[bytes], bytes]] = {
    "cut off half-way": _cut_off,
    OUT_OF_RANGE: _values_out_of_range,
    "the error page of a proxy": _error_page,
    "another document": _other_document,
}
"""The damages to raw snapshots; all but the values out of range leave an unreadable document."""


def demo_recovery(weeks: Annotated[int, typer.Option(min=1, max=50)] = _WEEKS) -> None:
    """Damage documents and code and recover, on a separate local cloud; what `make demo-recovery` does."""
    demonstrate(lambda arguments: app(list(arguments), standalone_mode=False), weeks)


def demonstrate(console: Console, weeks: int) -> None:
    """Runs the demonstration.

    Args:
        console: The console that the operator works with.
        weeks: How many weeks of two playlists there are.

    Raises:
        ConsoleError: A snapshot, a row or a message vanished, or the lake differs from that of a clean backfill.
    """
    with _cloud_of_its_own() as cloud:
        _Demonstration(console, cloud, collect.mondays(weeks, today())).run()


class _Demonstration:
    def __init__(self, console: Console, cloud: Cloud, days: Sequence[date], keys: Sequence[SnapshotKey] = ()) -> None:
        self._console = console
        self._cloud = cloud
        self._days = days
        self._keys = keys
        self._originals: dict[SnapshotKey, str] = {}
        self._damaged: Counter[str] = Counter()

    def run(self) -> None:
        self._say("1. Raw snapshots are collected, and one in five is damaged.")
        self._earworm("deploy", PLATFORM, CATALOG, "extractor", "redrive", "audit")
        self._earworm("backfill", "--weeks", str(len(self._days)), "--no-wait")
        self._keys = [
            SnapshotKey(day, playlist) for day in self._days for playlist in collect.configured_playlists(self._cloud)
        ]
        self._damage()
        self._balance_raw()

        self._say("2. The five tables are deployed, songs with a bug in its code, and get their history.")
        self._earworm("deploy", *(table for table in _TABLES if table != _BROKEN))
        self._deploy_broken()
        with self._impatient_queue():
            self._earworm("replay", *self._range(), "--no-wait")
            self.settle()
        self._balance()

        self._say("3. Where is each snapshot?")
        unreadable = next(iter(self._originals))
        of_that_day = str(unreadable.snapshot_date)
        self._earworm("dlq")
        self._earworm("dlq", "show", "albums", "--date", of_that_day)
        self._earworm("audit", "--from", of_that_day, "--to", of_that_day, "--grace", "0", fails=True)

        self._say("4. The code is fixed, and its dead letters are sent back.")
        self._earworm("deploy", _BROKEN)
        others = {letter.message_id for _, letter in self._letters() if letter.error_class != _BY_SQS}
        self._earworm("dlq", "redrive", _BROKEN, "--class", _BY_SQS, "--dry-run")
        self._earworm("dlq", "redrive", _BROKEN, "--class", _BY_SQS)
        self.settle()
        if {letter.message_id for _, letter in self._letters()} != others:
            raise ConsoleError("The redrive of one class did not leave exactly the messages of the others.")
        self._balance()
        self._show_refused(_VALUES * self._damaged[OUT_OF_RANGE])

        self._say("5. The documents are restored from older versions, which announces them; the rest is sent back.")
        self._restore()
        self.settle(dead_letters_too=False)
        self._balance()
        self._earworm("dlq", "redrive", "--all")
        self.settle(dead_letters_too=False)
        self._balance()
        self._show_refused(0)

        self._say("6. A replay of everything changes nothing, and the audit is clean.")
        before = self._lake(self._cloud)
        self._earworm("replay", *self._range())
        if self._lake(self._cloud) != before:
            raise ConsoleError("The replay changed the lake.")
        self._balance()
        self._earworm("dlq")
        self._earworm("audit", "--grace", "0")

        self._say("7. The same raw snapshots in an environment in which nothing went wrong.")
        self._compare(self._clean_backfill())

    def _say(self, what: str) -> None:
        out.print(f"\n[bold]{what}[/]")

    def _earworm(self, *arguments: str, fails: bool = False) -> None:
        shown = " ".join(f"'{each}'" if " " in each else each for each in arguments)
        out.print(f"\n[cyan]$ earworm {shown}[/]", soft_wrap=True)
        if bool(self._console(arguments)) != fails:
            raise ConsoleError(f"`earworm {shown}` {'succeeded' if fails else 'failed'} unexpectedly.")

    def _range(self) -> tuple[str, ...]:
        return "--from", str(self._days[0]), "--to", str(self._days[-1])

    @property
    def _s3(self) -> "S3Client":
        return self._cloud.client("s3")

    def _damage(self) -> None:
        for number, key in enumerate(self._keys[::_ONE_IN]):
            kind = list(DAMAGES)[number % len(DAMAGES)]
            found = self._s3.get_object(Bucket=self._cloud.platform.bucket, Key=key.raw)
            body = DAMAGES[kind](found["Body"].read())
            self._s3.put_object(Bucket=self._cloud.platform.bucket, Key=key.raw, Body=body)
            self._originals[key] = found["VersionId"]
            self._damaged[kind] += 1
        rows = [*self._damaged.items(), ("in all", self._damaged.total())]
        out.print(grid("Damaged", ("how", "raw snapshots"), rows, numbers=[1]))

    def _deploy_broken(self) -> None:
        artifacts = self._cloud.platform.artifacts_bucket
        sound = build.build(_BROKEN, build.target_of(self._cloud.variables), ROOT / "build")
        with TemporaryDirectory() as temporary:
            bundle = with_bug(sound, Path(temporary, f"{_BROKEN}.zip"))
            deploy.upload(self._s3, artifacts, bundle)
        stack = deploy.service_stack(self._cloud.environment, bundle, artifacts, self._cloud.variables)
        deploy.deploy(self._cloud.client("cloudformation"), stack)
        out.print(f"\n{stack.name} is deployed with [red]{_WRONG}[/] where {_RIGHT} belongs.")

    @contextmanager
    def _impatient_queue(self) -> Iterator[None]:
        """Gives a failed message up after its first receive instead of its fifth, to keep the demonstration short."""
        sqs = self._cloud.client("sqs")
        url = sqs.get_queue_url(QueueName=stack_name(self._cloud.environment, _BROKEN))["QueueUrl"]
        usual = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["RedrivePolicy"])["Attributes"]["RedrivePolicy"]
        once = json.dumps({**json.loads(usual), "maxReceiveCount": 1})
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"RedrivePolicy": once})
        try:
            yield
        finally:
            sqs.set_queue_attributes(QueueUrl=url, Attributes={"RedrivePolicy": usual})

    def _restore(self) -> None:
        bucket = self._cloud.platform.bucket
        for key, version in self._originals.items():
            source: CopySourceTypeDef = {"Bucket": bucket, "Key": key.raw, "VersionId": version}
            self._s3.copy_object(Bucket=bucket, Key=key.raw, CopySource=source)
        out.print(f"\n{len(self._originals)} raw snapshots are restored.")

    def settle(self, *, dead_letters_too: bool = True) -> None:
        """Waits until each snapshot is complete in each table, or a dead letter where that counts too.

        Raises:
            ConsoleError: Nothing moved for three minutes; names a snapshot that is nowhere.
        """
        missing = {Place(table, key) for key in self._keys for table in _TABLES}
        before, patience = 0, time.monotonic() + _PATIENCE
        while True:
            # The queues first: the tables keep the emulator busy.
            waiting = self._messages_waiting()
            if not waiting:
                missing -= self._complete(missing)
                if not (missing - self._dead() if missing and dead_letters_too else missing):
                    return
            if waiting != before:
                before, patience = waiting, time.monotonic() + _PATIENCE
            elif time.monotonic() > patience:
                table, key = min(missing, key=lambda each: (each.table, each.key.raw))
                raise ConsoleError(f"{len(missing)} snapshots are not complete, such as {key.raw} of {table}.")
            time.sleep(1)

    def _messages_waiting(self) -> int:
        sqs = self._cloud.client("sqs")
        queues = (stack_name(self._cloud.environment, table) for table in _TABLES)
        return sum(sum(depth(sqs, sqs.get_queue_url(QueueName=name)["QueueUrl"])) for name in queues)

    def _complete(self, places: set[Place]) -> set[Place]:
        """Returns those whose receipt was made from the raw object as it is now."""
        bucket = self._cloud.platform.bucket
        versions = collect.stored_versions(self._s3, bucket, {place.key for place in places})
        heads = {place: objects.head(self._s3, bucket, place.key.receipt(place.table)) for place in places}
        return {
            place
            for place, head in heads.items()
            if head and head["Metadata"].get("raw-version") == versions[place.key]
        }

    def _dead(self) -> set[Place]:
        return {
            Place(table, SnapshotKey.from_raw(raw.key))
            for table, letter in self._letters()
            for raw in letter.raw_objects
        }

    def _letters(self) -> list[tuple[str, LetterSummary]]:
        found = {table: dlq.show(self._cloud, table) for table in _TABLES}
        if any(each.more for each in found.values()):
            raise ConsoleError("There are more dead letters than an answer holds: use fewer weeks.")
        return [(table, message) for table, letters in found.items() for message in letters.messages]

    def _balance(self) -> None:
        """Shows where each snapshot and each entry is.

        Raises:
            ConsoleError: One is nowhere.
        """
        every = {Place(table, key) for key in self._keys for table in _TABLES}
        complete, dead = self._complete(every), self._dead()
        messages = Counter(table for table, _ in self._letters())
        receipts = {row[0]: [int(each or 0) for each in row[1:]] for row in self._ask(_RECEIPTS)}
        snapshots: list[Sequence[object]] = []
        entries: list[Sequence[object]] = []
        adds_up = True
        for table in _TABLES:
            done = {key for of, key in complete if of == table}
            given_up = {key for of, key in dead if of == table} - done
            nowhere = len(self._keys) - len(done) - len(given_up)
            snapshots.append((table, len(self._keys), len(done), len(given_up), nowhere, messages[table]))
            found, *ends = receipts.get(table, [0, 0, 0, 0])
            entries.append((table, found, *ends))
            adds_up &= nowhere == 0 and found == sum(ends)
        of_snapshots = ("table", "snapshots", "complete", "set aside", "nowhere", "messages")
        of_entries = ("table", "entries", "rows", "rejected", "skipped")
        out.print(grid("Snapshots, and dead letters", of_snapshots, snapshots, numbers=range(1, 6)))
        out.print(grid("Entries of what is complete", of_entries, entries, numbers=range(1, 5)))
        if not adds_up:
            raise ConsoleError("The balance does not add up.")
        self._balance_raw()

    def _balance_raw(self) -> None:
        pages = self._s3.get_paginator("list_object_versions").paginate(
            Bucket=self._cloud.platform.bucket, Prefix=PLAYLISTS.prefix("raw")
        )
        versions = [version for page in pages for version in page.get("Versions", ())]
        current = {version["Key"] for version in versions if version["IsLatest"]}
        if current != {key.raw for key in self._keys}:
            raise ConsoleError(f"There are {len(current)} raw snapshots, and {len(self._keys)} were collected.")
        out.print(f"{len(current)} raw snapshots, {len(versions)} versions of them.")

    def _show_refused(self, expected: int) -> None:
        self._earworm("query", _REFUSED)
        refused = sum(int(row[-1] or 0) for row in self._ask(_REFUSED))
        if refused != expected:
            raise ConsoleError(f"{refused} values were refused instead of {expected}.")

    def _ask(self, sql: str) -> Sequence[tuple[str | None, ...]]:
        return self._cloud.athena.ask(sql).rows

    def _clean_backfill(self) -> Cloud:
        self._earworm("deploy", "--env", "prod", PLATFORM, CATALOG, *_TABLES)
        clean = replace(self._cloud, environment="prod")
        for key in self._keys:
            source: CopySourceTypeDef = {"Bucket": self._cloud.platform.bucket, "Key": key.raw}
            self._s3.copy_object(Bucket=clean.platform.bucket, Key=key.raw, CopySource=source)
        _Demonstration(self._console, clean, self._days, self._keys).settle(dead_letters_too=False)
        return clean

    def _compare(self, clean: Cloud) -> None:
        expected = self._lake(clean)
        if self._lake(self._cloud) != expected:
            raise ConsoleError("The lake differs from that of a clean backfill.")
        counts = Counter(key.partition("/")[0] for key in expected)
        out.print(
            f"\n[green]The lake equals that of a clean backfill:[/] {counts['processed']} Parquet files byte for byte, "
            f"{counts['receipts']} receipts but for the version id of the raw object, "
            f"{counts['quarantine'] + counts['quarantine-values']} quarantines."
        )

    def _lake(self, cloud: Cloud) -> dict[str, object]:
        """Returns the ETags of Parquet files and quarantines, and the contents of receipts."""
        bucket = cloud.platform.bucket
        receipts: dict[str, object] = {}
        for key in self._etags(bucket, PLAYLISTS.prefix("receipts")):
            receipt: dict[str, Any] = json.loads(self._s3.get_object(Bucket=bucket, Key=key)["Body"].read())
            del receipt["raw_version_id"]
            receipts[key] = receipt
        prefixes = map(PLAYLISTS.prefix, _HELD_BY_ETAG)
        return {key: etag for prefix in prefixes for key, etag in self._etags(bucket, prefix).items()} | receipts

    def _etags(self, bucket: str, prefix: str) -> dict[str, str]:
        return {found["Key"]: found["ETag"] for found in objects.listed(self._s3, bucket, prefix)}


_HELD_BY_ETAG: Sequence[Area] = ("processed", "quarantine", "quarantine-values")
_REFUSED = (
    "SELECT table_name, column_name, reason, count(*) AS refused FROM rejected_values "
    "GROUP BY table_name, column_name, reason ORDER BY 1, 2, 3"
)
_RECEIPTS = (
    "SELECT table_name, sum(entries) AS entries, sum(rows) AS rows, sum(rejected) AS rejected, "
    "sum(skipped_entries) AS skipped FROM receipts GROUP BY table_name"
)


@contextmanager
def _cloud_of_its_own() -> Iterator[Cloud]:
    """Makes every command act on a separate local cloud, with the simulator and its playlists."""
    variables = variables_of_the_user()
    if variables.get("SPOTIPY_CLIENT_ID"):
        raise ConsoleError("The demonstration needs the simulator: unset SPOTIPY_CLIENT_ID and SPOTIPY_CLIENT_SECRET.")
    os.environ.pop("PLAYLIST_ID", None)  # the simulator's playlists are used
    local = LocalCloud(STATE / "recovery", variables)
    local.stop()
    local.start()
    try:
        with bound_to(local):
            yield local_cloud("dev")
    finally:
        local.stop()


def with_bug(sound: build.Bundle, path: Path) -> build.Bundle:
    """Returns a copy of the bundle with a bug in its transform, written to a path.

    Raises:
        ConsoleError: The transform no longer has the line.
    """
    module = f"services/{sound.service}/transform.py"
    bytecode = f"services/{sound.service}/__pycache__/transform."
    with ZipFile(sound.path) as intact, ZipFile(path, "w") as broken:
        for member in intact.infolist():
            if member.filename.startswith(bytecode):
                continue  # it would go on as before
            content = intact.read(member)
            if member.filename == module:
                if _RIGHT.encode() not in content:
                    raise ConsoleError(f"{module} no longer contains {_RIGHT}: choose another bug in {__file__}.")
                content = content.replace(_RIGHT.encode(), _WRONG.encode())
            broken.writestr(member, content)
    content = path.read_bytes()
    return build.Bundle(sound.service, path, sha256(content).hexdigest(), sound.unzipped_bytes, len(content))
