"""What the alarms `failures` and `slow-invocations` tell of, by service: they count over all functions."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Final

import typer

from contracts.operations.log_events import LogEvent
from infra.cli.cloud import find_cloud
from infra.cli.environment import Environment
from infra.cli.logs import Line, read_line
from infra.cli.screen import grid, in_one_line, out
from infra.deploying.stacks import SERVICES, stack_name
from shared.queue import SECONDS_UNTIL_SHOWN_AGAIN

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_logs import CloudWatchLogsClient

FAILED: Final = ("[ERROR]", "Task timed out", "Runtime exited", "Status: error", "Status: timeout")
"""What Lambda writes about an invocation that failed."""
SLOW: Final = 0.8
"""The share of its time-out from which on an invocation is slow."""
_REPORT: Final = re.compile(r"^REPORT RequestId: \S+\s+Duration: ([\d.]+) ms")


@dataclass(frozen=True, slots=True)
class Failure:
    """Something that an alarm told of."""

    at: datetime
    service: str
    what: str


def failures(
    hours: Annotated[int, typer.Option(min=1, max=24 * 30, help="How many hours back to look.")] = 24,
    environment: Environment = "dev",
) -> None:
    """Show which functions failed or were slow, what was given up and which playlist has no snapshot; and why."""
    cloud = find_cloud(environment)
    since = datetime.now(UTC) - timedelta(hours=hours)
    logs, functions = cloud.client("logs"), cloud.client("lambda")
    with ThreadPoolExecutor(max_workers=len(SERVICES)) as pool:
        each = pool.map(lambda service: list(_failures(logs, functions, environment, service, since)), SERVICES)
        found = sorted((failure for listed in each for failure in listed), key=lambda failure: failure.at)
    if found:
        rows = [(f"{each.at:%Y-%m-%d %H:%M:%S}", each.service, in_one_line(each.what)) for each in found]
        out.print(grid("Failures", ("time (UTC)", "service", "what"), rows))
    out.print(f"{len(found):,} in the last {hours:,} hours.")


def _failures(
    logs: "CloudWatchLogsClient", functions: "LambdaClient", environment: str, service: str, since: datetime
) -> Iterator[Failure]:
    name = stack_name(environment, service)
    try:
        seconds = functions.get_function_configuration(FunctionName=name)["Timeout"]
        pages = logs.get_paginator("filter_log_events").paginate(
            logGroupName=f"/aws/lambda/{name}", startTime=int(since.timestamp() * 1000)
        )
        for page in pages:
            for event in page["events"]:
                what = failure(service, event["message"], time_out=seconds)
                if what:
                    yield Failure(datetime.fromtimestamp(event["timestamp"] / 1000, UTC), service, what)
    except (functions.exceptions.ResourceNotFoundException, logs.exceptions.ResourceNotFoundException):
        return


def failure(service: str, text: str, *, time_out: int) -> str | None:
    """Returns what went wrong by a text of a log; None if nothing.

    Args:
        service: Whose log it is.
        text: The text.
        time_out: The function's, in seconds.
    """
    line = read_line(service, text)
    if line:
        return _given_up(line)
    report = _REPORT.match(text)
    if report and float(report[1]) > SLOW * time_out * 1000:
        return f"took {float(report[1]) / 1000:.0f} of the {time_out} seconds that it may"
    return text.splitlines()[0] if any(phrase in text for phrase in FAILED) else None


def _given_up(line: Line) -> str | None:
    fields = line.fields
    match line.event:
        case LogEvent.MESSAGE_DEAD_LETTERED:
            return f"gave up {line.raw_key or 'a message'}: {fields.get('sentence')}"
        case LogEvent.MESSAGE_RETURNED if fields.get("receive_count", 0) > len(SECONDS_UNTIL_SHOWN_AGAIN):
            return f"gave up {line.raw_key or 'a message'}: {''.join(str(fields.get('exception')).splitlines()[-1:])}"
        case LogEvent.PLAYLIST_INCOMPLETE if line.level == "ERROR":
            return f"no snapshot of {fields.get('playlist_id')}: {fields.get('sentence')}"
    return None
