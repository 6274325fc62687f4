"""The pages of a week's report: a folder of HTML files that need no network and no script, and one file with all."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple

from jinja2 import Environment
from markupsafe import Markup

from analytics.html import templates
from analytics.report import drawings
from analytics.report.answers import Answers
from analytics.report.caveats import caveats
from analytics.report.findings import MOST, findings, overlap
from analytics.report.lists import RecordingList, artist_url, lists_of
from analytics.report.records import Event, Records, records
from analytics.report.statistics import CONFIDENCE, survival
from analytics.wording import counted, day

INDEX: Final = "index.html"
_PAGE_LINK: Final = re.compile(r'href="([\w-]+)\.html(?:#([\w-]+))?"')
_KINDS: Final = {
    "chart": "a ranking by numbers, whose moves are news",
    "flagship": "editors put it together for many followers; its order is their choice, and no measure of streams",
    "personal": "few follow it, or nobody knows how many; its moves are news only where there are no others",
    "catalogue": "it hardly changes, or is shuffled; its order means nothing, so that nothing on it climbs",
}
_TONES: Final = {
    "first appearance": "new",
    "added": "new",
    "re-entered": "new",
    "new version": "new",
    "climbed": "up",
    "peaked": "up",
    "fell": "down",
    "dropped": "down",
}
_ARRIVALS: Final = {"debut": "new", "return": "back", "new version": "version"}
_SOURCES: Final = {"spotify": "Spotify playlist", "spotify_charts": "Spotify chart", "listenbrainz": "Open listening"}
_LIMITS: Final = {
    "most": MOST,
    "most_artists": 4,
    "most_lists": 12,
    "most_map": 20,
    "most_movers": 100,
    "most_moves": 15,
    "most_phone": 3,
    "most_events": 8,
    "most_places": 3,
}
_MOST_SENT: Final = 20
"""Entries of a list in the single file, so that a mail takes it, however many lists there are and however long."""


class Page(NamedTuple):
    """A page without what is around it."""

    name: str
    title: str
    body: Markup


def report(answers: Answers) -> Mapping[str, str]:
    """The report as files: `index.html` comes last, and `single_file` names the one that holds all pages.

    Raises:
        ValueError: No list has a chart of the week: nothing can be told.
    """
    lists = lists_of(answers)
    if not any(each.is_current for each in lists):
        last = max((each.row["seen_on"] for each in lists), default=None)
        before = f", and the last one in the year before is of {last}" if last else ""
        raise ValueError(f"no chart of the week of {answers.monday}{before}: there is nothing to report")
    jinja = _environment(answers)
    ours = records(answers, lists)
    jinja.globals |= {"found": findings(answers, lists), "ours": ours}
    pages = list(_pages(jinja, answers, lists, ours))
    heads = {page.name: page for page in _list_pages(jinja, answers, lists, most_entries=_MOST_SENT)}
    document = jinja.get_template("document.html.j2")
    files = {f"{each.name}.html": document.render(pages=[each], title=each.title) for each in pages}
    whole = document.render(pages=[heads.get(each.name, each) for each in pages], title=pages[0].title)
    return {
        single_file(answers.monday): _PAGE_LINK.sub(lambda link: f'href="#{link[2] or link[1]}"', whole),
        **dict(sorted(files.items(), key=lambda each: each[0] == INDEX)),
    }


def single_file(monday: date) -> str:
    """The name of the file with all pages of a week, of each list with its first entries alone, which can be sent."""
    return f"week-{monday}.html"


def _pages(jinja: Environment, answers: Answers, lists: Sequence[RecordingList], ours: Records) -> Iterable[Page]:
    happened: dict[str, list[Event]] = {}
    for event in ours.events:
        happened.setdefault(event.record.id, []).append(event)

    def page(name: str, template: str, title: str, **context: Any) -> Page:
        return _page(jinja, name, template, title, **context)

    week = f"week of {day(answers.monday)}"
    stale = [each for each in lists if not each.is_current]
    yield page("index", "front.html.j2", f"The {week}", caveats=caveats(answers, lists), stale=stale)
    yield page("records", "records.html.j2", f"Our records, {week}")
    yield page("movers", "movers.html.j2", f"What moved, {week}")
    yield page("lists", "lists.html.j2", f"Lists, {week}", shared=overlap(lists))
    yield from _list_pages(jinja, answers, lists)
    for record in ours.records.values():
        title = f"{record.entries[0].title}, {week}"
        yield page(record.page, "recording.html.j2", title, record=record, happened=happened.get(record.id, []))
    for artist in ours.artists:
        of_artist = [event for record in artist.records for event in happened.get(record.id, [])]
        url = artist_url(artist.value)
        yield page(artist.page, "artist.html.j2", f"{artist.name}, {week}", artist=artist, url=url, happened=of_artist)
    yield page("definitions", "definitions.html.j2", "How it is counted")


def _list_pages(
    jinja: Environment, answers: Answers, lists: Sequence[RecordingList], most_entries: int | None = None
) -> Iterable[Page]:
    for each in lists:
        title = f"{each.name}, week of {day(answers.monday)}"
        yield _page(jinja, each.page, "list.html.j2", title, list=each, most_entries=most_entries)


def _page(jinja: Environment, name: str, template: str, title: str, **context: Any) -> Page:
    # the template has escaped what it was given
    return Page(name, title, Markup(jinja.get_template(template).render(context)))  # noqa: S704


def _environment(answers: Answers) -> Environment:
    jinja = templates(Path(__file__).parent)
    jinja.filters |= {
        "alone": lambda event: (event, ()),
        "count": counted,
        "day": day,
        "grouped": _grouped,
        "percent": _percent,
        "provenance": _provenance,
        "signed": _signed,
        "whole_percent": _whole_percent,
    }
    jinja.globals |= {
        **_LIMITS,
        "answers": answers,
        "arrivals": _ARRIVALS,
        "band": drawings.band,
        "confidence": f"{CONFIDENCE:.0%}",
        "decimals": _decimals,
        "kinds": _KINDS,
        "nothing": partial(_nothing, answers),
        "percent_points": _percent_points,
        "steps": drawings.steps,
        "tones": _TONES,
        "sunday": answers.monday + timedelta(days=6),
        "survival": survival,
        "way": drawings.way,
    }
    return jinja


def _provenance(list_: RecordingList) -> str:
    source = _SOURCES.get(list_.row["source"]) or str(list_.row["source"])
    return f"{source}, simulated" if list_.is_simulated else source


def _nothing(answers: Answers, otherwise: str) -> str:
    return f"Not deployed: {', '.join(answers.absent)}." if answers.absent else otherwise


def _grouped(number: int | None) -> str:
    return "-" if number is None else f"{number:,}"


def _signed(number: int | None) -> str:
    return "-" if number is None else f"{number:+,}" if number else "0"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _whole_percent(percent: float | None) -> str:
    return "-" if percent is None else f"{percent:.0f} %"


def _percent_points(share: float, *, signed: bool = False) -> str:
    return _change(100 * share, places=1) if signed else f"{100 * share:.1f} %"


def _decimals(value: float, *, signed: bool = False) -> str:
    places = 0 if abs(value) >= 10 and not signed else 1 if abs(value) >= 1 else 2
    return _change(value, places) if signed else f"{value:.{places}f}"


def _change(value: float, places: int) -> str:
    """A number with its sign, unless it rounds to nothing."""
    told = f"{value:+z.{places}f}"
    return told if float(told) else told.removeprefix("+")
