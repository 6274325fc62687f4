"""The structured lines that services log, from all of them in the order of time."""

import json
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from rich.text import Text

from contracts.operations.log_events import LogEvent
from contracts.tables import TABLES
from infra.cli.cloud import Cloud, find_cloud
from infra.cli.completion import one_of
from infra.cli.environment import Environment
from infra.cli.loads import find_loads
from infra.cli.screen import ConsoleError, UsageError, in_one_line, out
from infra.deploying.stacks import stack_name

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient

COLLECTORS: Final = ("extractor", "listenbrainz")
"""The services whose invocations are runs."""
OF_A_RUN: Final = (*COLLECTORS, *TABLES)
"""The services that work on a run."""

RunId = Annotated[str, typer.Argument(metavar="RUN", help="Id of the run, the beginning of it, or `latest`.")]
Days = Annotated[int, typer.Option(min=1, max=3650, help="How many days back to look.")]

_STYLES: Final = {"DEBUG": "dim", "INFO": "", "WARNING": "yellow", "ERROR": "red", "CRITICAL": "bold red"}
_OF_EVERY_LINE: Final = frozenset(
    ("level", "location", "message", "timestamp", "service", "service_version", "run_id", "xray_trace_id")
)
_OF_AN_EXCEPTION: Final = frozenset(("exception", "exception_name", "stack_trace"))


@dataclass(frozen=True, slots=True)
class Line:
    """A line that a service logged.

    Attributes:
        message: The sentence, for people alone.
    """

    at: datetime
    service: str
    level: str
    message: str
    fields: Mapping[str, Any]

    @property
    def run_id(self) -> str | None:
        """The run that the line is of, if it tells."""
        return self.fields.get("run_id")

    @property
    def event(self) -> str | None:
        """What the line tells of; see `LogEvent`."""
        return self.fields.get("event")

    @property
    def raw_key(self) -> str | None:
        """The raw object that the line is about, if it tells."""
        return self.fields.get("raw_key")

    @property
    def trace_id(self) -> str | None:
        """The trace that the line was logged in."""
        return self.fields.get("xray_trace_id")


def of_event(cloud: Cloud, services: Sequence[str], event: LogEvent, *, days: int) -> list[Line]:
    """The lines of services that tell of an event, in the order of time."""
    return [line for line in _holding(cloud, services, event, days=days) if line.event == event]


def _holding(cloud: Cloud, services: Sequence[str], phrase: str, *, days: int) -> list[Line]:
    """The lines of services that hold a phrase, in the order of time.

    Metrics and what Lambda itself writes are left out. A service that is not deployed has none.
    """
    since = datetime.now(UTC) - timedelta(days=days)
    client = cloud.client("logs")
    with ThreadPoolExecutor(max_workers=max(len(services), 1)) as pool:
        found = pool.map(lambda service: _lines(client, cloud.environment, service, phrase, since), services)
        return sorted((line for each in found for line in each), key=lambda line: line.at)


def of_run(cloud: Cloud, run_id: str, *, days: int) -> list[Line]:
    """The lines of one run in the order of time.

    A service that could not read a raw object does not know its run: such lines are found by the run's traces.
    """
    told = [line for line in _holding(cloud, OF_A_RUN, run_id, days=days) if line.run_id == run_id]
    keys = {key for line in told for key in (line.raw_key, line.fields.get("key")) if key}
    traces = {line.trace_id for line in told if line.trace_id}
    nameless = [
        line
        for event in (LogEvent.MESSAGE_RETURNED, LogEvent.MESSAGE_DEAD_LETTERED)
        for line in of_event(cloud, tuple(TABLES), event, days=days)
        if line.run_id is None and line.raw_key in keys and line.trace_id in traces
    ]
    return sorted(told + nameless, key=lambda line: line.at)


def whole_run_id(cloud: Cloud, beginning: str, *, days: int) -> str:
    """The id of the one run that begins so, or of the latest.

    Raises:
        ConsoleError: There is none or there are several.
    """
    began = [(line.at, str(line.run_id)) for line in of_event(cloud, COLLECTORS, LogEvent.RUN_BEGINS, days=days)]
    began += [(each.written, each.run_id) for each in find_loads(cloud, days=days)]
    known = list(dict.fromkeys(run_id for _, run_id in sorted(began, reverse=True)))
    found = known[:1] if beginning == "latest" else [run_id for run_id in known if run_id.startswith(beginning)]
    if len(found) != 1:
        raise ConsoleError(
            f"{'Several runs begin' if found else 'No run begins'} with {beginning!r} in the log groups "
            f"{' and '.join(_group(cloud.environment, each) for each in COLLECTORS)} and the loads of the last {days} "
            "days: see `earworm runs`, or look further back with --days."
        )
    return found[0]


def logs(
    run: RunId = "latest",
    service: Annotated[
        str | None,
        typer.Option(
            autocompletion=one_of(lambda: OF_A_RUN), help=f"Only of this one: {', '.join(OF_A_RUN)}. [default: all]"
        ),
    ] = None,
    days: Days = 30,
    environment: Environment = "dev",
) -> None:
    """Show what all services logged of one run, in the order of time."""
    if service is not None and service not in OF_A_RUN:
        raise UsageError(f"There is no service {service!r} that works on a run: choose among {', '.join(OF_A_RUN)}.")
    cloud = find_cloud(environment)
    cloud.tables()
    run_id = whole_run_id(cloud, run, days=days)
    for line in of_run(cloud, run_id, days=days):
        if service in {None, line.service}:
            out.print(_printed(line), soft_wrap=True)


def _printed(line: Line) -> Text:
    told = {
        name: value
        for name, value in line.fields.items()
        if name not in _OF_EVERY_LINE and name not in _OF_AN_EXCEPTION
    }
    if "exception" in line.fields:
        told["exception"] = "".join(str(line.fields["exception"]).splitlines()[-1:])
    text = Text()
    text.append(f"{line.at:%H:%M:%S}.{line.at.microsecond // 1000:03d}  ", "dim")
    text.append(f"{line.service:<17} ", "cyan")
    text.append(f"{line.level:<7} ", _STYLES.get(line.level, ""))
    text.append(in_one_line(line.message), "bold" if line.level in {"ERROR", "WARNING"} else "")
    for name, value in told.items():
        text.append(f"  {name}=", "dim")
        text.append(in_one_line(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)))
    return text


def _lines(
    client: "CloudWatchLogsClient", environment: str, service: str, phrase: str, since: datetime
) -> Iterable[Line]:
    pages = client.get_paginator("filter_log_events").paginate(
        logGroupName=_group(environment, service),
        filterPattern=f'"{phrase}"',
        startTime=int(since.timestamp() * 1000),
    )
    try:
        return [
            line
            for page in pages
            for event in page["events"]
            if (line := read_line(service, event["message"])) is not None
        ]
    except client.exceptions.ResourceNotFoundException:
        return []


def read_line(service: str, text: str) -> Line | None:
    """The line that a text of the log is; None if none of ours wrote it."""
    try:
        told = json.loads(text)
        at = datetime.strptime(told["timestamp"], "%Y-%m-%d %H:%M:%S,%f%z")
        return Line(at, service, str(told["level"]), str(told["message"]), told)
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def _group(environment: str, service: str) -> str:
    return f"/aws/lambda/{stack_name(environment, service)}"
