"""Lakes that a report may have to tell of, and pages as a person reads them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from html.parser import HTMLParser
from typing import Any

from analytics.athena import Answer
from analytics.report import Answers
from analytics.week import collect
from tests.analytics.lake import Lake

MONDAY = date(2026, 11, 23)
SUNDAY = MONDAY + timedelta(days=6)
_VOID = {"meta", "link", "br", "path", "rect"}


@dataclass
class LakeAthena:
    """Asks a lake in memory as Athena is asked."""

    lake: Lake

    def ask(self, sql: str, parameters: Sequence[str] = ()) -> Answer:
        return self.lake.answer(sql, parameters)

    def start(self, sql: str, parameters: Sequence[str] = ()) -> Answer:
        return self.ask(sql, parameters)

    def answer(self, query: Answer) -> Answer:
        return query


def answers_of(lake: Lake, **fields: Any) -> Answers:
    """What a lake answers on the Sunday of the week."""
    athena: Any = LakeAthena(lake)
    found = collect(athena, MONDAY, today=SUNDAY, place="earworm-dev at AWS eu-west-1")
    return replace(found, **fields)


def week(ago: int) -> str:
    """The Monday of so many weeks before the week."""
    return str(MONDAY - timedelta(weeks=ago))


def tell_a_history(lake: Lake) -> None:
    """Four weeks of three lists whose last one has a drop, a re-entry, a new version, a spread and a climb.

    On Hits, B drops from number 2, Z is back, C stands there under another id, and K climbs from 11 to the top. S,
    which Fresh had, comes to Hits and Club, too. Everything else stays or is pushed by these.
    """
    for ago in (3, 2, 1, 0):
        hits = "K A C2 D E F G H I J L S Z" if ago == 0 else "A B C D E F G H I J K L" + " Z" * (ago == 3)
        isrcs = dict.fromkeys(("C", "C2"), "GBAYE6800011")
        lake.chart(week(ago), "hits", hits, metadata={"followers": 1_000_000}, isrcs=isrcs)
        lake.chart(week(ago), "fresh", "S M N O P Q R T U V", metadata={"followers": 20_000})
        lake.chart(week(ago), "club", "CA CB CC CD CE CF" + " S" * (ago == 0), metadata={"followers": 3_000})


def answers(**fields: Any) -> Answers:
    """What is answered of a playlist with a single recording, and of nothing else."""
    known: dict[str, Any] = {
        "made_on": SUNDAY,
        "monday": MONDAY,
        "last_day": SUNDAY,
        "place": "earworm-dev at AWS eu-west-1",
        "lists": [list_row()],
        "entries": [entry_row()],
    }
    return Answers(**known | fields)


def list_row(**fields: Any) -> dict[str, Any]:
    """A row of lists_of_the_week, of which nothing is amiss."""
    return {
        "playlist_id": "top",
        "playlist_name": "Top Songs",
        "kind": "playlist",
        "list_kind": "flagship",
        "source": "spotify",
        "region": None,
        "frequency": None,
        "period_start": MONDAY,
        "period_end": MONDAY,
        "seen_on": MONDAY,
        "is_current": True,
        "entries": 1,
        "missing": 0,
        "whole": True,
        "simulated": False,
        "first_on": MONDAY,
        "snapshots": 1,
        "weeks_missing": 0,
        "weeks": "0",
        "owner_name": None,
        "followers": None,
        "features": 100.0,
        "genres": 100.0,
        "refused_values": 0,
        **fields,
    }


def entry_row(**fields: Any) -> dict[str, Any]:
    """A row of week_on_the_lists: the first chart of the list."""
    return {
        "playlist_id": "top",
        "state": "listed",
        "week": MONDAY,
        "snapshot_on": MONDAY,
        "complete": True,
        "position": 1,
        "previous_position": None,
        "movement": None,
        "weeks_since_previous": None,
        "list_length": 1,
        "metric_name": None,
        "metric_value": None,
        "metric_change": None,
        "arrival": "first chart",
        "event": None,
        "is_new_peak": False,
        "weeks_on_list": 1,
        "peak": 1,
        "peak_on": MONDAY,
        "label": None,
        "label_group": None,
        "recording_id": "A",
        "track_id": "A",
        "track_name": "Song A",
        "artists": "Band A",
        "artist_ids": None,
        "artist_names": None,
        "run_id": "run-7",
        "way": "0:1",
        **fields,
    }


def trends() -> dict[str, Any]:
    """A year of genres and sound in which pop loses and rap wins, and the rest is chance."""
    genres = [
        {"age": age, "genre": genre, "recordings": recordings + steps * age, "known": 200, "listed": 220}
        for genre, recordings, steps in (("pop", 60, 5), ("rap", 90, -5), ("rock", 20, 0))
        for age in range(13)
    ]
    sound = [
        {"age": age, "feature": feature, "recordings": 200, "average": 0.5 + age / 100, "spread": 0.2}
        for feature in ("danceability", "energy", "valence")
        for age in range(13)
        if age != 5
    ]
    return {"genres": genres, "sound": sound}


class Reader(HTMLParser):
    """Reads a page as a person would, section by section, and checks that what is opened is closed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.addresses: list[str] = []
        self.ids: list[str] = []
        self.words: dict[str, list[str]] = {"": []}
        self.section = ""
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        if tag not in _VOID:
            self.open.append(tag)
        self.addresses += [address for name in ("href", "src") if (address := named.get(name)) is not None]
        self.ids += [named["id"] or ""] if "id" in named else []
        if tag in {"h1", "h2", "h3"}:
            self.section = named.get("id") or ""
            self.words.setdefault(self.section, [])

    def handle_endtag(self, tag: str) -> None:
        if tag not in _VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1:] == ["h3"] and data.strip():
            self.section = data.strip()
            self.words.setdefault(self.section, [])
        elif self.open[-1:] != ["style"]:
            self.words[self.section] += data.split()

    @property
    def text(self) -> str:
        return " ".join(word for words in self.words.values() for word in words)

    def of(self, section: str) -> str:
        """What stands below a heading."""
        return " ".join(self.words[section])
