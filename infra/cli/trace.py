"""Shows the traces of a run: what happened when, for how long, and where it failed."""

import json
import webbrowser
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from rich.text import Text

from infra.cli import trace_page
from infra.cli.cloud import Cloud, find_cloud
from infra.cli.environment import Environment
from infra.cli.files import write_file
from infra.cli.logs import Days, RunId, of_run, whole_run_id
from infra.cli.screen import ConsoleError, UsageError, err, grid, in_one_line, out
from infra.cli.spans import Span, spans
from shared.batches import batches

if TYPE_CHECKING:
    from mypy_boto3_xray import XRayClient

_TRACES_A_CALL: Final = 5
_MOST_TRACES: Final = 60
_FAULTS: Final = frozenset({"WARNING", "ERROR", "CRITICAL"})
_WIDEST_LABEL: Final = 46


def documents_of(cloud: Cloud, run_id: str, *, days: int) -> list[dict[str, Any]]:
    """Returns the segments of every trace in which a service logged something about a run.

    That includes work in other traces: after a replay, or where a header was lost.

    Raises:
        ConsoleError: There is no trace, or X-Ray no longer has it.
    """
    told = of_run(cloud, run_id, days=days)
    # Each snapshot of a load is a trace of its own for each table: the first faults and the first others stand for all.
    by_trouble = sorted((line for line in told if line.trace_id), key=lambda line: line.level not in _FAULTS)
    traces = list(dict.fromkeys(line.trace_id for line in by_trouble if line.trace_id))
    if len(traces) > _MOST_TRACES:
        err.print(f"[dim]{_MOST_TRACES} of {len(traces):,} traces, those with faults first.[/]")
    found = list(_documents(cloud.client("xray"), traces[:_MOST_TRACES]))
    if not found:
        raise ConsoleError(
            f"X-Ray at {cloud.address} has no trace of run {run_id} (it logged {len(traces)} trace ids): it keeps "
            "traces for 30 days and takes some seconds to show new ones. `earworm logs` shows the lines."
        )
    return found


def trace(
    run: RunId = "latest",
    html: Annotated[Path | None, typer.Option(help="Write it as a page to this file.")] = None,
    days: Days = 30,
    environment: Environment = "dev",
    *,
    show_all: Annotated[bool, typer.Option("--all", help="Every step and call of every service.")] = False,
    show: Annotated[bool, typer.Option("--open", help="Show the page in a browser; needs --html.")] = False,
) -> None:
    """Draw a run in the order of time, from the collector, or from the snapshots of a load, to every table."""
    if show and html is None:
        raise UsageError("--open shows the page that --html writes: give both, as in --html run.html --open.")
    cloud = find_cloud(environment)
    cloud.tables()
    run_id = whole_run_id(cloud, run, days=days)
    services = spans(documents_of(cloud, run_id, days=days), environment)
    for line in waterfall(services, out.width, show_all=show_all):
        out.print(line, overflow="fold")
    out.print()
    out.print(grid("From the PUT to each table, in seconds", *_latencies(services), numbers=(2, 3, 4)))
    if html:
        write_file(html, trace_page.page(run_id, environment, services))
        out.print(f"Written to {html}")
        if show:
            webbrowser.open(html.absolute().as_uri())


def waterfall(services: Sequence[Span], width: int, *, show_all: bool) -> Iterator[Text]:
    """Yields a line for each span, with label, time and duration, and a line for each of its faults.

    Args:
        services: See `spans`.
        width: Columns of the terminal.
        show_all: Every span; else the services, the extractor's steps, and what went wrong.
    """
    begin = min(each.begin for each in services)
    end = max(span.end for each in services for span in each.everything())
    label_width = min(_WIDEST_LABEL, width // 2)
    bar_width = width - label_width - 20
    per_second = bar_width / max(end - begin, 1e-9)

    def row(span: Span, depth: int) -> Iterator[Text]:
        text = Text()
        label = f"{'  ' * depth}{in_one_line(span.title)}"
        text.append(f"{label[: label_width - 1]:<{label_width}}", "bold" if span.kind == "service" else "")
        start = min(int((span.begin - begin) * per_second), bar_width - 1)
        length = max(1, min(round(span.seconds * per_second), bar_width - start))
        wait = start - min(int((span.begin - (span.waited or 0) - begin) * per_second), start)
        text.append(" " * (start - wait) + "·" * wait, "dim")
        text.append("━" * length, _style(span))
        text.append(" " * (bar_width - start - length))
        text.append(f"{span.begin - begin:>9.3f}", "dim")
        text.append(f"{span.seconds:>9.3f} s")
        yield text
        for trouble in span.troubles:
            yield Text(
                f"{'  ' * depth}  ↳ {in_one_line(trouble)}", "yellow" if trouble.startswith("throttled") else "red"
            )
        for child in span.children:
            of_a_message = span.is_of_a_message or _root(span).is_of_a_message
            is_shown = show_all or child.is_troubled or (child.kind == "step" and not of_a_message)
            if is_shown:
                yield from row(child, depth + 1)

    roots = {id(span): each for each in services for span in each.everything()}

    def _root(span: Span) -> Span:
        return roots[id(span)]

    yield Text(f"{'service, step':<{label_width + bar_width}}{'after':>9}{'took':>11}", "bold cyan")
    for each in services:
        yield from row(each, 0)


def _style(span: Span) -> str:
    if any(trouble.startswith("throttled") for trouble in span.troubles):
        return "yellow"
    if span.troubles:
        return "red"
    return {"service": "green", "step": "cyan", "call": "blue"}[span.kind]


def _latencies(services: Iterable[Span]) -> tuple[Sequence[str], list[Sequence[object]]]:
    rows: list[Sequence[object]] = [
        (
            work.first("playlist_id"),
            work.facts.get("table"),
            work.waited,
            work.seconds,
            receipt.end - work.cause.end if receipt and work.cause else None,
        )
        for service in services
        for work in (service, *service.children)
        if work.is_of_a_message
        for receipt in [next((span for span in work.everything() if span.label == "receipt"), None)]
    ]
    return ("list", "table", "in flight", "at work", "together"), rows


def _documents(xray: "XRayClient", traces: Sequence[str]) -> Iterator[dict[str, Any]]:
    for batch in batches(traces, _TRACES_A_CALL):
        for page in xray.get_paginator("batch_get_traces").paginate(TraceIds=batch):
            for found in page["Traces"]:
                yield from (json.loads(segment["Document"]) for segment in found["Segments"])
