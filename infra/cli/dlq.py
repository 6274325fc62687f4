"""Shows the dead-letter queues and their messages, sends these back, or drops them."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Annotated, Final

import typer

from contracts.operations.redrive import (
    SERVICES,
    Depths,
    Letters,
    QueueDepth,
    QueueTally,
    RawLook,
    RedriveRequest,
    Settled,
)
from infra.cli.cloud import confirm, find_cloud
from infra.cli.completion import one_of
from infra.cli.days import read_day
from infra.cli.environment import Environment
from infra.cli.functions import as_asked, invoke
from infra.cli.screen import ConsoleError, UsageError, err, grid, out, progress

if TYPE_CHECKING:
    from infra.cli.cloud import Cloud


def depth(cloud: "Cloud") -> Depths:
    """Returns the number of messages in each dead-letter queue."""
    return invoke(cloud, _REDRIVE, RedriveRequest(action="list"), Depths)


def show(cloud: "Cloud", service: str, *, error_class: str | None = None, day: date | None = None) -> Letters:
    """Returns the dead letters of a service, as many as fit into an answer.

    Raises:
        ConsoleError: The function is not deployed, refuses or fails at the queue, or its answer cannot be read.
    """
    with as_asked():
        request = RedriveRequest(action="show", service=service, error_class=error_class, date=day)
    found = invoke(cloud, _REDRIVE, request, Letters)
    _fail_for(_told(found.faults))
    return found


def redrive(
    cloud: "Cloud",
    service: str | None,
    *,
    error_class: str | None = None,
    day: date | None = None,
    dry_run: bool = False,
    rate: float | None = None,
) -> Settled:
    """Sends dead letters back to the queue of their service; None is every service.

    Raises:
        ConsoleError: The function is not deployed, refuses or makes no progress, or its answer cannot be read.
    """
    with as_asked():
        request = RedriveRequest(
            action="redrive", service=service, error_class=error_class, date=day, dry_run=dry_run, rate=rate
        )
    return _until_through(cloud, request)


def drop(
    cloud: "Cloud",
    service: str,
    *,
    reason: str,
    error_class: str | None = None,
    day: date | None = None,
    dry_run: bool = False,
) -> Settled:
    """Moves dead letters from the queue of a service into the archive, with the reason.

    Raises:
        ConsoleError: The function is not deployed, refuses or makes no progress, or its answer cannot be read.
    """
    with as_asked():
        request = RedriveRequest(
            action="drop", service=service, error_class=error_class, date=day, dry_run=dry_run, reason=reason
        )
    return _until_through(cloud, request)


def _until_through(cloud: "Cloud", request: RedriveRequest) -> Settled:
    """Invokes the function until all is done or a queue fails; a dry run once, as a second would count the same."""
    total: list[QueueTally] = []
    with progress() as bar:
        task = bar.add_task("dead letters", total=None, note="")
        while True:
            answer = invoke(cloud, _REDRIVE, request, Settled)
            request = request.model_copy(update={"before": answer.before})
            total = _added(total, answer.services)
            bar.update(task, completed=sum(tally.done for tally in total))
            if answer.faults or not answer.more:
                bar.update(task, total=sum(tally.done for tally in total))
                return answer.model_copy(update={"services": tuple(total)})
            if request.dry_run or not any(tally.done for tally in answer.services):
                raise ConsoleError(
                    f"The function timed out before the queues were empty, after {sum(tally.done for tally in total)} "
                    "messages: name one service, or give the function a longer Timeout."
                )


def _added(total: Sequence[QueueTally], tallies: Sequence[QueueTally]) -> list[QueueTally]:
    """Adds up finished messages; the others are looked at again each time, so the last count holds."""
    so_far = {tally.service: tally.done for tally in total}
    return [each.model_copy(update={"done": each.done + so_far.get(each.service, 0)}) for each in tallies]


_REDRIVE: Final = "redrive"

app = typer.Typer(help="Show failed messages, and send them back.", invoke_without_command=True)


def _known(service: str | None) -> str | None:
    if service is not None and service not in SERVICES:
        raise UsageError(f"There is no dead-letter queue of {service!r}: choose one of {', '.join(SERVICES)}.")
    return service


_SERVICE = typer.Argument(
    metavar="SERVICE",
    autocompletion=one_of(lambda: SERVICES),
    callback=_known,
    help="Service whose dead-letter queue it is.",
)
Service = Annotated[str, _SERVICE]
ErrorClass = Annotated[str | None, typer.Option("--class", help="Only messages of this error class.")]
Day = Annotated[
    date | None,
    typer.Option("--date", parser=read_day, metavar="DAY", help="Only messages of a snapshot of this day."),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Count what would be done, and do nothing.")]


@app.callback()
def depth_command(context: typer.Context, environment: Environment = "dev") -> None:
    """Show failed messages, and send them back. Without a command: the number in each dead-letter queue."""
    if context.invoked_subcommand is None:
        cloud = find_cloud(environment)
        cloud.tables()
        with err.status("looking through the dead-letter queues"):
            found = depth(cloud)
        _print_depths(found.services)
        _fail_for(_told(found.faults))


@app.command("show")
def show_command(
    service: Service, error_class: ErrorClass = None, day: Day = None, environment: Environment = "dev"
) -> None:
    """Show each message with its diagnosis and a look at its raw object."""
    cloud = find_cloud(environment)
    cloud.tables()
    with err.status("looking through the dead-letter queue"):
        found = show(cloud, service, error_class=error_class, day=day)
    _print_letters(service, found)


@app.command("redrive")
def redrive_command(
    service: Annotated[str | None, _SERVICE] = None,
    error_class: ErrorClass = None,
    day: Day = None,
    rate: Annotated[float | None, typer.Option(help="The most messages per second.")] = None,
    environment: Environment = "dev",
    *,
    every: Annotated[bool, typer.Option("--all", help="Every service.")] = False,
    dry_run: DryRun = False,
) -> None:
    """Send messages back to their queue, or start their run again, after their cause was fixed."""
    if every == (service is not None):
        raise UsageError("Name a service or give --all, not both.")
    cloud = find_cloud(environment, writes=True)
    cloud.tables()
    settled = redrive(cloud, service, error_class=error_class, day=day, dry_run=dry_run, rate=rate)
    _print_tallies("would go back" if dry_run else "sent back", settled)


@app.command("drop")
def drop_command(
    service: Service,
    reason: Annotated[str, typer.Option(help="The reason, which is kept with each message.")],
    error_class: ErrorClass = None,
    day: Day = None,
    environment: Environment = "dev",
    *,
    dry_run: DryRun = False,
    yes: Annotated[bool, typer.Option("--yes", help="Drop them without asking; on AWS it asks.")] = False,
) -> None:
    """Remove messages for good; they are archived in the bucket below dead-letters/."""
    cloud = find_cloud(environment, writes=True)
    cloud.tables()
    if not (dry_run or cloud.is_local):
        confirm(f"Drop dead letters of {service} in {environment} at {cloud.address}?", yes=yes)
    settled = drop(cloud, service, reason=reason, error_class=error_class, day=day, dry_run=dry_run)
    _print_tallies("would be dropped" if dry_run else "dropped", settled)


def _print_depths(depths: Iterable[QueueDepth]) -> None:
    rows: list[tuple[object, ...]] = []
    for each in depths:
        classes = list(each.classes.items())
        first = classes[0] if classes else (None, None)
        rows.append((each.service, each.visible, each.hidden, *first))
        rows += [("", "", "", *further) for further in classes[1:]]
    names = ("service", "messages", "in flight", "error class", "count")
    out.print(grid("Dead letters", names, rows, numbers=[1, 2, 4]))


def _print_letters(service: str, found: Letters) -> None:
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
        out.print(f"{service} has no dead letters.")
    if found.more:
        err.print(f"[dim]There are more than these {len(found.messages)}: narrow them with --class or --date.[/]")


def _state(raw: RawLook) -> str:
    match raw.exists:
        case True:
            return f"{raw.size:,} bytes, last modified {raw.last_modified:%Y-%m-%d %H:%M:%S} UTC; it begins:"
        case False:
            return "does not exist"
        case None:
            return "is not the key of a raw snapshot"


def _print_tallies(done: str, settled: Settled) -> None:
    rows = [(each.service, each.done, each.skipped, each.newer, sum(each.failed.values())) for each in settled.services]
    names = ("service", done, "filtered out", "arrived since", "failed")
    out.print(grid("Dead letters", names, rows, numbers=range(1, 5)))
    failed: Counter[str] = sum((Counter(each.failed) for each in settled.services), Counter())
    told = "; ".join(f"{times} for {fault}" for fault, times in failed.most_common())
    _fail_for([*([f"Messages stay where they are, {told}"] if told else []), *_told(settled.faults)])


def _told(faults: Mapping[str, str]) -> list[str]:
    return [
        f"The dead-letter queue of {service} was not looked through to its end: {fault}. Give the command again"
        for service, fault in faults.items()
    ]


def _fail_for(sentences: Sequence[str]) -> None:
    if sentences:
        raise ConsoleError(". ".join(sentences))
