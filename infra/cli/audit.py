"""Checks that every raw snapshot is in every table, and says what to do where it is not."""

from calendar import monthrange
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Annotated

import typer
from botocore.exceptions import BotoCoreError, ClientError
from rich.markup import escape
from rich.progress import Progress

from contracts.days import FIRST_DAY, LAST_DAY
from contracts.operations.audit import AuditReport, AuditRequest, Gap
from contracts.tables import TABLES, of_kind
from infra.cli import catalog
from infra.cli.cloud import STATE, Cloud, find_cloud
from infra.cli.contents import BESIDE_ROWS, Bucket, prove
from infra.cli.days import read_day
from infra.cli.environment import Environment
from infra.cli.functions import FailedError, as_asked, invoke
from infra.cli.gaps import announcements, what_repair_left, what_to_do, with_documents
from infra.cli.replay import Announcement, announce, await_written, clock
from infra.cli.screen import ConsoleError, UsageError, err, grid, out, progress
from shared import objects
from shared.lake import KINDS, table_prefix


@dataclass(frozen=True, slots=True)
class Audit:
    """The combined result of the audits of some months.

    Attributes:
        found: How many gaps there are; `gaps` may list fewer.
        failures: The months that could not be audited, each with the reason.
    """

    checked: int
    fresh: int
    found: int
    gaps: Sequence[Gap]
    failures: Sequence[str] = ()


def audit(
    first: Annotated[
        date | None,
        typer.Option("--from", parser=read_day, metavar="DAY", help="First day. [default: the lake's first]"),
    ] = None,
    last: Annotated[
        date | None,
        typer.Option("--to", parser=read_day, metavar="DAY", help="Last day. [default: the lake's last]"),
    ] = None,
    grace: Annotated[
        int | None,
        typer.Option(min=0, help="Minutes that a snapshot may take to be in every table. [default: as deployed]"),
    ] = None,
    environment: Environment = "dev",
    *,
    repair: Annotated[bool, typer.Option("--repair", help="Repair what can be repaired, and audit again.")] = False,
    contents: Annotated[
        bool, typer.Option("--contents/--no-contents", help="Read each file that is new since the last audit.")
    ] = True,
) -> None:
    """Compare raw snapshots with receipts, tables, quarantine and catalog; exit with 1 if there is a gap."""
    cloud = find_cloud(environment, writes=repair)
    deployed = cloud.tables()
    proving = deployed if contents else ()
    days = _days(cloud, first, last)
    found = _audited(cloud, days, grace, proving)
    replays = announcements(found.gaps)
    tables = {gap.table for gap in found.gaps if gap.table and gap.mended_by == "catalog"}
    if repair and (replays or tables):
        _print(cloud, days, found)
        _repair(cloud, replays, tables)
        found = _audited(cloud, days, grace, proving)
        found = replace(found, gaps=what_repair_left(cloud, found.gaps, replays, tables))
    _print(cloud, days, found)
    if found.found or found.failures:
        raise typer.Exit(1)


def months(first: date, last: date) -> Iterator[tuple[date, date]]:
    """Yields the range of days, split by months."""
    while first <= last:
        end = min(last, first.replace(day=monthrange(first.year, first.month)[1]))
        yield first, end
        first = end + timedelta(days=1)


def _audited(cloud: Cloud, days: tuple[date, date], grace: int | None, proving: Sequence[str]) -> Audit:
    """Audits, and verifies the contents of some tables."""
    parts = list(months(*days))
    with progress() as bar:
        found = _by_month(cloud, parts, grace, bar)
        further = [
            *(_of_catalog(view, what) for view, what in catalog.altered_views(cloud).items()),
            *_of_contents(cloud, parts, proving, bar),
        ]
        gaps = with_documents(cloud, [*found.gaps, *further])
    return replace(found, found=found.found + len(further), gaps=gaps)


def _by_month(cloud: Cloud, parts: Sequence[tuple[date, date]], grace: int | None, bar: Progress) -> Audit:
    """Invokes the audit once per month, to stay within a function's time; the first compares the catalog too.

    A month that fails is reported, and the others go on.
    """
    task = bar.add_task("months audited", total=len(parts), note="")
    reports: list[AuditReport] = []
    failures: list[str] = []
    for first, last in parts:
        bar.update(task, note=f"{first:%B %Y}")
        of_the_catalog = (first, last) == parts[0]
        try:
            reports.append(_invoke(cloud, first, last, grace, of_the_catalog=of_the_catalog))
        except (FailedError, BotoCoreError, ClientError) as fault:
            also = " and the catalog" if of_the_catalog else ""
            failures.append(f"{first} to {last}{also} could not be audited: {fault}")
        bar.advance(task)
    return Audit(
        checked=sum(report.checked for report in reports),
        fresh=sum(report.fresh for report in reports),
        found=sum(report.found for report in reports),
        gaps=[gap for report in reports for gap in report.gaps],
        failures=failures,
    )


def _invoke(cloud: Cloud, first: date, last: date, grace: int | None, *, of_the_catalog: bool) -> AuditReport:
    with as_asked():
        request = AuditRequest(first=first, last=last, grace_minutes=grace, catalog=of_the_catalog)
    return invoke(cloud, "audit", request, AuditReport)


def _of_catalog(name: str, what: str) -> Gap:
    return Gap(table=name, what=what, mended_by="catalog")


def _of_contents(
    cloud: Cloud, parts: Sequence[tuple[date, date]], tables: Sequence[str], bar: Progress
) -> Iterator[Gap]:
    bucket = Bucket(cloud.client("s3"), cloud.platform.bucket)
    for fault in prove(bucket, parts, tables, STATE / "proved" / bucket.name, bar):
        yield Gap(
            table=fault.table,
            playlist_id=fault.key.list_id,
            snapshot_date=fault.key.snapshot_date,
            raw_key=fault.key.raw,
            what=fault.what,
            mended_by="replay",
        )


def _repair(cloud: Cloud, replays: Sequence[Announcement], tables: Iterable[str]) -> None:
    """Repairs what can be repaired; the next audit finds the rest."""
    for name in catalog.mend(cloud, tables):
        out.print(f"[green]declared again[/]  {escape(name)}")
    if registered := catalog.register(cloud, tables):
        out.print(f"[green]registered[/]      {registered:,} partitions")
    if not replays:
        return
    began = clock(cloud)
    with progress() as bar:
        announce(cloud, replays, bar, rate=50)
        try:
            await_written(cloud, replays, began, bar)
        except ConsoleError as fault:
            err.print(f"[yellow]earworm:[/] {escape(str(fault))}")


def _days(cloud: Cloud, first: date | None, last: date | None) -> tuple[date, date]:
    snapshot_days = sorted(_days_with_snapshots(cloud)) if first is None or last is None else []
    if not snapshot_days and (first is None or last is None):
        raise ConsoleError("The lake has neither snapshots nor outputs of any: there is nothing to audit.")
    days = first or snapshot_days[0], last or snapshot_days[-1]
    if days[0] > days[1]:
        raise UsageError(f"There is no day from {days[0]} to {days[1]}: choose --from before --to.")
    return days


def _days_with_snapshots(cloud: Cloud) -> Iterator[date]:
    """Yields the days with raw snapshots, and the first and last days of years with outputs, whose raw may be gone."""
    s3, bucket = cloud.client("s3"), cloud.platform.bucket
    for kind in KINDS.values():
        yield from filter(None, map(kind.day_of, objects.folders(s3, bucket, kind.prefix("raw"))))
        for prefix in (*map(kind.prefix, BESIDE_ROWS), *(table_prefix(TABLES[table]) for table in of_kind(kind.name))):
            for folder in objects.folders(s3, bucket, prefix):
                year = folder.removeprefix(f"{prefix}year=").rstrip("/")
                if year.isdecimal() and FIRST_DAY.year <= int(year) <= LAST_DAY.year:
                    yield from (date(int(year), 1, 1), date(int(year), 12, 31))


def _print(cloud: Cloud, days: tuple[date, date], found: Audit) -> None:
    if found.gaps:
        repair = cloud.command("audit --repair")
        rows = [
            (gap.table, gap.playlist_id, gap.snapshot_date, gap.what, what_to_do(gap, repair)) for gap in found.gaps
        ]
        out.print(grid("Gaps", ("table", "playlist", "day", "what", "what to do"), rows))
    for failure in found.failures:
        err.print(f"[red]earworm:[/] {escape(failure)}")
    fresh = f", {found.fresh:,} still in flight" if found.fresh else ""
    listed = f", of which {len(found.gaps):,} are listed" if len(found.gaps) < found.found else ""
    failed = f"; {len(found.failures):,} months not audited" if found.failures else ""
    out.print(
        f"{days[0]} to {days[1]}: {found.checked:,} snapshots checked{fresh}; {found.found:,} gaps{listed}{failed}."
    )
