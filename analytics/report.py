"""The report of a week: one page that needs no network, no script and no SQL to be understood."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from html import escape
from itertools import groupby
from pathlib import Path
from typing import Any, Final, TypeAlias

from analytics import charts

Row: TypeAlias = Mapping[str, Any]

_STYLE: Final = Path(__file__).with_name("report.css")
_GENRES: Final = 5
_MOVERS: Final = 5
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
    absent: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Playlist:
    """A playlist with its last chart.

    Attributes:
        id: Spotify's id.
        name: Its name, or the id if nobody told it.
        weeks: The Mondays of its charts, the oldest first.
        chart: The rows of the last one, the top first.
        history: The positions of each recording by week.
    """

    id: str
    name: str
    weeks: tuple[date, ...]
    chart: tuple[Row, ...]
    history: Mapping[str, Mapping[date, int]]

    @property
    def debuts(self) -> list[Row]:
        """Recordings that are new on the list, or back on it."""
        return [row for row in self.chart if row["arrival"] in {"debut", "return"}]

    @property
    def movers(self) -> tuple[list[Row], list[Row]]:
        """The biggest climbers and fallers."""
        moved = sorted((row for row in self.chart if row["movement"]), key=lambda row: -abs(row["movement"]))
        climbers, fallers = ([row for row in moved if (row["movement"] > 0) is up][:_MOVERS] for up in (True, False))
        return climbers, fallers


def playlists(entries: Iterable[Row]) -> list[Playlist]:
    """The playlists of rows of `weekly_chart`."""
    found = []
    ordered = sorted(entries, key=lambda row: (row["playlist_id"], row["week"], row["position"]))
    for playlist_id, grouped in groupby(ordered, key=lambda row: row["playlist_id"]):
        rows = list(grouped)
        weeks = tuple(sorted({row["week"] for row in rows}))
        history: dict[str, dict[date, int]] = {}
        for row in rows:
            history.setdefault(row["recording_id"], {})[row["week"]] = row["position"]
        chart = tuple(row for row in rows if row["week"] == weeks[-1])
        found.append(Playlist(playlist_id, chart[0]["playlist_name"] or playlist_id, weeks, chart, history))
    return found


def page(contents: Contents) -> str:
    """The report as HTML.

    Raises:
        ValueError: There are no entries: nothing can be told.
    """
    lists = playlists(contents.entries)
    if not lists:
        raise ValueError(f"no chart from {contents.first_day} to {contents.last_day}: there is nothing to report")
    week = max(playlist.weeks[-1] for playlist in lists)
    sections = [
        ("glance", "At a glance", _glance(lists)),
        *((f"list-{n}", playlist.name, _playlist(playlist, contents.churn)) for n, playlist in enumerate(lists, 1)),
        ("genres", "Genres over time", _genres(contents)),
        ("sound", "The sound of the top", _sound(contents)),
        ("lasting", "How long debuts last", _survival(contents, lists)),
        ("coverage", "What these numbers can tell", _coverage(contents, week)),
    ]
    links = "".join(f'<li><a href="#{anchor}">{escape(title)}</a></li>' for anchor, title, _ in sections)
    body = "".join(
        f'<section aria-labelledby="{anchor}"><h2 id="{anchor}">{escape(title)}</h2>{content}</section>'
        for anchor, title, content in sections
    )
    demonstration = " These weeks are simulated." if contents.simulated else ""
    counted = "1 playlist" if len(lists) == 1 else f"{len(lists)} playlists"
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>What is trending, week of {_long(week)}</title>
<link rel="icon" href="data:,">
<style>{_STYLE.read_text("utf-8")}</style>
</head>
<body>
<a class="skip" href="#glance">Skip to the report</a>
<header>
<h1>What is trending, week of {_long(week)}</h1>
<p class="note">{counted} on Spotify, collected by Earworm.{demonstration}</p>
<nav aria-label="Sections"><ul>{links}</ul></nav>
</header>
<main>{body}</main>
<footer>Made on {_long(contents.made_on)} from {escape(contents.place)}.</footer>
</body>
</html>
"""


def _glance(lists: Sequence[Playlist]) -> str:
    tiles = []
    for playlist in lists:
        (top, *_) = playlist.chart
        tiles.append(
            (f"Number one of {playlist.name}", *_titled(top), f"{_count(top['weeks_on_list'], 'week')} listed")
        )
    newest = [(row, playlist) for playlist in lists for row in playlist.debuts]
    climbing = [(row, playlist) for playlist in lists for row in playlist.movers[0]]
    if newest:
        row, playlist = min(newest, key=lambda each: each[0]["position"])
        tiles.append(("Highest new entry", *_titled(row), f"number {row['position']} of {playlist.name}"))
    if climbing:
        row, playlist = max(climbing, key=lambda each: each[0]["movement"])
        note = f"up {row['movement']} to number {row['position']} of {playlist.name}"
        tiles.append(("Biggest climber", *_titled(row), note))
    return (
        '<div class="tiles">'
        + "".join(
            f'<dl class="tile"><dt>{escape(term)}</dt><dd>{escape(title)}<small>{escape(artist)}</small>'
            f"<small>{escape(note)}</small></dd></dl>"
            for term, title, artist, note in tiles
        )
        + "</div>"
    )


def _playlist(playlist: Playlist, churn: Sequence[Row]) -> str:
    (first, *_) = playlist.chart
    partial = (
        "" if first["complete"] else " Not every entry of the list is known: what is missing here may well be on it."
    )
    lowest = max(position for weeks in playlist.history.values() for position in weeks.values())
    rows = "".join(
        f'<tr><td class="number">{row["position"]}</td><td class="move">{_movement(row)}</td>'
        f'<th scope="row">{_track(row)}</th>'
        f'<td class="wide">{_spark(playlist, row, lowest)}</td>'
        f'<td class="number wide">{row["weeks_on_list"]}</td><td class="number wide">{row["peak"]}</td></tr>'
        for row in playlist.chart
    )
    climbers, fallers = playlist.movers
    cards = [
        ("New and back", _moves(playlist.debuts)),
        ("Climbers", _moves(climbers)),
        ("Fallers", _moves(fallers)),
        ("Artists who come and go", _churn([row for row in churn if row["playlist_id"] == playlist.id])),
    ]
    return (
        _source(f"snapshot of {first['snapshot_on']}, {_run(first)}.{partial}")
        + _cards(cards)
        + '<table><caption class="hidden">The chart: position, movement since the chart before, track, '
        f"the way over {_count(len(playlist.weeks), 'chart')}, weeks listed, best position</caption>"
        '<thead><tr><th scope="col" class="number">#</th><th scope="col">Move</th><th scope="col">Track</th>'
        '<th scope="col" class="wide">Its way</th><th scope="col" class="number wide">Weeks</th>'
        f'<th scope="col" class="number wide">Best</th></tr></thead><tbody>{rows}</tbody></table>'
    )


def _churn(rows: Sequence[Row]) -> str:
    if not rows:
        return _nothing("It takes two whole charts to tell.")
    kinds = (("new", "new_artists", 1), ("returning", "returning_artists", 1), ("leaving", "leaving_artists", -1))
    bars = [
        {"week": str(row["week"]), "kind": kind, "artists": sign * row[column]}
        for kind, column, sign in kinds
        for row in rows
    ]
    numbers = [(row["week"], *(row[column] for _, column, _ in kinds)) for row in rows]
    drawing = charts.comings_and_goings(bars, time="week", kind="kind", count="artists")
    return drawing + _numbers(("week", *(kind for kind, *_ in kinds)), numbers)


def _genres(contents: Contents) -> str:
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
        return _nothing(_reason(contents, "Nobody told any genre."))
    order = [genre for genre in order if any(parts[genre] for parts in months.values())]
    shares = [
        {"month": month, "genre": genre, "share": 100 * parts[genre] / sum(parts.values()), "place": place}
        for month, parts in months.items()
        for place, genre in enumerate(order)
    ]
    numbers = [(each["month"], each["genre"], f"{each['share']:.1f} %") for each in shares if each["share"]]
    drawing = charts.shares(shares, time="month", part="genre", share="share", order=order)
    note = _nothing(
        "The share of each genre in the weekly charts of a month. A track is shared out among all genres of its "
        "artists, and all playlists weigh the same."
    )
    numbers_card = note + _numbers(("month", "genre", "share"), numbers)
    return _source(_range(contents)) + _cards([("Percent of entries", drawing), ("How to read it", numbers_card)])


def _sound(contents: Contents) -> str:
    if not contents.sound:
        return _nothing(_reason(contents, "No source told how these tracks sound."))
    named = [row | {"name": _SOUND[row["feature"]]} for row in map(dict, contents.sound)]
    top, others = (max(row[f"{group}_recordings"] for row in named) for group in ("top", "other"))
    bars = [{"name": row["name"], "difference": row["difference_in_spreads"]} for row in named]
    drawing = charts.differences(bars, name="name", difference="difference")
    numbers = [
        (
            row["name"],
            _number(row["top_average"]),
            _number(row["other_average"]),
            _number(row["difference"]),
            _number(row["top_spread"]),
            _number(row["other_spread"]),
        )
        for row in named
    ]
    table = _table(("", "top 10", "rest", "difference", "spread of top", "spread of rest"), numbers, wide=(4, 5))
    note = (
        f"How what was in the first ten places ({top} recordings) sounds against all others ({others}). A bar is the "
        "difference of the averages, measured in spreads (standard deviations) of all: below 0.2 it is small, "
        "from 0.5 on it is considerable."
    )
    return (
        _source(_range(contents))
        + _cards([("Top ten against the rest", drawing), ("Averages", table)])
        + (f'<p class="note">{note}</p>')
    )


def _survival(contents: Contents, lists: Sequence[Playlist]) -> str:
    names = {playlist.id: playlist.name for playlist in lists}
    cards = []
    for playlist_id, rows in groupby(contents.survival, key=lambda row: str(row["playlist_id"])):
        told = [row for row in rows if row["weeks_after_debut"] in {1, 2, 4, 8, 12}]
        numbers = [
            (_count(row["weeks_after_debut"], "week"), f"{row['listed_percent']:.0f} %", row["debuts"]) for row in told
        ]
        table = _table(("after", "still or again listed", "of debuts"), numbers)
        cards.append((names.get(playlist_id, playlist_id), table if told else _nothing("It is too early to tell.")))
    return _source(_range(contents)) + (_cards(cards) if cards else _nothing("There were no debuts."))


def _coverage(contents: Contents, week: date) -> str:
    numbers = [
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
    heads = (
        "playlist",
        "snapshots",
        "first",
        "last",
        "weeks missing",
        "incomplete",
        "features",
        "popularity",
        "genres",
    )
    sentences = list(_caveats(contents, week))
    listed = "".join(f"<li>{escape(sentence)}</li>" for sentence in sentences)
    runs = ", ".join(f"{row['last_day']}: {_run({'run_id': row['last_run_id']})}" for row in contents.coverage)
    return (
        _source(f"{_range(contents)} Last runs: {runs}.")
        + f'<div class="card"><ul>{listed}</ul></div>'
        + _table(heads, numbers, wide=(1, 2, 4, 6, 7, 8))
    )


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
    yield (
        f"Nothing is known from before {min((row['first_day'] for row in contents.coverage), default='-')}: a debut is "
        "what was not seen since, and a track of the first chart may have been listed for long."
    )
    yield "A playlist shows what its editors chose. It is no measure of streams or sales."


def _movement(row: Row) -> str:
    if row["movement"]:
        up = row["movement"] > 0
        sign, word, kind = ("▲", "up", "up") if up else ("▼", "down", "down")
        return (
            f'<span class="{kind}"><span aria-hidden="true">{sign}</span><span class="hidden">{word}</span> '
            f"{abs(row['movement'])}</span>"
        )
    words = {"debut": "new", "return": "back"}
    if row["arrival"] in words:
        return f'<span class="new">{words[row["arrival"]]}</span>'
    told = "unchanged" if row["movement"] == 0 else "not known"
    return f'<span aria-hidden="true">{"=" if row["movement"] == 0 else "-"}</span><span class="hidden">{told}</span>'


def _spark(playlist: Playlist, row: Row, lowest: int) -> str:
    positions = [playlist.history[row["recording_id"]].get(week) for week in playlist.weeks]
    told = ", ".join("absent" if position is None else str(position) for position in positions[-8:])
    return f'{charts.sparkline(positions, lowest)}<span class="hidden">last positions: {told}</span>'


def _moves(rows: Sequence[Row]) -> str:
    if not rows:
        return _nothing("None this week.")
    listed = "".join(
        f'<tr><td class="number">{row["position"]}</td><td class="move">{_movement(row)}</td>'
        f"<td>{_track(row)}</td></tr>"
        for row in rows
    )
    heads = '<th scope="col" class="number">#</th><th scope="col">Move</th><th scope="col">Track</th>'
    return f"<table><thead><tr>{heads}</tr></thead><tbody>{listed}</tbody></table>"


def _track(row: Row) -> str:
    title, artist = _titled(row)
    return f'{escape(title)}<span class="artist">{escape(artist)}</span>'


def _titled(row: Row) -> tuple[str, str]:
    return row["track_name"], row["artists"] or "unknown artist"


def _cards(cards: Iterable[tuple[str, str]]) -> str:
    return (
        '<div class="cards">'
        + "".join(f'<div class="card"><h3>{escape(title)}</h3>{content}</div>' for title, content in cards)
        + "</div>"
    )


def _numbers(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    return f"<details><summary>The numbers</summary>{_table(heads, rows)}</details>"


def _table(heads: Sequence[str], rows: Iterable[Sequence[object]], *, wide: Sequence[int] = ()) -> str:
    def kind(place: int) -> str:
        classes = [name for name, wanted in (("number", place > 0), ("wide", place in wide)) if wanted]
        return f' class="{" ".join(classes)}"' if classes else ""

    top = "".join(
        f'<th scope="col"{kind(place)}>{escape(head)}</th>' if head else "<td></td>" for place, head in enumerate(heads)
    )
    body = "".join(
        "<tr>" + "".join(f"<td{kind(place)}>{escape(str(cell))}</td>" for place, cell in enumerate(row)) + "</tr>"
        for row in rows
    )
    return f"<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"


def _source(text: str) -> str:
    return f'<p class="source">From {escape(text)}</p>'


def _reason(contents: Contents, otherwise: str) -> str:
    """Why there is nothing to tell."""
    return f"Not deployed: {', '.join(contents.absent)}." if contents.absent else otherwise


def _nothing(sentence: str) -> str:
    return f'<p class="note">{escape(sentence)}</p>'


def _range(contents: Contents) -> str:
    return f"all snapshots of {contents.first_day} to {contents.last_day}."


def _run(row: Row) -> str:
    return f"run {row['run_id']}" if row["run_id"] else "a document that was loaded"


def _long(day: date) -> str:
    return f"{day.day} {day:%B %Y}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{value:.0f} %"
