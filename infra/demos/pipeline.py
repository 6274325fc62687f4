"""Runs the whole pipeline on the local cloud, and shows what came of it."""

import time
from typing import Final

from infra.cli import deployment, query
from infra.cli.cloud import local_cloud
from infra.cli.days import today
from infra.cli.query import Form
from infra.cli.run import run_listenbrainz, run_spotify, take_missing
from infra.cli.screen import out
from infra.cli.tables import print_tables
from infra.cli.up_and_down import up
from infra.demos import charts, watching
from infra.deploying.stacks import COMPONENTS

WEEKS: Final = 26


def demo() -> None:
    """Run the whole pipeline on the local cloud; what `make run` does."""
    began = time.monotonic()
    up()
    cloud = local_cloud("dev")
    deployment.deploy_components(cloud, COMPONENTS)
    day = today()
    is_simulated = "SPOTIFY_SIMULATOR_URL" in cloud.variables
    if is_simulated:
        take_missing(cloud, WEEKS, wait=True)
        charts.load_made_up_charts(day)
    else:
        run_spotify(cloud, day, ())
    out.print("And the open listening of the last week, from ListenBrainz:")
    run_listenbrainz(cloud, day)
    if "LISTENBRAINZ_SIMULATOR_URL" in cloud.variables:
        out.print("[dim]It is made up, as are ranks and popularity of the playlists: both come from simulators.[/]")
    print_tables(cloud)
    query.print_answer(*query.ask(cloud, "top_artists", (), day), Form.TABLE)
    if is_simulated:
        charts.show_newest_chart(cloud, day)
        watching.show_watch_list(cloud, day)
    out.print(f"\n[bold]Done in {time.monotonic() - began:.0f} seconds.[/] What to try next:")
    for what, command in (
        ("ask Athena anything", "query 'SELECT track_name FROM songs LIMIT 5'"),
        ("take one more week", "run --date 2026-01-05"),
        ("load charts that you downloaded", "load ~/Downloads/regional-*-weekly-*.csv"),
        ("watch an artist", "watch add artist 'Bad Bunny'"),
        ("load a playlist document of yours", "load FILE --date 2024-05-02"),
        ("stop the local cloud", "down"),
    ):
        out.print(f"  {what:<34} [cyan].venv/bin/earworm {command}[/]", soft_wrap=True)
