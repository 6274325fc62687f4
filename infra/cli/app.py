"""The console's commands, each imported when it is called: what all of them import takes three times as long."""

from collections.abc import Mapping
from importlib import import_module
from typing import Annotated, Any, Final, NamedTuple

import typer
from typer.core import TyperCommand, TyperGroup

from infra.cli.environment import Environment
from infra.cli.screen import out


class Imported(NamedTuple):
    """A command that is not imported yet.

    Attributes:
        module: The module that has it.
        name: What it is called there: a function, or a `typer.Typer` of one command or more.
        help: What it says of itself, word for word, for the list of commands.
        hidden: Whether the list leaves it out.
    """

    module: str
    name: str
    help: str
    hidden: bool = False

    def load(self) -> Any:
        """Imports the command."""
        found = getattr(import_module(self.module), self.name)
        if isinstance(found, typer.Typer):
            return typer.main.get_command(found)
        alone = typer.Typer(add_completion=False)
        alone.command()(found)
        return typer.main.get_command(alone)


COMMANDS: Final[Mapping[str, Imported]] = {
    "up": Imported(
        "infra.cli.up_and_down",
        "up",
        "Start the local cloud: an AWS emulator and simulators of Spotify and ListenBrainz on loopback ports.",
    ),
    "down": Imported("infra.cli.up_and_down", "down", "Stop the local cloud. Its data are in memory and are lost."),
    "run": Imported(
        "infra.cli.run", "run", "Take snapshots now, as the schedule would, and wait until every table has them."
    ),
    "backfill": Imported(
        "infra.cli.run",
        "backfill",
        "Take the weekly snapshots that are missing. Only the simulator has a history.",
    ),
    "load": Imported(
        "infra.cli.load", "load", "Load playlists and charts from elsewhere, and wait until every table has them."
    ),
    "unload": Imported(
        "infra.cli.unload",
        "unload",
        "Take a snapshot back out: its rows, rejects and receipts go, and its document is kept below unloaded/.",
    ),
    "authorize": Imported(
        "infra.cli.authorize",
        "authorize",
        "Ask a Spotify user for consent to read the playlists that only they may read; renew it every five months.",
    ),
    "tiers": Imported(
        "infra.demos.tiers",
        "tiers",
        "Take snapshots in each of Spotify's tiers on the simulator, and show the results: the README's table.",
    ),
    "tables": Imported("infra.cli.tables", "tables", "Show the tables with their rows, counted by Athena."),
    "query": Imported(
        "infra.cli.query",
        "app",
        "Ask Athena. A named query takes its parameters as `--name value`; SQL of your own reads, unless --write.",
    ),
    "watch": Imported("infra.cli.watch", "app", "Edit the watch list, whose events lead a week's page and its alert."),
    "build": Imported(
        "infra.cli.deployment",
        "build",
        "Build bundles without deploying them, and measure them against their budgets.",
    ),
    "deploy": Imported(
        "infra.cli.deployment",
        "deploy",
        "Deploy services, each in a stack of its own; platform and catalog come first.",
    ),
    "remove": Imported(
        "infra.cli.deployment",
        "remove",
        "Remove the stack of one service. The lake keeps what the service wrote.",
    ),
    "services": Imported(
        "infra.cli.deployment",
        "services",
        "Show what is deployed: the version of each service, its status and when it was deployed last.",
    ),
    "changed": Imported(
        "infra.cli.deployment",
        "changed",
        "Name the components that are to be deployed since a commit, one a line.",
    ),
    "report": Imported(
        "infra.cli.report",
        "report",
        "Write a week's report as pages that need neither network nor SQL, below report/, and as one file to send.",
    ),
    "replay": Imported(
        "infra.cli.replay",
        "replay",
        "Announce raw snapshots again, so that tables are written anew: after a fix, or for a new table.",
    ),
    "audit": Imported(
        "infra.cli.audit",
        "audit",
        "Compare raw snapshots with receipts, tables, quarantine and catalog; exit with 1 if there is a gap.",
    ),
    "compact": Imported(
        "infra.cli.compact",
        "compact",
        "Copy a month of a table into one file, which Athena reads faster, as the table TABLE_compacted.",
    ),
    "crawl": Imported(
        "infra.cli.crawl",
        "crawl",
        "Crawl the lake for tables and columns that no contract declares; exit with 1 if there are any.",
    ),
    "runs": Imported(
        "infra.cli.runs",
        "runs",
        "Show the latest runs: outcome, rows, rejected rows, and the time from the raw snapshot to the last table.",
    ),
    "status": Imported(
        "infra.cli.runs",
        "status",
        "Show how far a run has come: each snapshot in each table, with its receipt's numbers.",
    ),
    "logs": Imported("infra.cli.logs", "logs", "Show what all services logged of one run, in the order of time."),
    "failures": Imported(
        "infra.cli.failures",
        "failures",
        "Show which functions failed or were slow, what was given up and which playlist has no snapshot; and why.",
    ),
    "trace": Imported(
        "infra.cli.trace",
        "trace",
        "Draw a run in the order of time, from the collector, or from the snapshots of a load, to every table.",
    ),
    "explain": Imported(
        "infra.cli.explain",
        "explain",
        "Show where rows come from: run, raw object and version, entry, code version and receipt.",
    ),
    "dlq": Imported("infra.cli.dlq", "app", "Show failed messages, and send them back."),
    "demo": Imported(
        "infra.demos.pipeline",
        "demo",
        "Run the whole pipeline on the local cloud; what `make run` does.",
        hidden=True,
    ),
    "demo-recovery": Imported(
        "infra.demos.recovery",
        "demo_recovery",
        "Damage documents and code and recover, on a separate local cloud; what `make demo-recovery` does.",
        hidden=True,
    ),
}
"""Every command by its name, in the order of the list."""


class Commands(TyperGroup):
    """Lists the commands by what stands above, and imports the one that is called or completed."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        for name, command in COMMANDS.items():
            self.add_command(TyperCommand(name, help=command.help, hidden=command.hidden))

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """Returns the name of the command that was called, the command itself and its arguments."""
        name, _, rest = super().resolve_command(ctx, args)
        return name, COMMANDS[name].load() if name else None, rest


def _print_version(*, is_asked_for: bool) -> None:
    if is_asked_for:
        from importlib.metadata import version  # noqa: PLC0415 - nothing else needs it

        out.print(f"earworm {version('earworm')}")
        raise typer.Exit


app = typer.Typer(name="earworm", cls=Commands, no_args_is_help=True, pretty_exceptions_enable=False)


@app.callback()
def options(
    environment: Environment = "dev",
    *,
    _: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """What is trending on Spotify, week by week. Acts on AWS if the environment names it, else on the local cloud."""
