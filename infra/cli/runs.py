"""Runs: which there were, and how far each has come."""

import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Final, Self

import typer
from pydantic import TypeAdapter, ValidationError
from rich.console import Group, RenderableType
from rich.live import Live
from rich.text import Text

from analytics.wording import counted
from contracts.operations.chart_collection import ChartRunBegins, ChartRunOver
from contracts.operations.extraction import RunBegins, RunOver
from contracts.operations.loading import NOT_OVER, Load
from contracts.operations.log_events import LogEvent, TableComplete
from contracts.tables import of_kind
from contracts.tables.receipts import Receipt
from infra.cli.cloud import CONNECTIONS, Cloud, find_cloud
from infra.cli.collect import written_since
from infra.cli.environment import Environment
from infra.cli.loads import LOAD, find_load, find_loads
from infra.cli.logs import COLLECTORS, Days, Line, RunId, of_event, of_run, whole_run_id
from infra.cli.receipts import find_receipt
from infra.cli.screen import grid, in_one_line, out
from infra.deploying.stacks import stack_name
from shared import objects
from shared.lake import SnapshotKey
from shared.queue import SECONDS_UNTIL_SHOWN_AGAIN, depth

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_LIVE_SECONDS: Final = 2.0
_STATES: Final = {
    "done": "green",
    "dead-lettered": "bold red",
    "failing": "yellow",
    "replaced": "dim",
    "waiting": "cyan",
}


_BEGINS: Final[TypeAdapter[RunBegins | ChartRunBegins]] = TypeAdapter(RunBegins | ChartRunBegins)
_OVER: Final[TypeAdapter[RunOver | ChartRunOver]] = TypeAdapter(RunOver | ChartRunOver)
_COMPLETE: Final = TypeAdapter(TableComplete)
_FINAL: Final = frozenset({"done", "dead-lettered", "replaced"})
_FAULTS: Final = frozenset({LogEvent.MESSAGE_RETURNED, LogEvent.MESSAGE_DEAD_LETTERED})
_MOST_SHOWN: Final = 20
"""Of a load with more snapshots, only those that lack something are shown."""


@dataclass(frozen=True, slots=True)
class Run:
    """What a collector logged of a run, or what a load noted of itself.

    Attributes:
        collector: The service, or `load`.
        began: When its first attempt began.
        days: The days of its snapshots, in order.
        lists: What it calls those that it takes.
        over: What became of each in the last attempt; None while a collector is at work, or if it was cut off.
    """

    run_id: str
    collector: str
    began: datetime
    days: Sequence[date]
    lists: Sequence[str]
    over: RunOver | ChartRunOver | Load | None = None

    @classmethod
    def of(cls, load: Load) -> Self:
        """What a load noted of itself."""
        days = sorted({each.day for each in load.documents})
        return cls(load.run_id, LOAD, load.began, days, [each.file for each in load.documents], load)

    @property
    def is_over(self) -> bool:
        """Whether it did all that it will."""
        return self.over is not None and not (isinstance(self.over, Load) and self.over.ended is None)

    @property
    def outcome(self) -> str:
        """One word for the run: `ok`, the worst of what became of its lists, or `not over`."""
        if self.over is None:
            return NOT_OVER
        worst = [each.outcome for each in self.over.lists if each.outcome != "ok"]
        return worst[0] if worst else "ok"

    @property
    def keys(self) -> list[SnapshotKey]:
        """The snapshots that it stored."""
        return [SnapshotKey.from_raw(each.key) for each in self.over.lists if each.key] if self.over else []

    def shown(self, told: Iterable[Line] = ()) -> list[SnapshotKey]:
        """Those that a person looks at: of a long load those that lack something, or have failed so far.

        Args:
            told: What the services logged of it.
        """
        if not isinstance(self.over, Load) or len(self.over.documents) <= _MOST_SHOWN:
            return self.keys
        failed = {line.raw_key for line in told if line.event in _FAULTS}
        return [
            SnapshotKey.from_raw(each.key)
            for each in self.over.lists
            if each.key and (each.key in failed or each.outcome not in {"ok", NOT_OVER})
        ]

    @property
    def period(self) -> str:
        """The days of its snapshots in short."""
        return f"{self.days[0]} to {self.days[-1]}" if len(self.days) > 1 else f"{self.days[0]}"

    @property
    def effort(self) -> str:
        """What it took."""
        if self.over is None:
            return NOT_OVER
        if not isinstance(self.over, Load):
            return counted(self.over.calls, "call")
        documents = counted(len(self.over.documents), "document")
        if self.over.ended is None:
            return f"{documents}, {NOT_OVER}"
        return (
            f"{documents}, over after {(self.over.ended - self.over.began).total_seconds():.0f} s with "
            f"{self.over.complete:,} of {self.over.expected:,} tables complete"
        )


@dataclass(frozen=True, slots=True)
class TableStatus:
    """A snapshot of a run in a table.

    Attributes:
        state: `done`, `waiting`, `failing` (it goes back to its queue), `dead-lettered` or `replaced` (by another run).
        receipt: The table's receipt, if it is of this run.
        seconds: From the raw object to the table.
        sentence: Why it is not done.
    """

    key: SnapshotKey
    table: str
    state: str
    receipt: Receipt | None = None
    seconds: float | None = None
    sentence: str | None = None


@dataclass(frozen=True, slots=True)
class Raw:
    """Which run wrote a raw object, and its version."""

    run_id: str | None
    version: str | None


def find_runs(told: Iterable[Line]) -> list[Run]:
    """The runs that the collectors' lines tell of, the newest first."""
    found: dict[str, Run] = {}
    for line in told:
        run_id, before = str(line.run_id), found.get(str(line.run_id))
        with suppress(ValidationError):  # what others log is no line of a run
            if line.event == LogEvent.RUN_BEGINS:
                begins = _BEGINS.validate_python(line.fields)
                since = before.began if before else line.at
                found[run_id] = Run(run_id, line.service, since, [begins.snapshot_date], begins.names)
            elif line.event == LogEvent.RUN_OVER and before:
                found[run_id] = replace(before, over=_OVER.validate_python(line.fields))
    return sorted(found.values(), key=lambda run: run.began, reverse=True)


def table_statuses(cloud: Cloud, run: Run, told: Sequence[Line], tables: Sequence[str]) -> list[TableStatus]:
    """Where each snapshot of a run stands in some tables, by the receipts in the lake and the run's log."""
    shown = run.shown(told)
    wanted = [(key, table) for key in shown for table in of_kind(key.kind.name, tables)]
    s3, bucket = cloud.client("s3"), cloud.platform.bucket
    with ThreadPoolExecutor(max_workers=CONNECTIONS) as pool:
        current = dict(zip(shown, pool.map(lambda key: _raw_of(s3, bucket, key), shown), strict=True))

    def stands(key: SnapshotKey, table: str) -> TableStatus:
        receipt = find_receipt(s3, bucket, key.receipt(table))
        about = [line for line in told if (line.fields.get("table"), line.raw_key) == (table, key.raw)]
        return table_status(run.run_id, key, table, receipt, about, raw=current[key])

    with ThreadPoolExecutor(max_workers=CONNECTIONS) as pool:
        return list(pool.map(lambda each: stands(*each), wanted))


def table_status(
    run_id: str,
    key: SnapshotKey,
    table: str,
    receipt: Receipt | None,
    told: Sequence[Line],
    *,
    raw: Raw | None,
) -> TableStatus:
    """Where a snapshot of a run stands in a table.

    Args:
        run_id: The run.
        key: The snapshot.
        table: The table.
        receipt: The table's receipt for the snapshot.
        told: The lines about both, in the order of time.
        raw: The raw object as it is now; None if it is gone.
    """
    done = [line for line in told if line.event == LogEvent.TABLE_COMPLETE]
    if receipt and receipt["run_id"] == run_id and (raw is None or raw.version == receipt["raw_version_id"]):
        seconds = done[0].fields.get("seconds_from_raw_to_table") if done else None
        return TableStatus(key, table, "done", receipt, seconds)
    if raw is None or raw.run_id != run_id:
        by = f"of run {raw.run_id or 'unknown'} by now" if raw else "gone"
        return TableStatus(key, table, "replaced", sentence=f"the raw object is {by}")
    set_aside = [line for line in told if line.event == LogEvent.MESSAGE_DEAD_LETTERED]
    if set_aside:
        return TableStatus(key, table, "dead-lettered", sentence=str(set_aside[-1].fields.get("sentence", "")))
    failed = [line for line in told if line.event == LogEvent.MESSAGE_RETURNED]
    if failed:
        received = int(failed[-1].fields.get("receive_count", 1))
        fault = str(failed[-1].fields.get("exception", "")).splitlines()[-1:]
        state = "dead-lettered" if received > len(SECONDS_UNTIL_SHOWN_AGAIN) else "failing"
        return TableStatus(key, table, state, sentence=f"{received} times: {''.join(fault)}")
    return TableStatus(key, table, "waiting")


def runs(
    number: Annotated[int, typer.Option("--number", "-n", min=1, help="How many.")] = 10,
    days: Days = 30,
    environment: Environment = "dev",
) -> None:
    """Show the latest runs: outcome, rows, rejected rows, and the time from the raw snapshot to the last table."""
    out.print(_runs(find_cloud(environment), number, days))


def status(
    run: RunId = "latest",
    days: Days = 30,
    environment: Environment = "dev",
    *,
    live: Annotated[
        bool, typer.Option("--live", help="Show it live until nothing of it waits any more; end it with Ctrl-C.")
    ] = False,
) -> None:
    """Show how far a run has come: each snapshot in each table, with its receipt's numbers."""
    cloud = find_cloud(environment)
    run_id, tables = whole_run_id(cloud, run, days=days), cloud.tables()
    shown, is_final = _status(cloud, run_id, days, tables)
    if live:
        with Live(shown, console=out, auto_refresh=False, transient=True) as screen:
            while not is_final:
                time.sleep(_LIVE_SECONDS)
                shown, is_final = _status(cloud, run_id, days, tables)
                screen.update(shown, refresh=True)
    out.print(shown)


def _runs(cloud: Cloud, number: int, days: int) -> RenderableType:
    tables = cloud.tables()
    told = [
        *of_event(cloud, COLLECTORS, LogEvent.RUN_BEGINS, days=days),
        *of_event(cloud, COLLECTORS, LogEvent.RUN_OVER, days=days),
    ]
    collected, loads = find_runs(sorted(told, key=lambda line: line.at)), find_loads(cloud, days=days)
    latest = collected[:number]
    complete: dict[str, dict[tuple[str, str], TableComplete]] = {run.run_id: {} for run in latest}
    for line in of_event(cloud, tables, LogEvent.TABLE_COMPLETE, days=days):
        if line.run_id in complete and line.raw_key:
            with suppress(ValidationError):
                complete[line.run_id].setdefault((line.service, line.raw_key), _COMPLETE.validate_python(line.fields))
    rows: dict[str, list[tuple[object, ...]]] = {}
    for run in latest:
        row = (
            run.run_id[:8],
            f"{run.began:%Y-%m-%d %H:%M}",
            run.period,
            run.outcome,
            f"{len(complete[run.run_id])}/{sum(len(of_kind(key.kind.name, tables)) for key in run.keys)}",
            sum(each["rows"] for each in complete[run.run_id].values()),
            sum(each["rejected"] for each in complete[run.run_id].values()),
            max((each["seconds_from_raw_to_table"] for each in complete[run.run_id].values()), default=None),
        )
        rows.setdefault(run.collector, []).append(row)
    if loads:
        rows[LOAD] = [_row_of_load(cloud, each.run_id) for each in loads[:number]]
    names = ("run", "began (UTC)", "day", "outcome", "tables", "rows", "rejected", "sec")
    grids = [
        grid(f"Runs of {collector} in {cloud.environment}", names, of_it, numbers=range(4, 8))
        for collector, of_it in rows.items()
    ]
    left_out = sum(max(len(each) - number, 0) for each in (collected, loads))
    more = [Text(f"Not shown: {left_out:,} earlier; --number {number + left_out} shows all.")] if left_out else []
    return Group(*grids, *more) if grids else Text(f"No runs in {cloud.environment}.")


def _row_of_load(cloud: Cloud, run_id: str) -> tuple[object, ...]:
    load = find_load(cloud.client("s3"), cloud.platform.bucket, run_id)
    if load is None:
        return run_id, *[None] * 7
    run = Run.of(load)
    return (
        run_id[: len(LOAD) + 9],
        f"{run.began:%Y-%m-%d %H:%M}",
        run.period,
        run.outcome,
        f"{load.complete}/{load.expected}",
        load.rows,
        load.rejected,
        (load.ended - load.began).total_seconds() if load.ended else None,
    )


def _status(cloud: Cloud, run_id: str, days: int, tables: Sequence[str]) -> tuple[RenderableType, bool]:
    told = of_run(cloud, run_id, days=days)
    load = find_load(cloud.client("s3"), cloud.platform.bucket, run_id)
    (run,) = [Run.of(load)] if load else find_runs(told)
    found = table_statuses(cloud, run, told, tables)
    rows = [
        (
            each.key.list_id,
            each.key.snapshot_date,
            each.table,
            each.state,
            *((r["rows"], r["rejected"], r["skipped_entries"]) if (r := each.receipt) else (None, None, None)),
            each.seconds,
        )
        for each in found
    ]
    names = ("list", "day", "table", "state", "rows", "rejected", "skipped", "sec")
    shown: list[RenderableType] = [
        Text.from_markup(
            f"[bold]Run {run.run_id}[/] of {run.collector}\n"
            f"  of {run.period}, began {run.began:%Y-%m-%d %H:%M:%S} UTC, {run.effort}"
        ),
        *_progress(cloud, run, tables),
        *_outcomes(run),
        *([grid("", names, rows, numbers=range(4, 8))] if rows else []),
        *_reasons(found),
        *_queues(cloud, tables),
    ]
    return Group(*shown), run.is_over and all(each.state in _FINAL for each in found)


def _progress(cloud: Cloud, run: Run, tables: Sequence[str]) -> Iterator[Text]:
    """How far a load has come that is not over."""
    if isinstance(run.over, Load) and not run.is_over:
        receipts = [key.receipt(table) for key in run.keys for table in of_kind(key.kind.name, tables)]
        # S3's times have whole seconds.
        since = run.began.replace(microsecond=0)
        complete = written_since(cloud.client("s3"), cloud.platform.bucket, receipts, since)
        yield Text(f"  {complete:,} of {len(receipts):,} tables complete so far")


def _outcomes(run: Run) -> Iterator[Text]:
    """Those that are not simply in the lake."""
    if run.over is None:
        yield from (Text.from_markup(f"  {each}: [red]{NOT_OVER}[/]") for each in run.lists)
        return
    lacking = [each for each in run.over.lists if each.outcome not in {"ok", NOT_OVER} or each.sentence]
    for each in lacking[:_MOST_SHOWN]:
        style = "yellow" if each.outcome == "ok" else "red"
        yield Text.assemble(f"  {in_one_line(each.name)}: ", (each.outcome, style), f" {each.sentence or ''}")
    if len(lacking) > _MOST_SHOWN:
        yield Text(f"  and {len(lacking) - _MOST_SHOWN:,} more that are not `ok`")


def _raw_of(s3: "S3Client", bucket: str, key: SnapshotKey) -> Raw | None:
    head = objects.head(s3, bucket, key.raw)
    return head and Raw(head["Metadata"].get("run-id"), head.get("VersionId"))


def _reasons(found: Iterable[TableStatus]) -> Iterator[Text]:
    tables: dict[tuple[str, str, str], list[str]] = {}
    for each in found:
        if each.sentence:
            tables.setdefault((each.state, each.key.list_id, each.sentence), []).append(each.table)
    for (state, list_id, sentence), of in tables.items():
        yield Text.assemble(f"  {list_id} ", (state, _STATES[state]), f" in {', '.join(of)}: {sentence}")


def _queues(cloud: Cloud, tables: Sequence[str]) -> Iterator[Text]:
    """What is in queues that are not empty; it may be of any run."""
    sqs = cloud.client("sqs")
    for suffix, what in (("", "queues"), ("-dead-letters", "dead letters")):
        filled = []
        for table in tables:
            url = sqs.get_queue_url(QueueName=f"{stack_name(cloud.environment, table)}{suffix}")["QueueUrl"]
            waiting, at_work = depth(sqs, url)
            if waiting or at_work:
                filled.append(f"{table} {waiting}" + (f" and {at_work} at work" if at_work else ""))
        if filled:
            yield Text(f"  {what} of all runs: {', '.join(filled)}", "dim")
