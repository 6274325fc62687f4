"""The alert of a week: what happened to the watched recordings and what stands out, as one message of plain text."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, NamedTuple

from analytics.athena import Athena
from analytics.report.answers import Row
from analytics.report.lists import track_url
from analytics.sql import queries
from analytics.wording import counted, day

_ARRIVALS: Final = frozenset({"first appearance", "added", "re-entered"})
_MOST_RECORDINGS: Final = 25
"""Of the watch list in a message; the others are counted."""
_MOST_LINES: Final = 8
"""Of a recording in a message."""
_MOST_SPIKES: Final = 10
_MOST_ROWS: Final = 1000
"""That are asked for; a message tells fewer."""
_LONGEST_NAME: Final = 100
_CONTROLS: Final = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]+")
"""Line ends, which would let a name write lines of its own, and controls of direction."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """What an alert tells.

    Attributes:
        move_percent: The least move of a watched recording, in percent of the length of the list; arrivals, drops, new
            versions and new peaks are told in any case.
        climb_percent: See the query `spikes`.
        growth_percent: See the query `spikes`.
        lists: See the query `spikes`.
    """

    move_percent: int
    climb_percent: int
    growth_percent: int
    lists: int


@dataclass(frozen=True, slots=True)
class Happenings:
    """What happened in a week.

    Attributes:
        watched: Rows of the query `watched_events`.
        spikes: Rows of the query `spikes` about other recordings.
    """

    watched: Sequence[Row]
    spikes: Sequence[Row]


class Message(NamedTuple):
    """A message as SNS takes it: a subject of ASCII in one line, and a text."""

    subject: str
    text: str


def happenings(athena: Athena, monday: date, thresholds: Thresholds) -> Happenings:
    """Asks what happened: on playlists in a week, on charts in the week before, for they come after it.

    Args:
        athena: Whom to ask.
        monday: The first day of the week.
        thresholds: What counts.

    Raises:
        AthenaError: Athena failed a query.
    """
    last_week = monday - timedelta(weeks=1)
    known = queries()

    def answer(name: str, **given: int) -> list[Row]:
        values = {"from": str(last_week), "to": str(monday), "limit": str(_MOST_ROWS)}
        values |= {parameter: str(value) for parameter, value in given.items()}
        rows = athena.ask(known[name].text, known[name].execution_parameters(values, monday)).records()
        return [row for row in rows if row["week"] == (monday if row["kind"] == "playlist" else last_week)]

    watched = [row for row in answer("watched_events") if _is_told(row, thresholds)]
    told = {row["recording_id"] for row in watched}
    spikes = answer(
        "spikes",
        climb_percent=thresholds.climb_percent,
        growth_percent=thresholds.growth_percent,
        lists=thresholds.lists,
    )
    return Happenings(watched, [row for row in spikes if row["recording_id"] not in told])


def message(found: Happenings, monday: date, page: str) -> Message | None:
    """Returns the message of a week; None if nothing happened.

    Args:
        found: What happened.
        monday: The first day of the week.
        page: Where the page of the week is.
    """
    if not found.watched and not found.spikes:
        return None
    week = day(monday)
    counts = [
        counted(len(found.watched), "event") + " of your watch list" if found.watched else "",
        counted(len(found.spikes), "spike") if found.spikes else "",
    ]
    parts = [
        [f"Week of {week}: playlists as they are in this week, charts as they were in the one before."],
        *_section("YOUR WATCH LIST", found.watched, _watched_line, _MOST_RECORDINGS),
        *_section("WHAT STANDS OUT", found.spikes, _spike_line, _MOST_SPIKES),
        [f"All of it on the page of the week: {page}"],
    ]
    return Message(
        f"Earworm: {', '.join(filter(None, counts))}, week of {week}",
        "\n\n".join("\n".join(part) for part in parts) + "\n",
    )


def _is_told(row: Row, thresholds: Thresholds) -> bool:
    is_move = row["event"] in {"climbed", "fell"} and not row["is_new_peak"]
    return not is_move or 100 * abs(row["movement"]) >= thresholds.move_percent * row["list_length"]


def _section(title: str, rows: Sequence[Row], line: Callable[[Row], str], most: int) -> Iterator[list[str]]:
    """Yields the parts of a section: its title, and each recording with what happened to it."""
    if not rows:
        return
    of_each: dict[str, list[Row]] = {}
    for row in rows:
        of_each.setdefault(row["recording_id"], []).append(row)
    yield [f"{title}: {counted(len(rows), 'event')} of {counted(len(of_each), 'recording')}"]
    for of_one in list(of_each.values())[:most]:
        yield list(_recording(of_one, line))
    if len(of_each) > most:
        yield [f"… and {counted(len(of_each) - most, 'more recording')}: see the page."]


def _recording(rows: Sequence[Row], line: Callable[[Row], str]) -> Iterator[str]:
    first = rows[0]
    watched_by = f" ({_name(first['watched_by'])})" if "watched_by" in first else ""
    yield f"{_name(first['track_name'])} by {_name(first['artists'])}{watched_by}"
    arrivals = sum(row.get("event") in _ARRIVALS for row in rows)
    if arrivals > 1:
        yield f"  spread to {arrivals} lists at once"
    yield from (f"  {line(row)}" for row in rows[:_MOST_LINES])
    if len(rows) > _MOST_LINES:
        yield f"  … and {len(rows) - _MOST_LINES} more"
    if link := track_url(first["track_id"]):
        yield f"  {link}"


def _watched_line(row: Row) -> str:
    list_, place = _name(row["playlist_name"]), f"{row['position']} of {row['list_length']}"
    if row["event"] == "dropped":
        weeks = counted(row["weeks_on_list"], "week")
        return f"dropped from {list_}: last at {place}, at best at {row['peak']}, listed for {weeks}"
    told = {
        "first appearance": f"first appearance, on {list_} at {place}",
        "added": f"added to {list_} at {place}",
        "re-entered": f"back on {list_} at {place}",
        "new version": f"new version on {list_} at {place}",
        "peaked": f"on {list_} at {place}",
    }
    parts = (
        told.get(row["event"]) or _moved(row),
        _new_peak(row) if row["is_new_peak"] else "",
        _metric(row),
        "" if row["complete"] else "though other entries of the list are missing",
    )
    return ", ".join(filter(None, parts))


def _spike_line(row: Row) -> str:
    if row["spike"] == "spread":
        lists = counted(int(row["size"]), row["kind"])
        return f"new or back on {lists} at once: {_name(row['spread_to'], 3 * _LONGEST_NAME)}"
    if row["spike"] == "grew":
        list_, place = _name(row["playlist_name"]), f"{row['position']} of {row['list_length']}"
        return f"{row['metric_name']} grew by {row['size']:.0f} % on {list_}: {_metric(row)}, at {place}"
    return ", ".join(filter(None, (_moved(row), _metric(row))))


def _moved(row: Row) -> str:
    direction = "up" if row["movement"] > 0 else "down"
    return (
        f"{direction} {abs(row['movement'])} on {_name(row['playlist_name'])}, from {row['previous_position']} to "
        f"{row['position']} of {row['list_length']}"
    )


def _new_peak(row: Row) -> str:
    of_another_day = f" was {row['peak']} on {day(row['peak_on'])}" if row["peak"] < row["position"] else ""
    return f"its best place so far{of_another_day}"


def _metric(row: Row) -> str:
    if row["metric_value"] is None:
        return ""
    change = f" ({row['metric_change']:+,})" if row["metric_change"] is not None else ""
    return f"{row['metric_value']:,} {row['metric_name']}{change}"


def _name(text: str | None, longest: int = _LONGEST_NAME) -> str:
    line = " ".join(_CONTROLS.sub(" ", text or "unknown").split())
    return line if len(line) <= longest else f"{line[: longest - 1]}…"
