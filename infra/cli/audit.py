"""Whether every raw snapshot is in every table as it should be."""

import json
from calendar import monthrange
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Annotated, Literal

import typer
from pydantic import TypeAdapter
from rich.markup import escape
from typing_extensions import TypedDict

from infra.cli.cloud import Cloud, Environment, find_cloud
from infra.cli.replay import Announcement, announce, await_written, clock
from infra.cli.screen import ConsoleError, err, grid, out, progress
from infra.deploying.stacks import stack_name
from shared.errors import PermanentError
from shared.lake import RAW_PREFIX, RECEIPTS_PREFIX, SnapshotKey

_TO_DO = {
    "replay": "earworm audit --repair",
    "hand": "restore the raw object from an older version, or remove this one",
}


class Gap(TypedDict):
    """A gap as the audit tells of it."""

    table: str | None
    playlist_id: str | None
    snapshot_date: str | None
    raw_key: str | None
    what: str
    mended_by: Literal["replay", "hand"]


class _Report(TypedDict):
    checked: int
    fresh: int
    found: int
    gaps: list[Gap]


_REPORT: TypeAdapter[_Report] = TypeAdapter(_Report)


@dataclass(frozen=True, slots=True)
class Audit:
    """What the audits of some months found together; `gaps` may be fewer than were found."""

    checked: int
    fresh: int
    found: int
    gaps: Sequence[Gap]


def audit(
    first: Annotated[
        datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="First day. [default: the first there is]")
    ] = None,
    last: Annotated[
        datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="Last day. [default: the last there is]")
    ] = None,
    grace: Annotated[
        int | None,
        typer.Option(min=0, help="Minutes that a snapshot may take to be in every table. [default: as deployed]"),
    ] = None,
    environment: Environment = "dev",
    *,
    repair: Annotated[bool, typer.Option("--repair", help="Replay exactly the gaps, and audit again.")] = False,
) -> None:
    """Compare raw snapshots with receipts, tables and quarantine; exit with 1 if anything is not as it should be."""
    cloud = find_cloud(environment, writes=repair)
    cloud.tables()
    days = _days(cloud, first and first.date(), last and last.date())
    found = _audited(cloud, days, grace)
    if repair and (replays := announcements(found.gaps)):
        _print(days, found)
        _repair(cloud, replays)
        found = _audited(cloud, days, grace)
    _print(days, found)
    if found.found:
        raise typer.Exit(1)


def announcements(gaps: Sequence[Gap]) -> list[Announcement]:
    """The announcements that mend those of the gaps that a replay can mend, each once."""
    places = {
        (gap["raw_key"], gap["table"])
        for gap in gaps
        if gap["mended_by"] == "replay" and gap["raw_key"] and gap["table"]
    }
    return [Announcement(SnapshotKey.from_raw(raw_key), table) for raw_key, table in sorted(places)]


def months(first: date, last: date) -> Iterator[tuple[date, date]]:
    """The range of days cut at the ends of the months."""
    while first <= last:
        end = min(last, first.replace(day=monthrange(first.year, first.month)[1]))
        yield first, end
        first = end + timedelta(days=1)


def _audited(cloud: Cloud, days: tuple[date, date], grace: int | None) -> Audit:
    """One invocation a month, so that none takes longer than a function may."""
    parts = list(months(*days))
    reports: list[_Report] = []
    with progress() as bar:
        task = bar.add_task("months audited", total=len(parts), note="")
        for first, last in parts:
            bar.update(task, note=f"{first:%B %Y}")
            reports.append(_invoke(cloud, first, last, grace))
            bar.advance(task)
    return Audit(
        checked=sum(report["checked"] for report in reports),
        fresh=sum(report["fresh"] for report in reports),
        found=sum(report["found"] for report in reports),
        gaps=[gap for report in reports for gap in report["gaps"]],
    )


def _invoke(cloud: Cloud, first: date, last: date, grace: int | None) -> _Report:
    name = stack_name(cloud.environment, "audit")
    event: dict[str, str | int] = {"from": str(first), "to": str(last)}
    if grace is not None:
        event["grace_minutes"] = grace
    client = cloud.client("lambda")
    try:
        response = client.invoke(FunctionName=name, Payload=json.dumps(event).encode())
    except client.exceptions.ResourceNotFoundException:
        raise ConsoleError(f"There is no function {name} at {cloud.address}: run `earworm deploy audit`.") from None
    answer = response["Payload"].read()
    if response.get("FunctionError"):
        told = json.loads(answer)
        raise ConsoleError(
            f"The audit from {first} to {last} failed: {told.get('errorMessage', told)}. "
            f"Its log group is /aws/lambda/{name}."
        )
    return _REPORT.validate_json(answer)


def _repair(cloud: Cloud, replays: Sequence[Announcement]) -> None:
    began = clock(cloud)
    with progress() as bar:
        announce(cloud, replays, bar, rate=50)
        try:
            await_written(cloud, replays, began, bar)
        except ConsoleError as fault:
            err.print(f"[yellow]earworm:[/] {escape(str(fault))}")


def _days(cloud: Cloud, first: date | None, last: date | None) -> tuple[date, date]:
    there_are = sorted(_days_with_snapshots(cloud)) if first is None or last is None else []
    if not there_are and (first is None or last is None):
        raise ConsoleError("The lake holds no snapshot and no receipt: there is nothing to audit.")
    days = first or there_are[0], last or there_are[-1]
    if days[0] > days[1]:
        raise ConsoleError(f"There is no day from {days[0]} to {days[1]}: give --from a day before --to.")
    return days


def _days_with_snapshots(cloud: Cloud) -> Iterator[date]:
    """The days that have raw snapshots, and the ends of the years that have receipts, whose raw may be gone."""
    for prefix in _folders(cloud, RAW_PREFIX):
        try:
            yield SnapshotKey.from_raw(f"{prefix}any/playlist.json").snapshot_date
        except PermanentError:
            continue
    for prefix in _folders(cloud, RECEIPTS_PREFIX):
        year = prefix.removeprefix(f"{RECEIPTS_PREFIX}year=").rstrip("/")
        if year.isdecimal():
            yield from (date(int(year), 1, 1), date(int(year), 12, 31))


def _folders(cloud: Cloud, prefix: str) -> Iterator[str]:
    pages = cloud.client("s3").get_paginator("list_objects_v2")
    for page in pages.paginate(Bucket=cloud.platform.bucket, Prefix=prefix, Delimiter="/"):
        for found in page.get("CommonPrefixes", ()):
            yield found["Prefix"]


def _print(days: tuple[date, date], found: Audit) -> None:
    if found.gaps:
        rows = [
            (gap["table"], gap["playlist_id"], gap["snapshot_date"], gap["what"], _TO_DO[gap["mended_by"]])
            for gap in found.gaps
        ]
        out.print(grid("Gaps", ("table", "playlist", "day", "what", "what to do"), rows))
    fresh = f", {found.fresh:,} too fresh to tell" if found.fresh else ""
    listed = f", of which {len(found.gaps):,} are listed" if len(found.gaps) < found.found else ""
    out.print(f"{days[0]} to {days[1]}: {found.checked:,} snapshots checked{fresh}; {found.found:,} gaps{listed}.")
