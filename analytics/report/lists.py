"""The lists of a week and what stands on them, as the report tells them."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from hashlib import sha256
from typing import Final, NamedTuple

from analytics.report.answers import Answers, Row
from contracts.ids import MBID, SPOTIFY_ID

WEEKS: Final = 26
"""The weeks of a recording's way."""
_KINDS: Final = ("chart", "flagship", "personal", "catalogue")
"""Kinds of list in the order of the page."""
_SHORT_MOVE: Final = 3
"""Places that are never news, however short the list."""


class Artist(NamedTuple):
    """A credited artist; without an address where the source tells no id."""

    id: str | None
    name: str
    url: str | None


@dataclass(frozen=True, slots=True)
class Entry:
    """A recording on a list, or one that left it.

    Attributes:
        list: The list.
        recording: What the lake calls the recording.
        track_id: The id that stands on the list.
        title: Its title.
        artists: Who is credited.
        state: listed, left or unknown; see the query `week_on_the_lists`.
        week: The Monday of the last chart that has it.
        arrival: How it came to be in that chart; see the view `weekly_chart`.
        event: What happened to it in that chart; see there. None if it just stayed.
        is_new_peak: Whether it was on the list before, and never as high.
        position: Its position there.
        movement: Places gained since the chart before; None if that does not have it.
        weeks_since_previous: How many weeks that chart is older.
        list_length: The last position of the chart that has it, by which moves are measured.
        weeks: How many weeks it has been listed.
        peak: Its best position so far, in any snapshot.
        peak_on: The day on which it first had that.
        metric_value: What a chart counts of it.
        metric_change: How much more that is than in the chart before.
        label: Its label.
        label_group: The group of the label.
        way: Its positions by how many weeks before the week of the report they are.
    """

    list: "RecordingList"
    recording: str
    track_id: str
    title: str
    artists: tuple[Artist, ...]
    state: str
    week: date
    arrival: str
    event: str | None
    is_new_peak: bool
    position: int
    movement: int | None
    weeks_since_previous: int | None
    list_length: int
    weeks: int
    peak: int
    peak_on: date
    metric_value: int | None
    metric_change: int | None
    label: str | None
    label_group: str | None
    way: Mapping[int, int]

    @property
    def url(self) -> str | None:
        """Its address."""
        return track_url(self.track_id)

    @property
    def is_listed(self) -> bool:
        """Whether it is on the list, or nobody knows that it left."""
        return self.state != "left"

    @property
    def was_listed(self) -> bool:
        """Whether it was on the list before its last chart, or may have been."""
        return not self.is_new and not self.is_back

    @property
    def is_new(self) -> bool:
        """Whether the list has it for the first time."""
        return self.state == "listed" and self.arrival == "debut"

    @property
    def is_back(self) -> bool:
        """Whether the list has it again."""
        return self.state == "listed" and self.arrival == "return"

    @property
    def height(self) -> float:
        """How high on its list it is, or was: 1 at the top, near 0 at the end."""
        return (self.list.size - self.position + 1) / self.list.size

    @property
    def step(self) -> float:
        """The share of its list's length that it moved within a week; 0 if that is no news or not known."""
        moved = self.movement if self.state == "listed" and self.weeks_since_previous == 1 else None
        if moved is None or abs(moved) < max(_SHORT_MOVE, self.list_length / 10) or not self.list.has_order:
            return 0
        return moved / self.list_length


@dataclass(frozen=True, eq=False)
class RecordingList:
    """A playlist or a chart, as of the week.

    Attributes:
        id: What the lake calls it.
        name: Its name.
        row: What `lists_of_the_week` tells of it.
        weeks: How many weeks before the week of the report each of its weekly charts is.
        entries: Its last weekly chart, the top first.
        gone: What left with that chart.
        uncertain: What it may still have: that chart does not show it, and is not complete.
        stays: How long recordings stayed, as `time_on_list` tells.
    """

    id: str
    name: str
    row: Row
    weeks: frozenset[int]
    entries: list[Entry] = field(default_factory=list)
    gone: list[Entry] = field(default_factory=list)
    uncertain: list[Entry] = field(default_factory=list)
    stays: list[Row] = field(default_factory=list)

    @property
    def page(self) -> str:
        """The name of its page."""
        return f"list-{slug(self.id)}"

    @property
    def kind(self) -> str:
        """chart, flagship, catalogue or personal; see the view `list_kinds`."""
        return str(self.row["list_kind"] or "personal")

    @property
    def is_chart(self) -> bool:
        """Whether a source published it as a ranking of its own."""
        return bool(self.row["kind"] == "chart")

    @property
    def is_simulated(self) -> bool:
        """Whether a simulator made it up."""
        return bool(self.row["simulated"])

    @property
    def is_current(self) -> bool:
        """Whether it has a chart of the week."""
        return bool(self.row["is_current"])

    @property
    def is_complete(self) -> bool:
        """Whether each entry of its last chart is known."""
        return bool(self.row["whole"]) and not self.row["missing"] and self.row["complete"]

    @property
    def lacking(self) -> str:
        """What nobody knows of its last chart, which is not complete."""
        known, missing = len(self.entries), self.row["missing"]
        reasons = [f"{known} of {known + missing} entries known"] if missing else []
        if not self.row["whole"]:
            reasons.append("fewer entries than Spotify counts")
        return ", ".join(reasons) or "no entry with an id"

    @property
    def is_comparable(self) -> bool:
        """Whether it has a chart of the week and one of the week before."""
        return {0, 1} <= self.weeks

    @property
    def is_new(self) -> bool:
        """Whether its first chart is of the week."""
        return self.is_current and bool(self.entries) and all(each.arrival == "first chart" for each in self.entries)

    @property
    def has_order(self) -> bool:
        """Whether its order means anything."""
        return self.kind != "catalogue"

    @property
    def number_one(self) -> Entry | None:
        """The recording at its top; None if its order means nothing, or that entry is not known or is no recording."""
        first = self.entries[0] if self.entries and self.has_order else None
        return first if first and first.position == 1 else None

    @cached_property
    def size(self) -> int:
        """How many entries it has, known or not."""
        return max(self.row["entries"] or 0, *(each.position for each in (*self.entries, *self.gone)), 1)

    @property
    def metric(self) -> str | None:
        """What it counts: streams, listens; None if it tells no numbers."""
        name: str | None = self.row["metric_name"]
        return name

    @property
    def url(self) -> str | None:
        """Its address at its source."""
        if SPOTIFY_ID.fullmatch(self.id):
            return f"https://open.spotify.com/playlist/{self.id}"
        chart = self.id.removeprefix("spotify_charts-")
        if self.row["source"] == "spotify_charts":
            return f"https://charts.spotify.com/charts/view/{chart}/{self.row['period_end']}"
        return None

    @property
    def arrivals(self) -> list[Entry]:
        """What is new or back, the top first."""
        return [each for each in self.entries if each.is_new or each.is_back]

    @cached_property
    def lowest(self) -> int:
        """The lowest position on any way of its recordings."""
        return max((place for each in (*self.entries, *self.gone) for place in each.way.values()), default=1)

    def movers(self, sign: int, most: int) -> list[Entry]:
        """The recordings that climbed (1) or fell (-1) the most since the chart before."""
        moved = [each for each in self.entries if (each.movement or 0) * sign > 0]
        return sorted(moved, key=lambda each: (-abs(each.movement or 0), each.position))[:most]


def lists_of(answers: Answers) -> list[RecordingList]:
    """The lists in the order of the page: those of the week first, by kind and by followers."""
    rows = _by_list(answers.entries)
    stays = _by_list(answers.stays)
    labels = {row["track_id"]: row for row in answers.labels}
    lists = []
    for row in answers.lists:
        entries = rows.get(row["playlist_id"], [])
        nothing = {"complete": not row["weeks"], "metric_name": None, "run_id": None}
        listed = next((each for each in entries if each["state"] == "listed"), nothing)
        list_ = RecordingList(
            row["playlist_id"],
            row["playlist_name"],
            {**row, **{column: listed[column] for column in ("complete", "metric_name", "run_id")}},
            frozenset(int(each) for each in (row["weeks"] or "").split()),
            stays=stays.get(row["playlist_id"], []),
        )
        places = {"listed": list_.entries, "left": list_.gone, "unknown": list_.uncertain}
        for entry in entries:
            places[entry["state"]].append(_entry(list_, entry, labels.get(entry["track_id"], {})))
        lists.append(list_)
    return sorted(lists, key=_rank)


def slug(id_: str) -> str:
    """A name for files and anchors that is as unique as an id."""
    plain = re.sub(r"[^0-9A-Za-z_-]+", "-", id_)[:60]
    return plain if plain == id_ else f"{plain.strip('-')}-{sha256(id_.encode()).hexdigest()[:8]}"


def track_url(id_: str) -> str | None:
    """The address of a track at Spotify, or of a recording at MusicBrainz; None if it is neither's id."""
    if SPOTIFY_ID.fullmatch(id_):
        return f"https://open.spotify.com/track/{id_}"
    return f"https://musicbrainz.org/recording/{id_}" if MBID.fullmatch(id_) else None


def artist_url(id_: str | None) -> str | None:
    """The address of an artist at Spotify; None if it is no id."""
    return f"https://open.spotify.com/artist/{id_}" if id_ and SPOTIFY_ID.fullmatch(id_) else None


def _rank(list_: RecordingList) -> tuple[object, ...]:
    is_world = (list_.row["region"] or "").lower() in {"global", ""}
    return (
        not list_.is_current,
        _KINDS.index(list_.kind) if list_.kind in _KINDS else len(_KINDS),
        not is_world,
        -(list_.row["followers"] or 0),
        list_.name,
        list_.id,
    )


def _by_list(rows: Iterable[Row]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row["playlist_id"], []).append(row)
    return found


def _entry(list_: RecordingList, row: Row, label: Row) -> Entry:
    source = row if row["label"] else label
    return Entry(
        list=list_,
        recording=row["recording_id"],
        track_id=row["track_id"],
        title=row["track_name"] or "untitled",
        artists=tuple(_artists(row, has_addresses=not list_.is_simulated)),
        state=row["state"],
        week=row["week"],
        arrival=row["arrival"],
        event=row["event"],
        is_new_peak=row["is_new_peak"],
        position=row["position"],
        movement=row["movement"],
        weeks_since_previous=row["weeks_since_previous"],
        list_length=row["list_length"],
        weeks=row["weeks_on_list"],
        peak=row["peak"],
        peak_on=row["peak_on"],
        metric_value=row["metric_value"],
        metric_change=row["metric_change"],
        label=source.get("label"),
        label_group=source.get("label_group"),
        way={int(age): int(place) for age, _, place in (each.partition(":") for each in row["way"].split())},
    )


def _artists(row: Row, *, has_addresses: bool) -> Iterable[Artist]:
    names = json.loads(row["artist_names"] or "[]")
    ids = json.loads(row["artist_ids"] or "[]")
    if not names and row["artists"]:
        yield Artist(None, row["artists"], None)
    for place, name in enumerate(names):
        id_ = ids[place] if len(ids) == len(names) else None
        yield Artist(id_, name or "unknown artist", artist_url(id_) if has_addresses else None)
