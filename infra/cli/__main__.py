"""`earworm`, the operator's console."""

import os
import sys
import time
from collections.abc import Sequence
from datetime import UTC, date, datetime
from importlib.metadata import version
from typing import Annotated, Literal

import typer
from botocore.exceptions import BotoCoreError, ClientError
from rich.markup import escape

from analytics.athena import AthenaError
from analytics.sql import queries
from contracts.tables import OPERATIONS, TABLES
from infra.cli import audit as audits
from infra.cli import collect, deployment, dlq
from infra.cli import compact as compaction
from infra.cli import crawl as crawling
from infra.cli import explain as lineage
from infra.cli import load as loading
from infra.cli import logs as logs_
from infra.cli import query as questions
from infra.cli import replay as replays
from infra.cli import report as reports
from infra.cli import runs as runs_
from infra.cli import trace as traces
from infra.cli import unload as unloading
from infra.cli.cloud import STATE, Cloud, Environment, find_cloud, local, local_cloud
from infra.cli.completion import one_of
from infra.cli.days import read_day
from infra.cli.query import Form
from infra.cli.screen import ConsoleError, UsageError, complain, err, grid, out, progress
from infra.demos import charts, recovery
from infra.demos import tiers as tiers_
from infra.deploying.build import BuildError
from infra.deploying.changes import ChangesError
from infra.deploying.deploy import DeployError
from infra.deploying.stacks import COMPONENTS, ROOT
from infra.local.cloud import LocalCloudError
from shared.errors import PermanentError
from shared.lake import SnapshotKey

app = typer.Typer(
    name="earworm",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


REPORT = ROOT / "report/index.html"
_WEEKS_OF_THE_DEMONSTRATION = 26

Playlists = Annotated[
    list[str] | None,
    typer.Option("--playlist", metavar="PLAYLIST", help="Playlist to take; repeatable. [default: those deployed]"),
]


def _print_version(*, is_asked_for: bool) -> None:
    if is_asked_for:
        out.print(f"earworm {version('earworm')}")
        raise typer.Exit


@app.callback()
def options(
    environment: Environment = "dev",
    *,
    _: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """What is trending on Spotify, week by week. Acts on AWS if the environment names it, else on the local cloud."""


@app.command()
def up() -> None:
    """Start the local cloud: an AWS emulator and simulators of Spotify and ListenBrainz on loopback ports."""
    _tell_of_the_local_cloud()
    endpoints = local().start()
    out.print(f"[green]up[/]  AWS emulator            {endpoints.aws}")
    if endpoints.spotify:
        out.print(f"[green]up[/]  Spotify simulator       {endpoints.spotify}")
    else:
        out.print("[green]up[/]  the real Spotify, with the credentials of your environment")
    if endpoints.listenbrainz:
        out.print(f"[green]up[/]  ListenBrainz simulator  {endpoints.listenbrainz}")
    else:
        out.print("[green]up[/]  the real ListenBrainz, with the contact of your environment")
    out.print(f"[dim]For other tools: set -a; . {os.path.relpath(STATE / 'env')}; set +a[/]")


@app.command()
def down() -> None:
    """Stop the local cloud. Its data are in memory and are lost."""
    _tell_of_the_local_cloud()
    out.print("[green]stopped[/]" if local().stop() else "The local cloud was not running.")


@app.command()
def run(
    day: Annotated[
        date | None,
        typer.Option("--date", parser=read_day, metavar="DAY", help="Day of the snapshots. [default: today]"),
    ] = None,
    playlist: Playlists = None,
    source: Annotated[
        Literal["spotify", "listenbrainz"],
        typer.Option(help="Whose: playlists of Spotify, or the chart of open listening of ListenBrainz."),
    ] = "spotify",
    environment: Environment = "dev",
) -> None:
    """Take snapshots now, as the schedule would, and wait until every table has them."""
    if source == "listenbrainz" and playlist:
        raise UsageError("ListenBrainz has no playlists: leave out --playlist, or take --source spotify.")
    cloud, on = find_cloud(environment, writes=True), day or questions.today()
    if source == "listenbrainz":
        _run_listenbrainz(cloud, on)
    else:
        _run(cloud, on, playlist or ())


@app.command()
def backfill(
    weeks: Annotated[int, typer.Option(min=1, max=520, help="How many weeks back, each on its Monday.")],
    environment: Environment = "dev",
    *,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until every table has them.")] = True,
) -> None:
    """Take the weekly snapshots that are missing. Only the simulator has a history."""
    _backfill(find_cloud(environment, writes=True), weeks, wait=wait)


app.command()(loading.load)
app.command()(unloading.unload)


@app.command()
def authorize(
    environment: Environment = "dev",
    *,
    browser: Annotated[bool, typer.Option("--browser", help="Also open the page in a browser.")] = False,
) -> None:
    """Ask a Spotify user for consent to read the playlists that only they may read; renew it every five months."""
    # Imported here, as it would slow down completion in the shell.
    from infra.cli import authorize as consent  # noqa: PLC0415

    cloud = find_cloud(environment, writes=True)
    consented_at = consent.authorize(
        cloud.client("secretsmanager"), cloud.environment, cloud.variables, open_browser=browser
    )
    out.print(f"The consent of {consented_at:%d %B %Y} is stored. It ends after six months: renew it after five.")


@app.command()
def tiers(environment: Environment = "dev") -> None:
    """Take snapshots in each of Spotify's tiers on the simulator, and show the results: the README's table."""
    table = tiers_.markdown(tiers_.in_each_tier(local_cloud(environment)))
    out.print(table, soft_wrap=True, markup=False)


@app.command()
def tables(environment: Environment = "dev") -> None:
    """Show the tables with their rows, counted by Athena."""
    _print_tables(find_cloud(environment))


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def query(
    context: typer.Context,
    question: Annotated[
        str | None,
        typer.Argument(
            autocompletion=one_of(queries),
            help="Name of a query in analytics/queries, or SQL. [default: show the names]",
        ),
    ] = None,
    environment: Environment = "dev",
    *,
    csv: Annotated[bool, typer.Option("--csv", help="Write CSV.")] = False,
    spreadsheet: Annotated[
        bool, typer.Option("--spreadsheet", help="Write CSV for a spreadsheet: with a byte order mark and no formula.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Write JSON, a list of rows.")] = False,
    parquet: Annotated[bool, typer.Option("--parquet", help="Write Parquet; redirect it to a file.")] = False,
    write: Annotated[bool, typer.Option("--write", help="Let SQL do more than read, such as CREATE or DROP.")] = False,
) -> None:
    """Ask Athena. A named query takes its parameters as `--name value`; SQL of your own reads, unless --write."""
    forms = (
        (Form.SPREADSHEET, spreadsheet),
        (Form.CSV, csv and not spreadsheet),
        (Form.JSON, json),
        (Form.PARQUET, parquet),
    )
    chosen = [form for form, is_wanted in forms if is_wanted]
    if len(chosen) > 1:
        raise UsageError("An answer has one format: choose one of --csv, --spreadsheet, --json and --parquet.")
    if question is None:
        questions.show_queries()
    else:
        cloud = find_cloud(environment, writes=write)
        answered = questions.ask(cloud, question, context.args, questions.today(), write=write)
        questions.write(*answered, *(chosen or [Form.TABLE]))


app.command()(deployment.build)
app.command()(deployment.deploy)
app.command()(deployment.remove)
app.command()(deployment.services)
app.command()(deployment.changed)


@app.command()
def report(
    week: Annotated[
        date | None, typer.Option(parser=read_day, metavar="DAY", help="A day of the week to report. [default: today]")
    ] = None,
    environment: Environment = "dev",
) -> None:
    """Write a week's report as one page, report/index.html, that needs neither network nor SQL."""
    reports.write(find_cloud(environment), week or questions.today(), REPORT)
    out.print(f"The report is {os.path.relpath(REPORT)}.")


app.command()(replays.replay)
app.command()(audits.audit)
app.command()(compaction.compact)
app.command()(crawling.crawl)
app.add_typer(dlq.app, name="dlq")
app.command()(runs_.runs)
app.command()(runs_.status)
app.command()(runs_.watch)
app.command()(logs_.logs)
app.command()(traces.trace)
app.command()(lineage.explain)


@app.command(hidden=True)
def demo() -> None:
    """Run the whole pipeline on the local cloud; what `make run` does."""
    began = time.monotonic()
    up()
    cloud = local_cloud("dev")
    deployment.deploy_components(cloud, COMPONENTS)
    today = questions.today()
    is_simulated = "SPOTIFY_SIMULATOR_URL" in cloud.variables
    if is_simulated:
        _backfill(cloud, _WEEKS_OF_THE_DEMONSTRATION, wait=True)
        charts.load_made_up_charts(today)
    else:
        _run(cloud, today, ())
    out.print("And the open listening of the last week, from ListenBrainz:")
    _run_listenbrainz(cloud, today)
    if "LISTENBRAINZ_SIMULATOR_URL" in cloud.variables:
        out.print("[dim]It is made up, as are ranks and popularity of the playlists: both come from simulators.[/]")
    _print_tables(cloud)
    questions.write(*questions.ask(cloud, "top_artists", (), today), Form.TABLE)
    if is_simulated:
        charts.show_newest_chart(cloud, today)
    out.print(f"\n[bold]Done in {time.monotonic() - began:.0f} seconds.[/] What to try next:")
    for what, command in (
        ("ask Athena anything", "query 'SELECT track_name FROM songs LIMIT 5'"),
        ("take one more week", "run --date 2026-01-05"),
        ("load charts that you downloaded", "load ~/Downloads/regional-*-weekly-*.csv"),
        ("load a playlist document of yours", "load FILE --date 2024-05-02"),
        ("stop the local cloud", "down"),
    ):
        out.print(f"  {what:<34} [cyan].venv/bin/earworm {command}[/]", soft_wrap=True)


@app.command(hidden=True)
def demo_recovery(weeks: Annotated[int, typer.Option(min=1, max=50)] = _WEEKS_OF_THE_DEMONSTRATION) -> None:
    """Damage documents and code and recover, on a separate local cloud; what `make demo-recovery` does."""
    recovery.demonstrate(lambda arguments: app(list(arguments), standalone_mode=False), weeks)


def _tell_of_the_local_cloud() -> None:
    err.print(f"[dim]the local cloud of {escape(os.path.relpath(STATE))}[/]", soft_wrap=True)


def _run(cloud: Cloud, day: date, playlists: Sequence[str]) -> None:
    with progress() as bar:
        task = bar.add_task("snapshots", total=1, note="")
        done = collect.extract(cloud, day, playlists)
        bar.advance(task)
        collect.await_tables(cloud, collect.stored(done), bar)
    rows = [
        (playlist.playlist_id, playlist.outcome, playlist.entries, playlist.sentence) for playlist in done.playlists
    ]
    out.print(grid(f"Run {done.run_id}", ("playlist", "outcome", "entries", ""), rows, numbers=[2]))


def _run_listenbrainz(cloud: Cloud, day: date) -> None:
    with progress() as bar:
        task = bar.add_task("charts", total=1, note="")
        done = collect.collect_listenbrainz(cloud, day)
        bar.advance(task)
        collect.await_tables(cloud, collect.stored(done), bar)
    rows = [(chart.chart_id, done.snapshot_date, chart.outcome, chart.entries, chart.sentence) for chart in done.charts]
    out.print(grid(f"Run {done.run_id}", ("chart", "week until", "outcome", "entries", ""), rows, numbers=[3]))


def _backfill(cloud: Cloud, weeks: int, *, wait: bool) -> None:
    days = collect.mondays(weeks, datetime.now(UTC).date())
    playlists = collect.configured_playlists(cloud)
    snapshots = []
    with progress() as bar:
        task = bar.add_task("weeks extracted", total=len(days), note="")
        for day in days:
            missing = collect.missing_playlists(cloud, day, playlists)
            bar.update(task, note=f"{day}" if missing else f"{day} exists")
            if missing:
                snapshots += collect.stored(collect.extract(cloud, day, missing))
            else:
                snapshots += [SnapshotKey(day, playlist) for playlist in playlists]
            bar.advance(task)
        if wait:
            collect.await_tables(cloud, snapshots, bar)


def _print_tables(cloud: Cloud) -> None:
    tables = (*(TABLES[name] for name in cloud.tables()), *OPERATIONS.values())
    names = [table.name for table in tables]
    counted = "\nUNION ALL\n".join(
        f"SELECT '{table.name}' AS table_name, count(*) AS rows, count(DISTINCT concat({', '.join(table.snapshot)})) "  # noqa: S608  # the names are the contracts' own
        f"AS snapshots, min({table.snapshot[0]}) AS first_day, max({table.snapshot[0]}) AS last_day FROM {table.name}"
        for table in tables
    )
    answer = cloud.athena.ask(counted)
    counts = {row[0]: row[1:] for row in answer.rows}
    rows = [(name, *counts[name]) for name in names]
    columns = ("table", "rows", "snapshots", "first day", "last day")
    out.print(grid(f"Tables of {cloud.platform.database}", columns, rows, numbers=[1, 2]))


def main() -> None:
    """Runs the console. Its exit code is 0 when it is done, 1 when it failed or found something, 2 for wrong usage."""
    try:
        try:
            app()
        finally:
            sys.stdout.flush()
    except ConsoleError as fault:
        complain(str(fault))
        sys.exit(fault.exit_code)
    except (AthenaError, BuildError, ChangesError, DeployError, LocalCloudError, PermanentError) as fault:
        complain(str(fault))
    except (BotoCoreError, ClientError) as fault:
        complain(f"the cloud refused the request: {fault}")
    except BrokenPipeError:
        _discard_output()  # the reader has closed the pipe
    except OSError as fault:
        _discard_output()
        where = f"{fault.filename}: " if fault.filename else ""
        complain(f"the system refused: {where}{fault.strerror or fault}. Fix that, and run the command again.")
    sys.exit(1)


def _discard_output() -> None:
    """Drops unwritten output, so that Python does not complain about it at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    main()
