"""The watch list: what it watches, where that is listed, and what happened to it in the week."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from analytics.report.answers import Answers
from analytics.report.lists import Entry, RecordingList, artist_url, slug

_EVENTS: Final = ("first appearance", "added", "re-entered", "dropped", "new version")
"""Those that lead, in this order; moves follow."""


class Event(NamedTuple):
    """What happened to a watched recording on a list: an event of the view `weekly_chart`, or `dropped`."""

    name: str
    entry: Entry
    record: "Record"


@dataclass(frozen=True, slots=True, eq=False)
class Record:
    """A watched recording.

    Attributes:
        id: What the lake calls it.
        entries: Where it is listed, or was until this week, the highest first.
        watched_by: The entries of the watch list that watch it.
    """

    id: str
    entries: Sequence[Entry]
    watched_by: Sequence[str]

    @property
    def page(self) -> str:
        """The name of its page."""
        return f"recording-{slug(self.id)}"

    @property
    def listed(self) -> list[Entry]:
        """Where it is listed this week."""
        return [each for each in self.entries if each.list.is_current and each.is_listed]


@dataclass(frozen=True, slots=True, eq=False)
class WatchedArtist:
    """An artist of the watch list.

    Attributes:
        value: The name or the id that is watched.
        note: Why it is watched, or whom an id stands for.
        records: The recordings, those that are listed highest first.
    """

    value: str
    note: str
    records: Sequence[Record]

    @property
    def page(self) -> str:
        """The name of the page."""
        return f"artist-{slug(self.value)}"

    @property
    def name(self) -> str:
        """The name that is watched; of an id the name as the lists have it, or else its note."""
        if not artist_url(self.value):
            return self.value
        known = (artist for record in self.records for entry in record.entries for artist in entry.artists)
        return next((artist.name for artist in known if artist.id == self.value), self.note or self.value)


@dataclass(frozen=True, slots=True)
class Records:
    """The watch list in the week.

    Attributes:
        size: How many entries the watch list has.
        events: What happened, that which matters most first.
        records: The recordings that are listed or were until this week, by id.
        artists: The artists.
        silent: Entries of which nothing is listed, as type and value.
    """

    size: int
    events: Sequence[Event]
    records: Mapping[str, Record]
    artists: Sequence[WatchedArtist]
    silent: Sequence[str]

    @property
    def happenings(self) -> list[tuple[Event, Sequence[Event]]]:
        """The events, those of a recording that are alike on several lists together: the first, and the others."""
        alike: dict[tuple[str, str], list[Event]] = {}
        for event in self.events:
            alike.setdefault((event.record.id, event.name), []).append(event)
        return [(first, others) for first, *others in alike.values()]

    @property
    def counts(self) -> list[tuple[str, int]]:
        """How often each event happened, in their order."""
        return [*Counter(event.name for event in self.events).items()]

    def leading(self, most: int) -> list[tuple[Event, Sequence[Event]]]:
        """The happenings that matter most: of arrivals, drops and moves each in turn, so that none hides the others."""
        happenings, of_each = self.happenings, Counter[str]()
        turns = []
        for place, (event, _) in enumerate(happenings):
            group = event.name if event.name == "dropped" else "arrived" if event.name in _EVENTS else "moved"
            turns.append((of_each[group], place))
            of_each[group] += 1
        return [happenings[place] for place in sorted(place for _, place in sorted(turns)[:most])]


def records(answers: Answers, lists: Sequence[RecordingList]) -> Records:
    """What the watch list comes to."""
    standing: dict[str, list[Entry]] = {}
    for list_ in lists:
        for entry in (*list_.entries, *list_.uncertain, *list_.gone):
            standing.setdefault(entry.recording, []).append(entry)
    watchers: dict[str, list[str]] = {}
    watched: dict[tuple[str, str], list[str]] = {}
    notes: dict[tuple[str, str], str] = {}
    for row in answers.watch_list:
        key = (row["type"], row["value"])
        notes[key] = row["note"] or ""
        of_entry = watched.setdefault(key, [])
        if row["recording_id"] in standing:
            of_entry.append(row["recording_id"])
            watchers.setdefault(row["recording_id"], []).append(" ".join(key))
    found = {id_: Record(id_, sorted(standing[id_], key=_highest), of_id) for id_, of_id in watchers.items()}
    artists = [
        WatchedArtist(value, notes[type_, value], sorted((found[id_] for id_ in ids), key=_first))
        for (type_, value), ids in watched.items()
        if type_ == "artist"
    ]
    return Records(
        len(watched),
        sorted(_events(found.values()), key=_importance),
        found,
        artists,
        [" ".join(key) for key, ids in watched.items() if not any(found[id_].listed for id_ in ids)],
    )


def _events(found: Iterable[Record]) -> Iterable[Event]:
    for record in found:
        for entry in record.entries:
            name = {"listed": entry.event, "left": "dropped"}.get(entry.state)
            if name and entry.list.is_current:
                yield Event(name, entry, record)


def _importance(event: Event) -> tuple[object, ...]:
    entry, moved = event.entry, 0 if event.name == "dropped" else abs(event.entry.movement or 0)
    rank = _EVENTS.index(event.name) if event.name in _EVENTS else len(_EVENTS)
    return (rank, -moved / entry.list_length, entry.position, entry.list.name, entry.list.id, entry.recording)


def _highest(entry: Entry) -> tuple[object, ...]:
    return (not entry.list.is_current, not entry.is_listed, -entry.height, entry.list.name)


def _first(record: Record) -> tuple[object, ...]:
    return _highest(record.entries[0])
