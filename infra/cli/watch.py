"""Edits the watch list, a CSV file in the lake; several people may edit it at once."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, TypeAlias

import typer
from rich.markup import escape
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from analytics.athena import AthenaError
from contracts.watch_list import (
    EntryType,
    WatchEntry,
    WatchListError,
    identity,
    read_watch_list,
    watch_entry,
    write_watch_list,
)
from infra.cli.cloud import confirm, find_cloud
from infra.cli.environment import Environment
from infra.cli.screen import ConsoleError, UsageError, err, grid, out
from shared import objects
from shared.lake import WATCH_LIST

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import PutObjectRequestTypeDef

    from infra.cli.cloud import Cloud

Entries: TypeAlias = Mapping[tuple[str, str], WatchEntry]
"""A watch list by what makes an entry another one, in its order."""

app = typer.Typer(no_args_is_help=True, help="Edit the watch list, whose events lead a week's page and its alert.")

_MOST_FAULTS: Final = 20
_EMPTY: Final = (
    "The watch list is empty. Fill it by name, id, link or URI: `earworm watch add artist NAME…`, `… label NAME…`, "
    "`… isrc CODE…`, `… track LINK…`, or from a CSV file with the columns type,value,note: `earworm watch import FILE`."
)
_WATCHED: Final = "SELECT watched_type, watched_value, count(*) AS recordings FROM watched_recordings GROUP BY 1, 2"

Type = Annotated[EntryType, typer.Argument(metavar="TYPE", help="What is watched: artist, label, isrc or track.")]
Values = Annotated[
    list[str],
    typer.Argument(metavar="VALUE", help="Artists by name, id, link or URI; labels and groups of them; ISRCs; tracks."),
]
Yes = Annotated[bool, typer.Option("--yes", help="Do it without a question, which is asked on AWS.")]


class _ChangedError(Exception):
    """Somebody else changed the watch list between reading and writing."""


@dataclass(frozen=True, slots=True)
class WatchList:
    """The watch list in the lake.

    Attributes:
        entries: What it holds.
        etag: Its version; None if there is none yet.
        faults: What is wrong with it, if somebody wrote it by hand.
    """

    entries: Entries
    etag: str | None = None
    faults: str = ""


def read(cloud: "Cloud") -> WatchList:
    """Reads the watch list."""
    s3, bucket = cloud.client("s3"), cloud.platform.bucket
    # Whoever may list the folder alone, as an analyst, is told that an absent object is denied, not that it is absent.
    if not s3.list_objects_v2(Bucket=bucket, Prefix=WATCH_LIST, MaxKeys=1).get("Contents"):
        return WatchList({})
    found = s3.get_object(Bucket=bucket, Key=WATCH_LIST)
    try:
        return WatchList(_valid(found["Body"].read()), found["ETag"])
    except WatchListError as fault:
        return WatchList({}, found["ETag"], str(fault))


def edit(cloud: "Cloud", change: Callable[[Entries], Entries]) -> tuple[Entries, Entries]:
    """Changes the watch list; if somebody else does so meanwhile, changes what that one wrote.

    Args:
        cloud: Where it is.
        change: Returns what it shall hold, given what it holds.

    Returns:
        What it held, and what it holds.

    Raises:
        ConsoleError: It is not valid, or others kept changing it.
    """

    def once() -> tuple[Entries, Entries]:
        before = read(cloud)
        _refuse_faults(cloud, before)
        after = change(before.entries)
        if after != before.entries:
            _write(cloud, after, before.etag)
        return before.entries, after

    retrying = Retrying(
        retry=retry_if_exception_type(_ChangedError),
        stop=stop_after_attempt(8),
        wait=wait_random_exponential(multiplier=0.05, max=1),
        reraise=True,
    )
    try:
        return retrying(once)
    except _ChangedError:
        raise ConsoleError(
            "Others keep changing the watch list, and nothing was written: give the command again."
        ) from None


@app.command()
def add(
    type_: Type,
    values: Values,
    note: Annotated[str, typer.Option(help="Why they are watched, or whom an id stands for.")] = "",
    environment: Environment = "dev",
) -> None:
    """Watch artists, labels, ISRCs or tracks."""
    new = _named(type_, values, note)
    _tell(*edit(find_cloud(environment, writes=True), lambda entries: _merged(entries, new)))


@app.command()
def remove(type_: Type, values: Values, environment: Environment = "dev", *, yes: Yes = False) -> None:
    """Watch artists, labels, ISRCs or tracks no longer."""
    gone = _named(type_, values)

    def change(entries: Entries) -> Entries:
        unknown = [entry["value"] for key, entry in gone.items() if key not in entries]
        if unknown:
            raise ConsoleError(
                f"Not in the watch list: {type_} {', '.join(map(repr, unknown))}. Nothing was removed; "
                "`earworm watch list` shows what is in it."
            )
        return {key: entry for key, entry in entries.items() if key not in gone}

    cloud = find_cloud(environment, writes=True)
    if not cloud.is_local:
        confirm(f"Remove {type_} {_some(gone)} from the watch list of {environment} at {cloud.address}?", yes=yes)
    _tell(*edit(cloud, change))


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="CSV with the columns type,value and, if you like, note.")],
    environment: Environment = "dev",
    *,
    replace: Annotated[bool, typer.Option("--replace", help="Watch what the file holds, and nothing else.")] = False,
    yes: Yes = False,
) -> None:
    """Watch what a CSV file lists, also one that a spreadsheet saved; if a line is wrong, nothing is written."""
    new = _file(file)
    cloud = find_cloud(environment, writes=True)
    if not replace:
        _tell(*edit(cloud, lambda entries: _merged(entries, new)))
        return
    before = read(cloud)
    gone = len(before.entries.keys() - new.keys())
    if not cloud.is_local:
        question = f"Replace the watch list of {environment} at {cloud.address}, of which {gone:,} entries go?"
        confirm(question, yes=yes)
    try:
        _write(cloud, new, before.etag)
    except _ChangedError:
        raise ConsoleError(
            "Somebody else changed the watch list meanwhile, and nothing was written: look at it with "
            f"`{cloud.command('watch list')}`, and give the command again."
        ) from None
    _tell(before.entries, new)


@app.command("list")
def list_(environment: Environment = "dev") -> None:
    """Show the watch list, and how many recordings of the lake each of its entries watches."""
    cloud = find_cloud(environment)
    watch_list = read(cloud)
    _refuse_faults(cloud, watch_list)
    if not watch_list.entries:
        out.print(_EMPTY, soft_wrap=True, markup=False)
        return
    recordings = _recordings(cloud)
    rows = [
        (entry["type"], entry["value"], recordings(key), entry["note"] or None)
        for key, entry in watch_list.entries.items()
    ]
    out.print(grid("The watch list", ("type", "value", "recordings", "note"), rows, numbers=[2]))


def _named(type_: EntryType, values: Sequence[str], note: str = "") -> Entries:
    try:
        return _by_identity(watch_entry(type_, value, note) for value in values)
    except WatchListError as fault:
        raise UsageError(f"{fault}.") from None


def _file(file: Path) -> Entries:
    try:
        body = file.read_bytes()
    except OSError as fault:
        raise UsageError(f"{file} cannot be read: {fault.strerror}.") from None
    try:
        return _valid(body)
    except WatchListError as fault:
        raise UsageError(f"{file}: {fault}. Nothing was imported.") from None


def _valid(body: bytes) -> Entries:
    found = read_watch_list(body)
    if found.faults:
        more = len(found.faults) - _MOST_FAULTS
        raise WatchListError(
            "; ".join(found.faults[:_MOST_FAULTS]) + (f"; and {more:,} more lines" if more > 0 else "")
        )
    return _by_identity(found.entries)


def _by_identity(entries: Iterable[WatchEntry]) -> Entries:
    found: dict[tuple[str, str], WatchEntry] = {}
    for entry in entries:
        found.setdefault(identity(entry), entry)
    return found


def _merged(entries: Entries, new: Entries) -> Entries:
    """Returns both; an entry that is there keeps its spelling, and its note unless the new one has another."""
    merged = dict(entries)
    for key, entry in new.items():
        known = entries.get(key, entry)
        merged[key] = WatchEntry(type=known["type"], value=known["value"], note=entry["note"] or known["note"])
    return merged


def _some(entries: Entries) -> str:
    values = [entry["value"] for entry in entries.values()]
    return ", ".join(values[:3]) + (f" and {len(values) - 3:,} more" if len(values) > 3 else "")


def _write(cloud: "Cloud", entries: Entries, etag: str | None) -> None:
    request: PutObjectRequestTypeDef = {
        "Bucket": cloud.platform.bucket,
        "Key": WATCH_LIST,
        "Body": write_watch_list(entries.values()),
        "ContentType": "text/csv; charset=utf-8",
    }
    if objects.put_over(cloud.client("s3"), request, etag) is None:
        raise _ChangedError


def _refuse_faults(cloud: "Cloud", watch_list: WatchList) -> None:
    if watch_list.faults:
        raise ConsoleError(
            f"s3://{cloud.platform.bucket}/{WATCH_LIST} is not valid: {watch_list.faults}. Correct a copy of it, and "
            f"then `{cloud.command('watch import --replace COPY')}`."
        )


def _recordings(cloud: "Cloud") -> Callable[[tuple[str, str]], int | None]:
    """Returns what tells how many recordings an entry watches: None of any if that cannot be asked."""
    try:
        rows = cloud.athena.ask(_WATCHED).values()
    except AthenaError as fault:
        err.print(f"[yellow]Nobody knows which recordings they watch:[/] {escape(str(fault))}", soft_wrap=True)
        return lambda _: None
    counts = {identity(WatchEntry(type=type_, value=value, note="")): recordings for type_, value, recordings in rows}
    return lambda key: counts.get(key, 0)


def _tell(before: Entries, after: Entries) -> None:
    added, removed = len(after.keys() - before.keys()), len(before.keys() - after.keys())
    changed = sum(entry != before[key] for key, entry in after.items() if key in before)
    changes = [(added, "added"), (removed, "removed"), (changed, "changed")]
    told = ", ".join(f"{number:,} {what}" for number, what in changes if number) or "nothing to change"
    out.print(f"{told}; the watch list has {len(after):,} {'entry' if len(after) == 1 else 'entries'}.".capitalize())
