"""What a week's lists, genres and sound come to: what the first page tells."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from analytics.report.answers import Answers, Row
from analytics.report.lists import Entry, RecordingList
from analytics.report.statistics import FEWEST, Estimate, difference, mean, share

MOST: Final = 5
"""Rows of a card of the first page."""
_GENRES: Final = 6
_LABELS: Final = 6
_SPANS: Final = 13
"""Spans of four weeks in a year."""
_SOUND: Final = {
    "danceability": "danceability",
    "energy": "energy",
    "tempo_bpm": "tempo (bpm)",
    "valence": "positiveness",
}


class Mover(NamedTuple):
    """A recording that came, went, moved or is at the top, on all lists where it did or is.

    Attributes:
        first: Where that matters most.
        others: The other lists.
    """

    first: Entry
    others: Sequence[Entry]


class Spreading(NamedTuple):
    """A recording that is on more lists than a week before.

    Attributes:
        entry: Where it is highest.
        lists: How many lists have it.
        before: How many of them had it a week before.
        came_to: Those that did not.
        followers: Followers of the lists that it came to; None if nobody tells any.
        reach: Followers of all lists that have it; None likewise.
    """

    entry: Entry
    lists: int
    before: int
    came_to: Sequence[RecordingList]
    followers: int | None
    reach: int | None


class Trend(NamedTuple):
    """A genre or a feature of the sound over a year.

    Attributes:
        name: Its name.
        values: It in each span of four weeks, the oldest first; None where too little is known.
        now: It in the last span.
        changes: Since 12 weeks before, and since 48 weeks before; None where there is no such span.
    """

    name: str
    values: Sequence[Estimate | None]
    now: Estimate
    changes: tuple[Estimate | None, Estimate | None]

    @property
    def low(self) -> float:
        """The lowest that it may have been."""
        return min(value.low for value in self.values if value)

    @property
    def high(self) -> float:
        """The highest that it may have been."""
        return max(value.high for value in self.values if value)


class LabelShare(NamedTuple):
    """The places that a group of labels holds on the lists of the week."""

    name: str
    now: int
    before: int
    best: Entry


class Overlap(NamedTuple):
    """Which recordings two lists share: the lists, and for each pair how many and which share of the smaller."""

    lists: Sequence[RecordingList]
    shared: Mapping[tuple[str, str], int]


@dataclass(frozen=True, slots=True)
class Findings:
    """What the first page tells.

    Attributes:
        lists: All lists in order.
        headlines: The lists whose moves are news.
        tops: The number ones of these, each with the lists that it tops, first those that know the week before.
        new, back, climbed, left, versions: The movers that matter, those that matter most first.
        spreading: The recordings that came to lists.
        labels: Who holds the places.
        genres, sound: The year's trends.
    """

    lists: Sequence[RecordingList]
    headlines: Sequence[RecordingList]
    tops: Sequence[Mover]
    new: Sequence[Mover]
    back: Sequence[Mover]
    climbed: Sequence[Mover]
    left: Sequence[Mover]
    versions: Sequence[Mover]
    spreading: Sequence[Spreading]
    labels: Sequence[LabelShare]
    genres: Sequence[Trend]
    sound: Sequence[Trend]


def findings(answers: Answers, lists: Sequence[RecordingList]) -> Findings:
    """What the answers come to."""
    headlines = headline_lists(lists)
    number_ones = [first for each in headlines if (first := each.number_one)]
    listed = [entry for each in headlines if each.is_comparable for entry in each.entries]
    gone = [entry for each in headlines if each.is_comparable for entry in each.gone]

    return Findings(
        lists=lists,
        headlines=headlines,
        tops=_by_recording(sorted(number_ones, key=lambda first: not first.list.is_comparable)),
        new=_movers((each for each in listed if each.is_new), lambda entry: entry.height),
        back=_movers((each for each in listed if each.is_back), lambda entry: entry.height),
        climbed=_movers((each for each in listed if each.step > 0), lambda entry: entry.step),
        left=_movers(gone, lambda entry: entry.height),
        versions=_movers((each for each in listed if each.arrival == "new version"), lambda entry: entry.height),
        spreading=_spreading(lists),
        labels=_labels(headlines),
        genres=_genres(answers.genres),
        sound=_sound(answers.sound),
    )


def headline_lists(lists: Sequence[RecordingList]) -> list[RecordingList]:
    """The lists of the week whose moves are news: charts and flagships, or others where there are none."""
    current = [each for each in lists if each.is_current]
    return [each for each in current if each.kind in {"chart", "flagship"}] or current


def overlap(lists: Sequence[RecordingList]) -> Overlap:
    """How many recordings each two of the week's lists share."""
    current = [each for each in lists if each.is_current]
    recordings = {each.id: {entry.recording for entry in each.entries} for each in current}
    return Overlap(
        current,
        {(a.id, b.id): len(recordings[a.id] & recordings[b.id]) for a in current for b in current},
    )


def _movers(entries: Iterable[Entry], worth: Callable[[Entry], float]) -> list[Mover]:
    found = _by_recording(sorted(entries, key=lambda each: (-worth(each), each.position, each.list.name)))
    # what many lists agree on matters more than one list's last place
    return sorted(found, key=lambda each: -sum(map(worth, (each.first, *each.others))))


def _by_recording(entries: Iterable[Entry]) -> list[Mover]:
    found: dict[str, list[Entry]] = {}
    for entry in entries:
        found.setdefault(entry.recording, []).append(entry)
    return [Mover(first, others) for first, *others in found.values()]


def _spreading(lists: Sequence[RecordingList]) -> list[Spreading]:
    comparable = [each for each in lists if each.is_comparable and not each.is_new]
    standing: dict[str, list[Entry]] = {}
    for list_ in comparable:
        for entry in (*list_.entries, *list_.uncertain, *list_.gone):
            standing.setdefault(entry.recording, []).append(entry)
    found = []
    for entries in standing.values():
        now, before = [each for each in entries if each.is_listed], [each for each in entries if each.was_listed]
        came_to = [each.list for each in now if not each.was_listed]
        if len(now) > max(len(before), 1) and came_to:
            highest = max(now, key=lambda each: each.height)
            reach = _followers(each.list for each in now)
            found.append(Spreading(highest, len(now), len(before), came_to, _followers(came_to), reach))
    return sorted(found, key=lambda each: (each.before - each.lists, -(each.followers or 0), -each.entry.height))


def _followers(lists: Iterable[RecordingList]) -> int | None:
    known = [each.row["followers"] for each in lists if each.row["followers"] is not None]
    return sum(known) if known else None


def _labels(lists: Sequence[RecordingList]) -> list[LabelShare]:
    entries: dict[str, list[Entry]] = {}
    for list_ in lists:
        for entry in (*list_.entries, *list_.gone) if list_.is_comparable else ():
            if entry.label_group:
                entries.setdefault(entry.label_group, []).append(entry)
    shares = [
        LabelShare(
            name,
            sum(each.is_listed for each in held),
            sum(each.was_listed for each in held),
            max(held, key=lambda each: (each.is_listed, each.height)),
        )
        for name, held in entries.items()
    ]
    return sorted(shares, key=lambda each: (-each.now, each.name))[:_LABELS]


def _genres(rows: Sequence[Row]) -> list[Trend]:
    known = {row["age"]: row["known"] for row in rows if row["known"] >= FEWEST}
    counts = {(row["genre"], row["age"]): row["recordings"] for row in rows}
    trends = []
    for genre in dict.fromkeys(row["genre"] for row in rows):
        # a span in which the genre has no row may have fewer than were asked for, but not more than that
        values = [share(counts.get((genre, age), 0), known[age]) if age in known else None for age in _ages()]
        trends += _trend(genre, values)
    largest = trends[:_GENRES]
    return [
        *largest,
        *(each for each in trends[_GENRES:] if any(change and change.is_clear for change in each.changes)),
    ][: _GENRES + 2]


def _sound(rows: Sequence[Row]) -> list[Trend]:
    values = {(row["feature"], row["age"]): mean(row["average"], row["spread"], row["recordings"]) for row in rows}
    return [
        trend
        for feature, name in _SOUND.items()
        for trend in _trend(name, [values.get((feature, age)) for age in _ages()])
    ]


def _ages() -> Iterable[int]:
    return range(_SPANS - 1, -1, -1)


def _trend(name: str, values: Sequence[Estimate | None]) -> list[Trend]:
    now, quarter, year = values[-1], values[-4], values[0]
    if now is None:
        return []
    return [Trend(name, values, now, (quarter and difference(now, quarter), year and difference(now, year)))]
