"""The report of a week: one page that needs no network, no script and no SQL to be understood."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeAlias

from markupsafe import Markup

from analytics.html import templates
from analytics.report import drawings

Row: TypeAlias = Mapping[str, Any]

_GENRES: Final = 5
_MOVERS: Final = 5
_LONGEST: Final = 50
"""Rows of a list that are shown; some charts have a thousand."""
_NEWEST: Final = 10
"""New entries of a list that are shown beside its chart."""
_SOUND: Final = {
    "danceability": "danceability",
    "energy": "energy",
    "tempo_bpm": "tempo (bpm)",
    "valence": "positiveness",
}
_UNKNOWN: Final = "unknown"
_OTHERS: Final = "others"


@dataclass(frozen=True, slots=True)
class Contents:
    """What the report tells, as the lake answered.

    Attributes:
        made_on: The day of the report.
        first_day: The first day that was asked for.
        last_day: The last one.
        place: The environment and the cloud, for a person.
        simulated: Whether the history is the simulator's.
        entries: Rows of the view `weekly_chart`.
        genres: The answer of `genre_share_by_month`.
        sound: The answer of `sound_of_the_top`.
        churn: The answer of `artist_churn`.
        survival: The answer of `survival_of_debuts`.
        coverage: The answer of `data_coverage`.
        chart_coverage: The answer of `chart_coverage`.
        absent: Tables that are not deployed, so that what they are needed for has no rows.
    """

    made_on: date
    first_day: date
    last_day: date
    place: str
    simulated: bool
    entries: Sequence[Row]
    genres: Sequence[Row]
    sound: Sequence[Row]
    churn: Sequence[Row]
    survival: Sequence[Row]
    coverage: Sequence[Row]
    chart_coverage: Sequence[Row] = ()
    absent: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class RecordingList:
    """A playlist, or a chart of some source, with its last weekly chart.

    Attributes:
        id: What the lake calls it.
        name: Its name, or the id if nobody told it.
        weeks: The Mondays of its weekly charts, the oldest first.
        chart: The rows of the last one, the top first.
        history: The positions of each recording by week.
    """

    id: str
    name: str
    weeks: tuple[date, ...]
    chart: tuple[Row, ...]
    history: Mapping[str, Mapping[date, int]]

    @property
    def is_chart(self) -> bool:
        """Whether a source published it as a ranking."""
        return bool(self.chart[0]["kind"] == "chart")

    @property
    def metric(self) -> str | None:
        """What it counts: streams, listens; None if it tells no numbers."""
        return next((row["metric_name"] for row in self.chart if row["metric_value"] is not None), None)

    @property
    def debuts(self) -> list[Row]:
        """Recordings that are new on the list, or back on it."""
        return [row for row in self.chart if row["arrival"] in {"debut", "return"}]

    @property
    def climbers(self) -> list[Row]:
        """The tracks that climbed most, the biggest climber first."""
        return self._movers(1)

    @property
    def fallers(self) -> list[Row]:
        """The tracks that fell most, the deepest first."""
        return self._movers(-1)

    @property
    def gainers(self) -> list[Row]:
        """The tracks whose numbers grew most since the chart before."""
        return self._changed(1)

    @property
    def losers(self) -> list[Row]:
        """The tracks whose numbers shrank most since the chart before."""
        return self._changed(-1)

    @property
    def lowest(self) -> int:
        """The lowest position of all its charts."""
        return max(position for weeks in self.history.values() for position in weeks.values())

    def positions(self, row: Row) -> list[int | None]:
        """The positions of a row's recording, chart by chart; None where it was absent."""
        return [self.history[row["recording_id"]].get(week) for week in self.weeks]

    def _movers(self, sign: int) -> list[Row]:
        moved = [row for row in self.chart if (row["movement"] or 0) * sign > 0]
        return sorted(moved, key=lambda row: -abs(row["movement"]))[:_MOVERS]

    def _changed(self, sign: int) -> list[Row]:
        changed = [row for row in self.chart if (row["metric_change"] or 0) * sign > 0]
        return sorted(changed, key=lambda row: -abs(row["metric_change"]))[:_MOVERS]


class Tile(NamedTuple):
    """What is told at a glance."""

    term: str
    title: str
    artist: str
    note: str


class Figure(NamedTuple):
    """A drawing and the numbers that it draws, for those who cannot see it."""

    drawing: Markup
    numbers: Sequence[Sequence[object]]


def lists_of(entries: Iterable[Row]) -> list[RecordingList]:
    """The lists of rows of `weekly_chart`, playlists before charts."""
    found = []
    ordered = sorted(
        entries, key=lambda row: (row["kind"] == "chart", row["playlist_id"], row["week"], row["position"])
    )
    for list_id, grouped in groupby(ordered, key=lambda row: row["playlist_id"]):
        rows = list(grouped)
        weeks = tuple(sorted({row["week"] for row in rows}))
        history: dict[str, dict[date, int]] = {}
        for row in rows:
            history.setdefault(row["recording_id"], {})[row["week"]] = row["position"]
        chart = tuple(row for row in rows if row["week"] == weeks[-1])
        found.append(RecordingList(list_id, chart[0]["playlist_name"] or list_id, weeks, chart, history))
    return found


def page(contents: Contents) -> str:
    """The report as HTML.

    Raises:
        ValueError: There are no entries: nothing can be told.
    """
    lists = lists_of(contents.entries)
    if not lists:
        raise ValueError(f"no chart from {contents.first_day} to {contents.last_day}: there is nothing to report")
    week = max(each.weeks[-1] for each in lists)
    jinja = templates(Path(__file__).parent)
    jinja.filters |= {"count": _count, "grouped": _grouped, "long": _long, "run": _run, "signed": _signed}
    jinja.globals["sparkline"] = drawings.sparkline
    return jinja.get_template("page.html.j2").render(
        contents=contents,
        lists=lists,
        longest=_LONGEST,
        newest=_NEWEST,
        week=week,
        glance=list(_glance(lists)),
        churn_of=lambda each: _churn([row for row in contents.churn if row["playlist_id"] == each.id]),
        genres=_genres(contents),
        sound=_sound(contents),
        survival=_survival(contents, lists),
        coverage=_coverage(contents),
        chart_coverage=_chart_coverage(contents),
        caveats=list(_caveats(contents, week)),
        nothing=lambda otherwise: f"Not deployed: {', '.join(contents.absent)}." if contents.absent else otherwise,
    )


def _glance(lists: Sequence[RecordingList]) -> Iterable[Tile]:
    for each in lists:
        top = each.chart[0]
        yield _tile(f"Number one of {each.name}", top, f"{_count(top['weeks_on_list'], 'week')} listed")
    newest = [(row, each) for each in lists for row in each.debuts]
    climbing = [(row, each) for each in lists for row in each.climbers]
    if newest:
        row, found = min(newest, key=lambda pair: pair[0]["position"])
        yield _tile("Highest new entry", row, f"number {row['position']} of {found.name}")
    if climbing:
        row, found = max(climbing, key=lambda pair: pair[0]["movement"])
        yield _tile("Biggest climber", row, f"up {row['movement']} to number {row['position']} of {found.name}")


def _tile(term: str, row: Row, note: str) -> Tile:
    return Tile(term, row["track_name"], row["artists"] or "unknown artist", note)


def _churn(rows: Sequence[Row]) -> Figure | None:
    if not rows:
        return None
    kinds = (("new", "new_artists", 1), ("returning", "returning_artists", 1), ("leaving", "leaving_artists", -1))
    bars = [
        {"week": str(row["week"]), "kind": kind, "artists": sign * row[column]}
        for kind, column, sign in kinds
        for row in rows
    ]
    numbers = [(row["week"], *(row[column] for _, column, _ in kinds)) for row in rows]
    return Figure(drawings.comings_and_goings(bars, time="week", kind="kind", count="artists"), numbers)


def _genres(contents: Contents) -> Figure | None:
    totals: dict[str, float] = {}
    for row in contents.genres:
        totals[row["genre"] or _UNKNOWN] = totals.get(row["genre"] or _UNKNOWN, 0) + row["share_percent"]
    named = [genre for genre in sorted(totals, key=lambda each: -totals[each]) if genre != _UNKNOWN][:_GENRES]
    order = [*named, _OTHERS, _UNKNOWN]
    months: dict[str, dict[str, float]] = {}
    for row in contents.genres:
        genre = row["genre"] or _UNKNOWN
        parts = months.setdefault(f"{row['month']:%b}", dict.fromkeys(order, 0.0))
        parts[genre if genre in order else _OTHERS] += row["share_percent"]
    if not months:
        return None
    order = [genre for genre in order if any(parts[genre] for parts in months.values())]
    shares = [
        {"month": month, "genre": genre, "share": 100 * parts[genre] / sum(parts.values()), "place": place}
        for month, parts in months.items()
        for place, genre in enumerate(order)
    ]
    return Figure(
        drawings.shares(shares, time="month", part="genre", share="share", order=order),
        [(each["month"], each["genre"], f"{each['share']:.1f} %") for each in shares if each["share"]],
    )


def _sound(contents: Contents) -> Mapping[str, object] | None:
    if not contents.sound:
        return None
    named = [row | {"name": _SOUND[row["feature"]]} for row in map(dict, contents.sound)]
    averages = ("top_average", "other_average", "difference", "top_spread", "other_spread")
    bars = [{"name": row["name"], "difference": row["difference_in_spreads"]} for row in named]
    return {
        "drawing": drawings.differences(bars, name="name", difference="difference"),
        "numbers": [(row["name"], *(_number(row[average]) for average in averages)) for row in named],
        "top_recordings": max(row["top_recordings"] for row in named),
        "other_recordings": max(row["other_recordings"] for row in named),
    }


def _survival(contents: Contents, lists: Sequence[RecordingList]) -> list[tuple[str, list[tuple[object, ...]]]]:
    names = {each.id: each.name for each in lists}
    return [
        (
            names.get(list_id, list_id),
            [
                (_count(row["weeks_after_debut"], "week"), f"{row['listed_percent']:.0f} %", row["debuts"])
                for row in rows
                if row["weeks_after_debut"] in {1, 2, 4, 8, 12}
            ],
        )
        for list_id, rows in groupby(contents.survival, key=lambda row: str(row["playlist_id"]))
    ]


def _coverage(contents: Contents) -> list[tuple[object, ...]]:
    return [
        (
            row["playlist_name"] or row["playlist_id"],
            row["snapshots"],
            row["first_day"],
            row["last_day"],
            row["weeks_missing"],
            row["partial_snapshots"] + row["snapshots_without_entries"],
            *(_percent(row[f"{part}_percent"]) for part in ("features", "popularity", "genres")),
        )
        for row in contents.coverage
    ]


def _chart_coverage(contents: Contents) -> list[tuple[object, ...]]:
    shares = ("metric", "label", "known", "genres", "features")
    return [
        (
            row["playlist_name"],
            row["charts"],
            row["first_day"],
            row["last_day"],
            row["weeks_missing"],
            row["missing_ranks"],
            *(_percent(row[f"{share}_percent"]) for share in shares),
        )
        for row in contents.chart_coverage
    ]


def _caveats(contents: Contents, week: date) -> Iterable[str]:
    if contents.simulated:
        yield (
            "This is the demonstration: tracks, artists, genres and features are real ones, but their ranks, "
            "popularity and release dates over time are simulated. No conclusion about music follows from it."
        )
    for row in contents.coverage:
        name = row["playlist_name"] or row["playlist_id"]
        for part, without in (
            ("features", "its sound is told by the others alone"),
            ("popularity", "averages of popularity leave these out"),
            ("genres", "these artists count as unknown"),
        ):
            percent = row[f"{part}_percent"]
            if percent is None or percent == 0:
                yield f"{name}: Spotify told no {part}; what would rest on that is left out or unknown."
            elif percent < 99.95:
                yield f"{name}: {part} are known for {percent:.1f} % only; {without}."
        if row["weeks_missing"]:
            yield f"{name}: {_count(row['weeks_missing'], 'week')} without a snapshot; tracks may have come and gone."
        incomplete = row["partial_snapshots"] + row["snapshots_without_entries"]
        if incomplete:
            yield f"{name}: {_count(incomplete, 'snapshot')} incomplete; comings and goings look at the others alone."
        if date.fromisoformat(row["last_day"]) < week:
            yield f"{name}: the newest snapshot is of {row['last_day']}, before this week."
    yield from _caveats_of_charts(contents.chart_coverage, week)
    yield (
        "A debut was in no earlier snapshot of its list, under whatever id; what the first snapshot of a list shows "
        "may have been listed for long."
    )
    if contents.coverage:
        yield "A playlist shows what its editors chose. It is no measure of streams or sales."


def _caveats_of_charts(coverage: Sequence[Row], week: date) -> Iterable[str]:
    for row in coverage:
        name = row["playlist_name"]
        if row["weeks_missing"]:
            yield f"{name}: {_count(row['weeks_missing'], 'week')} without a chart; tracks may have come and gone."
        if row["missing_ranks"]:
            ranks, charts = _count(row["missing_ranks"], "rank"), _count(row["incomplete_charts"], "chart")
            yield f"{name}: {ranks} missing in {charts}; a track that is absent there may be just that one."
        if row["last_day"] < week:
            yield f"{name}: the newest chart ends on {row['last_day']}, before this week."
    if coverage:
        yield (
            "A chart counts the days of its period: a week of Spotify is from Friday to Thursday, one of open "
            "listening from Monday to Sunday. What is below its last rank is not known, so that nobody can say what a "
            "new entry gained."
        )
    if any(row["playlist_id"].startswith("listenbrainz-") for row in coverage):
        yield (
            "Open listening is what people tell ListenBrainz who choose to. A few devoted fans weigh much in it; it is "
            "no ranking of the world."
        )


def _run(run_id: str | None) -> str:
    return f"run {run_id}" if run_id else "a document that was loaded"


def _long(day: date) -> str:
    return f"{day.day} {day:%B %Y}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _grouped(number: int | None) -> str:
    return "-" if number is None else f"{number:,}"


def _signed(number: int | None) -> str:
    return "-" if number is None else f"{number:+,}"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{value:.0f} %"
