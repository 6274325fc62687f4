"""Shows the contents of the lake in each of Spotify's tiers, from real runs against the simulator."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import get_args

from contracts.operations.extraction import RunSummary
from contracts.tables import of_kind
from infra.cli import collect
from infra.cli.cloud import Cloud, local_cloud
from infra.cli.environment import Environment
from infra.cli.screen import ConsoleError, out, progress
from infra.local.spotify.admin import TierName
from infra.local.spotify.client import find_simulator

_TABLES = of_kind("playlists")
_FIRST_DAY = date(2024, 1, 1)
_COVERAGES = ("features_coverage", "popularity_coverage", "genres_coverage")


@dataclass(frozen=True, slots=True)
class TierResult:
    """The results of a run in a tier: rows by table, coverages from 0 to 1 (None without tracks), and outcomes."""

    tier: str
    rows: dict[str, int]
    coverages: dict[str, float | None]
    outcomes: str


def tiers(environment: Environment = "dev") -> None:
    """Take snapshots in each of Spotify's tiers on the simulator, and show the results: the README's table."""
    out.print(markdown(in_each_tier(local_cloud(environment))), soft_wrap=True, markup=False)


def in_each_tier(cloud: Cloud) -> Iterator[TierResult]:
    """Takes snapshots of the deployed playlists in each tier, each on a day of its own.

    Raises:
        ConsoleError: The cloud has no simulator.
    """
    if find_simulator(cloud.variables) is None:
        raise ConsoleError("The tiers are the simulator's: start it with `earworm up`, without Spotify credentials.")
    tables = of_kind("playlists", cloud.tables())
    for number, tier in enumerate(get_args(TierName)):
        day = _FIRST_DAY + timedelta(weeks=number)
        run = _run_in(tier, cloud, day)
        with progress() as bar:
            collect.await_tables(cloud, collect.stored(run), bar)
        yield _result(cloud, tier, tables, run)


def _run_in(tier: TierName, cloud: Cloud, day: date) -> RunSummary:
    with collect.turned_to(cloud, day) as simulator:
        assert simulator
        simulator.set_tier(tier)
        try:
            return collect.invoke_extractor(cloud, day)
        finally:
            simulator.set_tier("extended")


def _result(cloud: Cloud, tier: str, tables: Sequence[str], run: RunSummary) -> TierResult:
    day = run.snapshot_date
    partition = f"year = '{day:%Y}' AND month = '{day:%m}' AND day = '{day:%d}'"
    counted = " UNION ALL ".join(
        f"SELECT '{table}' AS name, CAST(count(*) AS double) AS value FROM {table} WHERE {partition}"  # noqa: S608  # the names are the contracts' own
        for table in tables
    )
    covered = " UNION ALL ".join(
        f"SELECT '{name}' AS name, avg({name}) AS value FROM playlist_metadata WHERE {partition}"  # noqa: S608  # likewise
        for name in _COVERAGES
    )
    answer = cloud.athena.ask(f"{counted} UNION ALL {covered}")
    values = {name: None if value is None else float(value) for name, value in answer.rows}
    return TierResult(
        tier=tier,
        rows={table: int(values[table] or 0) for table in tables},
        coverages={name: values[name] for name in _COVERAGES},
        outcomes=", ".join(sorted({playlist.outcome for playlist in run.playlists})),
    )


def markdown(runs: Iterable[TierResult]) -> str:
    """Returns the runs as a table in Markdown."""
    names = ("tier", "outcome", *_TABLES, "features", "popularity", "genres")
    lines = [_line(names), _line("---" for _ in names)]
    for result in runs:
        covered = ("-" if value is None else f"{value:.0%}" for value in result.coverages.values())
        lines.append(_line((f"`{result.tier}`", result.outcomes, *map(str, result.rows.values()), *covered)))
    return "\n".join(lines)


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
