"""The traces of a run: who did what, when, for how long, and where it went wrong."""

import json
import webbrowser
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from rich.text import Text

from infra.cli import trace_page
from infra.cli.cloud import Cloud, Environment, find_cloud
from infra.cli.files import write_file
from infra.cli.logs import Days, RunId, of_run, whole_run_id
from infra.cli.screen import ConsoleError, UsageError, grid, in_one_line, out

if TYPE_CHECKING:
    from mypy_boto3_xray import XRayClient

_TRACES_A_CALL: Final = 5
_WIDEST_LABEL: Final = 46
_CALLS: Final = frozenset({"aws", "remote"})


@dataclass(eq=False, slots=True)
class Span:
    """A stretch of time in which something was done.

    Attributes:
        kind: `service` for a segment, `step` of our own, or `call` of a service of AWS's or elsewhere.
        begin: Seconds since 1970.
        end: Likewise; that of the beginning while it is not over.
        facts: The annotations.
        notes: The metadata.
        troubles: What went wrong here, such as `throttled`; empty if nothing did.
        children: What was done meanwhile and for it, in the order of time.
        cause: For a service, the call that set it off, if it is known.
    """

    id: str
    parent_id: str | None
    kind: str
    label: str
    begin: float
    end: float
    facts: Mapping[str, Any]
    notes: Mapping[str, Any]
    troubles: Sequence[str]
    children: "list[Span]" = field(default_factory=list)
    cause: "Span | None" = None

    @property
    def seconds(self) -> float:
        """How long it took."""
        return self.end - self.begin

    @property
    def waited(self) -> float | None:
        """For a service that a message set off: how long the message was on its way.

        It can arrive before the call that set it off has its answer.
        """
        return max(self.begin - self.cause.end, 0) if self.cause else None

    def everything(self) -> "Iterator[Span]":
        """It and all below it."""
        yield self
        for child in self.children:
            yield from child.everything()

    def first(self, fact: str) -> str:
        """The first value of a fact at it or below it; empty if there is none."""
        return next((str(span.facts[fact]) for span in self.everything() if fact in span.facts), "")

    @property
    def title(self) -> str:
        """Its label; for a table's service with the playlist."""
        is_of_a_table = self.kind == "service" and "table" in self.facts
        return f"{self.label} {self.first('playlist_id')}".rstrip() if is_of_a_table else self.label

    @property
    def is_troubled(self) -> bool:
        """Whether anything went wrong at it or below it."""
        return any(span.troubles for span in self.everything())


def spans(documents: Iterable[Mapping[str, Any]], environment: str) -> list[Span]:
    """The services of some traces in the order of time, each with its steps below it.

    Args:
        documents: Segments and subsegments as X-Ray keeps them, those of a segment within it or beside it.
        environment: `dev` or `prod`.
    """
    # Lambda's own view of a function tells nothing that the function's does not.
    ours = [document for document in documents if document.get("origin") != "AWS::Lambda"]
    found = {span.id: span for document in ours for span in _read(document, None, environment)}
    services = []
    for span in sorted(found.values(), key=lambda each: (each.begin, each.id)):
        parent = found.get(span.parent_id or "")
        if span.kind == "service":
            span.cause = parent if parent and parent.kind == "call" else None
            services.append(span)
        elif parent:
            parent.children.append(span)
        else:  # what it belongs to was lost on its way
            services.append(span)
    return services


def documents_of(cloud: Cloud, run_id: str, *, days: int) -> list[dict[str, Any]]:
    """The segments of every trace in which a service logged something of a run.

    That finds what was done of a run in another trace, too: after a replay, or where a header was lost.

    Raises:
        ConsoleError: There is no trace, or X-Ray does not have it any more.
    """
    traces = list(dict.fromkeys(line.trace_id for line in of_run(cloud, run_id, days=days) if line.trace_id))
    found = list(_documents(cloud.client("xray"), traces))
    if not found:
        raise ConsoleError(
            f"X-Ray at {cloud.address} has no trace of run {run_id} (it logged {len(traces)} trace ids): it keeps "
            "traces for 30 days and takes some seconds to show new ones. `earworm logs` shows the lines."
        )
    return found


def trace(
    run: RunId = "latest",
    html: Annotated[Path | None, typer.Option(help="Write a page of it to this file.")] = None,
    days: Days = 30,
    environment: Environment = "dev",
    *,
    show_all: Annotated[bool, typer.Option("--all", help="Every step and call of every service.")] = False,
    show: Annotated[bool, typer.Option("--open", help="Show the page in a browser; needs --html.")] = False,
) -> None:
    """Draw what a run did in the order of time, from the extractor to every table."""
    if show and html is None:
        raise UsageError("--open shows the page that --html writes: give both, as in --html run.html --open.")
    cloud = find_cloud(environment)
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
    """A line for each span: its label, when it was, and how long it took; what went wrong on lines of its own.

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
            is_shown = show_all or child.is_troubled or (child.kind == "step" and not _root(span).first("table"))
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
            service.first("playlist_id"),
            service.facts.get("table"),
            service.waited,
            service.seconds,
            receipt.end - service.cause.end if receipt and service.cause else None,
        )
        for service in services
        if "table" in service.facts and service.kind == "service"
        for receipt in [next((span for span in service.everything() if span.label == "receipt"), None)]
    ]
    return ("playlist", "table", "on its way", "at work", "together"), rows


def _documents(xray: "XRayClient", traces: Sequence[str]) -> Iterator[dict[str, Any]]:
    for start in range(0, len(traces), _TRACES_A_CALL):
        wanted = list(traces[start : start + _TRACES_A_CALL])
        for page in xray.get_paginator("batch_get_traces").paginate(TraceIds=wanted):
            for found in page["Traces"]:
                yield from (json.loads(segment["Document"]) for segment in found["Segments"])


def _read(document: Mapping[str, Any], parent_id: str | None, environment: str) -> Iterator[Span]:
    is_call = document.get("namespace") in _CALLS
    is_step = document.get("type") == "subsegment" or parent_id is not None
    yield Span(
        id=document["id"],
        parent_id=parent_id or document.get("parent_id"),
        kind="call" if is_call else "step" if is_step else "service",
        label=_label(document, environment),
        begin=document["start_time"],
        end=document.get("end_time", document["start_time"]),
        facts=document.get("annotations", {}),
        notes=document.get("metadata", {}).get("default", {}),
        troubles=list(_troubles(document)),
    )
    for child in document.get("subsegments", ()):
        yield from _read(child, document["id"], environment)


def _label(document: Mapping[str, Any], environment: str) -> str:
    facts, http = document.get("annotations", {}), document.get("http", {})
    match document:
        case {"namespace": "aws", "aws": {"operation": operation}}:
            status = http.get("response", {}).get("status", 200)
            return f"{document['name']} {operation}{'' if status < 300 else f' {status}'}"
        case {"namespace": "remote"}:
            request = http.get("request", {})
            path = "/" + request.get("url", "").partition("://")[2].partition("/")[2]
            return f"{request.get('method', '')} {path} {http.get('response', {}).get('status', '')}".strip()
        case {"type": "subsegment"}:
            return f"{document['name']} {facts['playlist_id']}" if document["name"] == "playlist" else document["name"]
    return str(document["name"]).removeprefix(f"earworm-{environment}-")


def _troubles(document: Mapping[str, Any]) -> Iterator[str]:
    if document.get("throttle"):
        attempts = document.get("metadata", {}).get("default", {}).get("throttled_attempts")
        yield f"throttled in attempt {attempts}, then repeated" if attempts else "throttled"
    cause = document.get("cause", {})
    told = [each.get("message", "") for each in cause.get("exceptions", ())] if isinstance(cause, dict) else []
    if told:
        yield f"fault: {' '.join(told[-1].split())}"
    elif document.get("namespace") in _CALLS and not document.get("throttle"):
        status = document.get("http", {}).get("response", {}).get("status", 200)
        if document.get("fault") or document.get("error"):
            yield f"answered with {status}"
