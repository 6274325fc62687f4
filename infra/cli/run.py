"""Takes snapshots now, of a day or of all weeks that are missing."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Literal

import typer

from infra.cli import collect
from infra.cli.cloud import Cloud, find_cloud
from infra.cli.days import read_day, today
from infra.cli.environment import Environment
from infra.cli.screen import UsageError, grid, out, progress
from shared.lake import SnapshotKey


def run(
    day: Annotated[
        date | None,
        typer.Option("--date", parser=read_day, metavar="DAY", help="Day of the snapshots. [default: today]"),
    ] = None,
    playlist: Annotated[
        list[str] | None,
        typer.Option("--playlist", metavar="PLAYLIST", help="Playlist to take; repeatable. [default: those deployed]"),
    ] = None,
    source: Annotated[
        Literal["spotify", "listenbrainz"],
        typer.Option(help="Whose: playlists of Spotify, or the chart of open listening of ListenBrainz."),
    ] = "spotify",
    environment: Environment = "dev",
) -> None:
    """Take snapshots now, as the schedule would, and wait until every table has them."""
    if source == "listenbrainz" and playlist:
        raise UsageError("ListenBrainz has no playlists: leave out --playlist, or take --source spotify.")
    cloud, on = find_cloud(environment, writes=True), day or today()
    if source == "listenbrainz":
        run_listenbrainz(cloud, on)
    else:
        run_spotify(cloud, on, playlist or ())


def backfill(
    weeks: Annotated[int, typer.Option(min=1, max=520, help="How many weeks back, each on its Monday.")],
    environment: Environment = "dev",
    *,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until every table has them.")] = True,
) -> None:
    """Take the weekly snapshots that are missing. Only the simulator has a history."""
    take_missing(find_cloud(environment, writes=True), weeks, wait=wait)


def run_spotify(cloud: Cloud, day: date, playlists: Sequence[str]) -> None:
    """Takes snapshots of playlists, by default of those that are deployed; prints what came of each."""
    with progress() as bar:
        task = bar.add_task("snapshots", total=1, note="")
        done = collect.extract(cloud, day, playlists)
        bar.advance(task)
        collect.await_tables(cloud, collect.stored(done), bar)
    rows = [
        (playlist.playlist_id, playlist.outcome, playlist.entries, playlist.sentence) for playlist in done.playlists
    ]
    out.print(grid(f"Run {done.run_id}", ("playlist", "outcome", "entries", ""), rows, numbers=[2]))


def run_listenbrainz(cloud: Cloud, day: date) -> None:
    """Takes the charts of ListenBrainz of the week before a day; prints what came of each."""
    with progress() as bar:
        task = bar.add_task("charts", total=1, note="")
        done = collect.collect_listenbrainz(cloud, day)
        bar.advance(task)
        collect.await_tables(cloud, collect.stored(done), bar)
    rows = [(chart.chart_id, done.snapshot_date, chart.outcome, chart.entries, chart.sentence) for chart in done.charts]
    out.print(grid(f"Run {done.run_id}", ("chart", "week until", "outcome", "entries", ""), rows, numbers=[3]))


def take_missing(cloud: Cloud, weeks: int, *, wait: bool) -> None:
    """Takes the snapshots that are missing of some weeks, each on its Monday."""
    days = collect.mondays(weeks, today())
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
