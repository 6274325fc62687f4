"""The dead-letter queues: how deep they are, what lies in them, and how it gets out again."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer
from pydantic import TypeAdapter
from pydantic.dataclasses import dataclass

from infra.cli.cloud import Environment, confirm, find_cloud
from infra.cli.completion import one_of
from infra.cli.days import read_day
from infra.cli.functions import AnswerT, invoke
from infra.cli.screen import ConsoleError, UsageError, err, grid, out, progress
from infra.deploying.stacks import SERVICES

if TYPE_CHECKING:
    from infra.cli.cloud import Cloud


@dataclass(frozen=True)
class Depth:
    """What is in a service's dead-letter queue.

    Attributes:
        visible: About how many messages can be received.
        hidden: About how many somebody is at work on.
        classes: How many there are of each error class.
    """

    service: str
    visible: int
    hidden: int
    classes: Mapping[str, int]


@dataclass(frozen=True)
class RawObject:
    """What is at a raw key now; `exists` is None if the key is none of a raw snapshot."""

    key: str
    exists: bool | None
    size: int | None
    last_modified: datetime | None
    begins: str | None


@dataclass(frozen=True)
class Message:
    """A dead letter with its diagnosis and what it announces."""

    message_id: str
    error_class: str
    sent_at: datetime
    receive_count: int
    attributes: Mapping[str, str]
    begins: str
    raw_objects: Sequence[RawObject]


@dataclass(frozen=True)
class Messages:
    """The dead letters of a service; there may be more than these."""

    service: str
    messages: Sequence[Message]
    more: bool = False


@dataclass(frozen=True)
class Tally:
    """What became of the dead letters of a service.

    Attributes:
        done: How many were sent back or dropped, or would be in a dry run.
        skipped: How many a filter left out.
        newer: How many came after the beginning.
        failed: How many stay for each fault.
    """

    service: str
    done: int
    skipped: int
    newer: int
    failed: Mapping[str, int]


@dataclass(frozen=True)
class _Depths:
    services: Sequence[Depth]


@dataclass(frozen=True)
class _Shown:
    services: tuple[Messages]
    more: bool


@dataclass(frozen=True)
class _Settled:
    services: Sequence[Tally]
    more: bool
    before: str


_DEPTHS = TypeAdapter(_Depths)
_SHOWN = TypeAdapter(_Shown)
_SETTLED = TypeAdapter(_Settled)


def depth(cloud: "Cloud") -> Sequence[Depth]:
    """How deep each dead-letter queue is."""
    return _ask(cloud, {"action": "list"}, _DEPTHS).services


def show(cloud: "Cloud", service: str, *, error_class: str | None = None, day: date | None = None) -> Messages:
    """The dead letters of a service, as many as one answer holds."""
    answer = _ask(cloud, {"action": "show", "service": service, **_filters(error_class, day)}, _SHOWN)
    return replace(answer.services[0], more=answer.more)


def redrive(
    cloud: "Cloud",
    service: str | None,
    *,
    error_class: str | None = None,
    day: date | None = None,
    dry_run: bool = False,
    rate: float | None = None,
) -> list[Tally]:
    """Sends dead letters back to the queue of their service; None is every service.

    Raises:
        ConsoleError: The function is not deployed, refuses or gets no further, or its answer cannot be read.
    """
    event = {"action": "redrive", "service": service, "dry_run": dry_run, "rate": rate}
    return _until_through(cloud, event | _filters(error_class, day))


def drop(
    cloud: "Cloud",
    service: str,
    *,
    reason: str,
    error_class: str | None = None,
    day: date | None = None,
    dry_run: bool = False,
) -> list[Tally]:
    """Takes dead letters out of the queue of a service, and keeps them with the reason in the archive.

    Raises:
        ConsoleError: The function is not deployed, refuses or gets no further, or its answer cannot be read.
    """
    event = {"action": "drop", "service": service, "reason": reason, "dry_run": dry_run}
    return _until_through(cloud, event | _filters(error_class, day))


def _filters(error_class: str | None, day: date | None) -> dict[str, Any]:
    return {"error_class": error_class, "date": day.isoformat() if day else None}


def _until_through(cloud: "Cloud", event: Mapping[str, Any]) -> list[Tally]:
    """Invokes the function until it is through. A dry run changes nothing, so a second one would count the same."""
    total: list[Tally] = []
    before: str | None = None
    with progress() as bar:
        task = bar.add_task("dead letters", total=None, note="")
        while True:
            answer = _ask(cloud, {**event, "before": before}, _SETTLED)
            before = answer.before
            total = _added(total, answer.services)
            bar.update(task, completed=sum(tally.done for tally in total))
            if not answer.more:
                bar.update(task, total=sum(tally.done for tally in total))
                return total
            if event["dry_run"] or not any(tally.done for tally in answer.services):
                raise ConsoleError(
                    f"The function's time ended before the queues did, after {sum(tally.done for tally in total)} "
                    "messages: name one service, or give the function a longer Timeout."
                )


def _added(total: Sequence[Tally], tallies: Sequence[Tally]) -> list[Tally]:
    """Adds up what is done; what was left alone is looked at again each time, and counts as the last time it was."""
    so_far = {tally.service: tally.done for tally in total}
    return [
        Tally(each.service, each.done + so_far.get(each.service, 0), each.skipped, each.newer, each.failed)
        for each in tallies
    ]


def _ask(cloud: "Cloud", event: Mapping[str, Any], answer: TypeAdapter[AnswerT]) -> AnswerT:
    return invoke(cloud, "redrive", event, answer)


app = typer.Typer(help="See what did not get through, and send it back.", invoke_without_command=True)

_COMPLETE = one_of(lambda: (service for service in SERVICES if service != "redrive"))
Service = Annotated[str, typer.Argument(autocompletion=_COMPLETE, help="Service whose dead-letter queue it is.")]
ErrorClass = Annotated[str | None, typer.Option("--class", help="Only messages of this error class.")]
Day = Annotated[
    date | None,
    typer.Option("--date", parser=read_day, metavar="DAY", help="Only messages of a snapshot of this day."),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Count what would be done, and do nothing.")]


@app.callback()
def depth_command(context: typer.Context, environment: Environment = "dev") -> None:
    """See what did not get through, and send it back. Without a command: how deep each dead-letter queue is."""
    if context.invoked_subcommand is None:
        cloud = find_cloud(environment)
        cloud.tables()
        with err.status("looking through the dead-letter queues"):
            depths = depth(cloud)
        _print_depths(depths)


@app.command("show")
def show_command(
    service: Service, error_class: ErrorClass = None, day: Day = None, environment: Environment = "dev"
) -> None:
    """Show each message with its diagnosis and a look at its raw object."""
    with err.status("looking through the dead-letter queue"):
        found = show(find_cloud(environment), service, error_class=error_class, day=day)
    _print_messages(found)


@app.command("redrive")
def redrive_command(
    service: Annotated[
        str | None, typer.Argument(autocompletion=_COMPLETE, help="Service whose dead-letter queue it is.")
    ] = None,
    error_class: ErrorClass = None,
    day: Day = None,
    rate: Annotated[float | None, typer.Option(help="Messages a second at most.")] = None,
    environment: Environment = "dev",
    *,
    every: Annotated[bool, typer.Option("--all", help="Every service.")] = False,
    dry_run: DryRun = False,
) -> None:
    """Send messages back to their queue, or start their run again, after their cause was mended."""
    if every == (service is not None):
        raise UsageError("Name a service, or say --all: one of the two.")
    tallies = redrive(
        find_cloud(environment, writes=True), service, error_class=error_class, day=day, dry_run=dry_run, rate=rate
    )
    _print_tallies("would go back" if dry_run else "sent back", tallies)


@app.command("drop")
def drop_command(
    service: Service,
    reason: Annotated[str, typer.Option(help="Why; it is kept with each message.")],
    error_class: ErrorClass = None,
    day: Day = None,
    environment: Environment = "dev",
    *,
    dry_run: DryRun = False,
    yes: Annotated[bool, typer.Option("--yes", help="Drop them without a question, which is asked on AWS.")] = False,
) -> None:
    """Take messages out for good; they are kept in the bucket below dead-letters/."""
    cloud = find_cloud(environment, writes=True)
    if not (dry_run or cloud.is_local):
        confirm(f"Drop dead letters of {service} in {environment} at {cloud.address}?", yes=yes)
    tallies = drop(cloud, service, reason=reason, error_class=error_class, day=day, dry_run=dry_run)
    _print_tallies("would be dropped" if dry_run else "dropped", tallies)


def _print_depths(depths: Iterable[Depth]) -> None:
    rows: list[tuple[object, ...]] = []
    for each in depths:
        classes = list(each.classes.items())
        first = classes[0] if classes else (None, None)
        rows.append((each.service, each.visible, each.hidden, *first))
        rows += [("", "", "", *further) for further in classes[1:]]
    names = ("service", "messages", "in flight", "error class", "count")
    out.print(grid("Dead letters", names, rows, numbers=[1, 2, 4]))


def _print_messages(found: Messages) -> None:
    for message in found.messages:
        rows: list[tuple[object, object]] = [
            ("error class", message.error_class),
            ("sent", f"{message.sent_at:%Y-%m-%d %H:%M:%S} UTC"),
            ("received", f"{message.receive_count} times"),
            *((name, text) for name, text in message.attributes.items() if name != "error_class"),
        ]
        for raw in message.raw_objects:
            rows += [("raw object", raw.key), ("", _state(raw))]
            rows += [("", raw.begins)] if raw.begins else []
        if not message.raw_objects:
            rows.append(("body", message.begins))
        out.print(grid(message.message_id, ("", ""), rows))
    if not found.messages:
        out.print(f"No dead letters of {found.service}.")
    if found.more:
        err.print(f"[dim]There are more than these {len(found.messages)}: narrow them with --class or --date.[/]")


def _state(raw: RawObject) -> str:
    match raw.exists:
        case True:
            return f"{raw.size:,} bytes, last modified {raw.last_modified:%Y-%m-%d %H:%M:%S} UTC; it begins:"
        case False:
            return "does not exist"
        case None:
            return "is not the key of a raw snapshot"


def _print_tallies(done: str, tallies: Sequence[Tally]) -> None:
    rows = [(each.service, each.done, each.skipped, each.newer, sum(each.failed.values())) for each in tallies]
    names = ("service", done, "left by a filter", "arrived since", "failed")
    out.print(grid("Dead letters", names, rows, numbers=range(1, 5)))
    faults: Counter[str] = sum((Counter(each.failed) for each in tallies), Counter())
    if faults:
        told = "; ".join(f"{times} for {fault}" for fault, times in faults.most_common())
        raise ConsoleError(f"Messages stay where they are, {told}")
