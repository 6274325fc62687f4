"""Weekly charts as the files that charts.spotify.com gives out: made up, of the simulator's songs.

A file is a function of its chart and its day alone. What Spotify counts since a chart began (peak, weeks) is counted
over the 52 weeks up to that day, and what is on a chart and on a simulated playlist is the same track on both.
"""

import csv
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from io import StringIO
from pathlib import Path
from typing import Final, NamedTuple

from contracts.layouts.layout import SIMULATED
from infra.local.spotify import seeded
from infra.local.spotify.catalogue import Catalogue, Track
from infra.local.spotify.trending import TrendingPlaylist, Trends

SIZE: Final = 200
WEEKS_COUNTED: Final = 52
"""The weeks that peak and weeks on the chart are counted over, the file's own included."""

_WEEK: Final = timedelta(weeks=1)
_THURSDAY: Final = 3
_HEADER: Final = (
    "rank",
    "uri",
    "artist_names",
    "track_name",
    "source",
    "peak_rank",
    "previous_rank",
    "weeks_on_chart",
    "streams",
)
_PREFACE: Final = (f"{SIMULATED}: ranks and streams of this chart are made up",)
_NEW_OR_BACK: Final = -1
_DECAY_OF_STREAMS: Final = 0.35
_README: Final = """\
Made-up charts
==============

The files in `made-up/` have the names and the layout of the weekly charts that are downloaded from charts.spotify.com.
Nothing in them is Spotify's: `make run` makes them of its simulator's songs, ranks and streams are invented, and their
first line says so. In some a rank is missing, as in real ones.

Load files of your own beside them with `earworm load FILE…`.
"""


class RegionalChart(NamedTuple):
    """A weekly chart of a region.

    Attributes:
        region: `global`, or a country's two letters.
        most_streams: About what the first place has in a week.
        gap_every: In one of so many weeks the file lacks a rank, as real files do; 0 for a chart that never does.
    """

    region: str
    most_streams: int
    gap_every: int = 0


CHARTS: Final = (RegionalChart("global", 46_000_000), RegionalChart("de", 3_400_000, gap_every=12))


def newest_chart_day(today: date) -> date:
    """The last day of the newest chart week that is over: weeks run from Friday to Thursday."""
    return today - timedelta((today.weekday() - _THURSDAY - 1) % 7 + 1)


def write_chart_files(catalogue: Catalogue, folder: Path, last: date, weeks: int) -> list[Path]:
    """Write a file for each chart and week into `made-up` of a folder, and what they are beside it.

    Args:
        catalogue: The songs.
        folder: Is made if it is not there.
        last: The last day of the newest week, a Thursday.
        weeks: How many weeks, up to that one.

    Returns:
        The files, in the order of charts and weeks.
    """
    made_up = folder / "made-up"
    made_up.mkdir(parents=True, exist_ok=True)
    (folder / "README.md").write_text(_README)
    trends = Trends(catalogue)
    days = [last - _WEEK * back for back in reversed(range(weeks))]
    files: list[Path] = []
    for chart in CHARTS:
        for day, text in chart_files(catalogue, trends, chart, days).items():
            files.append(made_up / f"regional-{chart.region}-weekly-{day}.csv")
            files[-1].write_text(text, "utf-8")
    return files


def chart_files(catalogue: Catalogue, trends: Trends, chart: RegionalChart, days: Sequence[date]) -> Mapping[date, str]:
    """The files of a chart by their last days, which follow each other week by week."""
    first = days[0] - _WEEK * (WEEKS_COUNTED - 1)
    as_list = TrendingPlaylist(f"EarwormCharts-{chart.region}", chart.region, description="", followers=0, size=SIZE)
    weeks: list[dict[str, int]] = []
    files = {}
    for week in range((days[-1] - first) // _WEEK + 1):
        day = first + _WEEK * week
        songs = trends.ranking(as_list, day)
        weeks.append({song.id: rank for rank, song in enumerate(songs, start=1)})
        if day in days:
            files[day] = _file(_rows(catalogue, chart, day, songs, weeks[-WEEKS_COUNTED:]))
    return files


def _rows(
    catalogue: Catalogue, chart: RegionalChart, day: date, songs: Sequence[Track], weeks: Sequence[Mapping[str, int]]
) -> Iterator[tuple[object, ...]]:
    missing = _missing_rank(chart, day)
    before = weeks[-2]
    for rank, song in enumerate(songs, start=1):
        if rank == missing:
            continue
        ranks = [week[song.id] for week in weeks if song.id in week]
        yield (
            rank,
            f"spotify:track:{song.id}",
            ", ".join(catalogue.artists[artist].name for artist in song.artist_ids),
            song.name,
            catalogue.albums[song.album_id].label,
            min(ranks),
            before.get(song.id, _NEW_OR_BACK),
            len(ranks),
            _streams(chart, day, rank),
        )


def _missing_rank(chart: RegionalChart, day: date) -> int | None:
    if not chart.gap_every or day.toordinal() // 7 % chart.gap_every:
        return None
    (place,) = seeded.fractions("missing rank", chart.region, day, count=1)
    return SIZE // 2 + int(place * SIZE / 2)


def _streams(chart: RegionalChart, day: date, rank: int) -> int:
    """Falls from rank to rank, for each has its own stretch of the curve."""
    (place,) = seeded.fractions("streams", chart.region, day, rank, count=1)
    return int(chart.most_streams * (rank + place) ** -_DECAY_OF_STREAMS)


def _file(rows: Iterator[tuple[object, ...]]) -> str:
    text = StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_PREFACE)
    writer.writerow(_HEADER)
    writer.writerows(rows)
    return text.getvalue()
