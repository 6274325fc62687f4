"""The files of charts.spotify.com, and of spotifycharts.com before it, as they are downloaded by hand."""

import re
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Final

from contracts.chart import Frequency
from contracts.layouts.layout import (
    Cell,
    ChartIdentity,
    ChartIdentityError,
    CsvLayout,
    Layout,
    previous_rank,
    spotify_track_id,
    whole_number,
    words,
)
from contracts.regions import read_region

SOURCE: Final = "spotify_charts"
TERMS: Final = (
    "Spotify Charts are behind a login and are downloaded by hand; no licence for commercial analysis of the files was "
    "found, so ask Spotify. Never automate the download."
)

_ISO_DAY: Final = r"\d{4}-\d{2}-\d{2}"
_NAME: Final = re.compile(
    r"(?P<ranking>[a-z]+)-(?P<region>[a-z]+(?:-[a-z]+)*)-(?P<frequency>daily|weekly)-"
    rf"(?:latest|(?P<first>{_ISO_DAY})(?:--(?P<second>{_ISO_DAY}))?)"
    # What browsers add to the name of a second download, and what packs it.
    r"(?: ?\(\d+\)|[ -]\d{1,2})?\.csv(?:\.gz)?",
    re.IGNORECASE,
)
_RANKINGS: Final = ("regional", "viral")
"""Others, of cities and of genres, have the columns of these."""
_THURSDAY: Final = 3
_DAY: Final = timedelta(days=1)
_WEEK: Final = timedelta(days=7)


def read_name(name: str) -> ChartIdentity:
    """What the name of a downloaded file says; nothing, if it is not such a name.

    A chart week runs from Friday to Thursday. Since 2021 a weekly file names its Thursday. Before, it named two days:
    of a regional chart the first day and the one after the last, both Fridays; of a viral chart its Thursday twice.

    Raises:
        ChartIdentityError: It is of another ranking, or its days are no days, or not those of such a chart.
    """
    found = _NAME.fullmatch(name)
    if found is None:
        return ChartIdentity()
    if (ranking := found["ranking"].lower()) not in _RANKINGS:
        known = " and ".join(_RANKINGS)
        raise ChartIdentityError(f"its name says ranking {ranking}, and known are {known}; rename it if it is one")
    frequency: Frequency = "weekly" if found["frequency"].lower() == "weekly" else "daily"
    start, end = _period(frequency, found["first"], found["second"]) if found["first"] else (None, None)
    return ChartIdentity(
        ranking=ranking,
        region=_region(found["region"]),
        frequency=frequency,
        period_start=start,
        period_end=end,
    )


def _region(text: str) -> str:
    try:
        return read_region(text)
    except ValueError as fault:
        raise ChartIdentityError(f"its name says what cannot be: {fault}") from None


def _period(frequency: Frequency, first: str, second: str | None) -> tuple[date, date]:
    """First and last day, both inclusive."""
    try:
        start = date.fromisoformat(first)
        after = date.fromisoformat(second) if second else None
    except ValueError as fault:
        raise ChartIdentityError(f"its name says a day that is none: {fault}") from None
    if frequency == "daily":
        if after is not None:
            raise ChartIdentityError(f"its name says {first} to {second}, and daily, which is one day")
        return start, start
    if after in {None, start}:
        return start - _WEEK + _DAY, start
    if after - start != _WEEK:
        raise ChartIdentityError(f"its name says a week from {first} to {second}, which are not seven days apart")
    return start, after - _DAY


def _layout(name: str, columns: Mapping[str, tuple[str, Cell]], metric: str | None, said: ChartIdentity) -> Layout:
    return CsvLayout(name, SOURCE, metric, columns, TERMS, _THURSDAY, said, read_name)


_OLD_REGIONAL: Final[Mapping[str, tuple[str, Cell]]] = {
    "Position": ("position", whole_number),
    "Track Name": ("title", words),
    "Artist": ("artist_credit", words),
    "Streams": ("metric_value", whole_number),
    "URL": ("spotify_track_id", spotify_track_id),
}
_OLD_VIRAL = {name: column for name, column in _OLD_REGIONAL.items() if name != "Streams"}
_RANKED: Final[Mapping[str, tuple[str, Cell]]] = {
    "rank": ("position", whole_number),
    "uri": ("spotify_track_id", spotify_track_id),
    "artist_names": ("artist_credit", words),
    "track_name": ("title", words),
    "source": ("label", words),
    "peak_rank": ("peak_position", whole_number),
    "previous_rank": ("previous_position", previous_rank),
}
_WEEKS: Final[Mapping[str, tuple[str, Cell]]] = {"weeks_on_chart": ("weeks_on_chart", whole_number)}
_DAYS: Final[Mapping[str, tuple[str, Cell]]] = {"days_on_chart": ("days_on_chart", whole_number)}
_STREAMS: Final[Mapping[str, tuple[str, Cell]]] = {"streams": ("metric_value", whole_number)}

LAYOUTS: Final = (
    _layout("Spotify Charts 2017 to 2021, regional", _OLD_REGIONAL, "streams", ChartIdentity(ranking="regional")),
    _layout("Spotify Charts 2017 to 2021, viral", _OLD_VIRAL, None, ChartIdentity(ranking="viral")),
    _layout(
        "Spotify Charts, regional weekly",
        {**_RANKED, **_WEEKS, **_STREAMS},
        "streams",
        ChartIdentity(ranking="regional", frequency="weekly"),
    ),
    _layout(
        "Spotify Charts, regional daily",
        {**_RANKED, **_DAYS, **_STREAMS},
        "streams",
        ChartIdentity(ranking="regional", frequency="daily"),
    ),
    _layout(
        "Spotify Charts, viral weekly", {**_RANKED, **_WEEKS}, None, ChartIdentity(ranking="viral", frequency="weekly")
    ),
    _layout(
        "Spotify Charts, viral daily", {**_RANKED, **_DAYS}, None, ChartIdentity(ranking="viral", frequency="daily")
    ),
)
