"""The page without a browser: what it says, and that it needs nothing but itself."""

import re
from dataclasses import replace
from datetime import date
from html.parser import HTMLParser
from typing import Any

import pytest

from analytics.report import lists_of, page
from analytics.report.drawings import sparkline
from tests.analytics.reports import WEEKS, chart_coverage, contents, coverage, entry

VOID = {"meta", "link", "br", "img", "polyline", "circle"}


class Reader(HTMLParser):
    """Reads a page as a person would: rows of tables, texts, headings; and checks that what is opened is closed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.addresses: list[str] = []
        self.ids: list[str] = []
        self.words: list[str] = []
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append(tag)
        for name, value in attrs:
            if name in {"href", "src", "xlink:href"}:
                self.addresses.append(value or "")
            if name == "id":
                self.ids.append(value or "")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1:] != ["style"]:
            self.words += data.split()

    @property
    def text(self) -> str:
        return " ".join(self.words)


def test_the_page_needs_no_network_and_no_script() -> None:
    html = page(contents())
    reader = Reader(html)

    assert "<script" not in html
    assert "@import" not in html
    assert "url(" not in html
    assert {address for address in reader.addresses if not address.startswith("#")} == {"data:,"}
    assert {address[1:] for address in reader.addresses if address.startswith("#")} <= {*reader.ids}
    assert len(reader.ids) == len(set(reader.ids))


def test_the_chart_says_position_movement_track_and_where_it_is_from() -> None:
    text = Reader(page(contents())).text

    assert "What is trending, week of 23 November 2026" in text
    assert "From snapshot of 2026-11-23, run run-7." in text
    for row in (
        "1 = unchanged Song A Band A last positions: 1, 1, 1, 1",
        "2 ▲ up 2 Song D Band D last positions: 4, 4, 4, 2",
        "3 new Song N Band N last positions: absent, absent, absent, 3",
        "5 ▼ down 3 Song B Band B",
        "6 back Song R Band R",
    ):
        assert row in text


def test_names_are_text_and_no_markup() -> None:
    html = page(contents())

    assert "&lt;b&gt;Tom &amp; Jerry&lt;/b&gt;" in html
    assert "<b>" not in html


def test_the_glance_names_the_number_one_the_highest_new_entry_and_the_biggest_climber() -> None:
    text = Reader(page(contents())).text

    assert "Number one of Top Songs Song A Band A 4 weeks listed" in text
    assert "Highest new entry Song N Band N number 3 of Top Songs" in text
    assert "Biggest climber Song D Band D up 2 to number 2 of Top Songs" in text


def test_genres_are_shares_of_their_month_the_rare_ones_together() -> None:
    text = Reader(page(contents())).text

    # of 9 + 8 + 7 + 6 + 5 + 4 + 3 = 42 parts those of t, u and v are beyond the five biggest of both months
    assert "month genre share Oct pop 75.0 % Oct unknown 25.0 % Nov p 21.4 %" in text
    assert "Nov s 14.3 % Nov others 28.6 %" in text


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"features_percent": 0.0}, "Top Songs: Spotify told no features"),
        ({"popularity_percent": None}, "Top Songs: Spotify told no popularity"),
        ({"genres_percent": 81.25}, "Top Songs: genres are known for 81.2 % only"),
        ({"weeks_missing": 1}, "1 week without a snapshot"),
        ({"partial_snapshots": 1, "snapshots_without_entries": 1}, "2 snapshots incomplete"),
        ({"last_day": "2026-11-16"}, "the newest snapshot is of 2026-11-16, before this week"),
    ],
)
def test_the_page_says_what_the_data_cannot_tell(fields: dict[str, object], sentence: str) -> None:
    assert sentence in Reader(page(contents(coverage=[coverage(**fields)]))).text
    assert sentence not in Reader(page(contents())).text


def test_a_simulated_history_is_called_that() -> None:
    assert "simulated" in Reader(page(contents(simulated=True))).text
    assert "simulated" not in Reader(page(contents())).text


def test_a_partial_chart_is_called_that() -> None:
    whole = contents()
    partial = replace(whole, entries=[row | {"complete": row["week"] != WEEKS[-1]} for row in map(dict, whole.entries)])

    assert "Not every entry of the list is known" in Reader(page(partial)).text
    assert "Not every entry of the list is known" not in Reader(page(whole)).text


def test_the_first_week_of_all_is_told_without_what_takes_several() -> None:
    first = contents(
        entries=[entry(WEEKS[-1], 1, "A", arrival="first chart", movement=None, weeks_on_list=1)],
        genres=[],
        sound=[],
        churn=[],
        survival=[],
    )

    text = Reader(page(first)).text

    assert "1 - not known Song A" in text
    assert "It takes two whole charts to tell." in text
    assert "No source told how these tracks sound." in text


def test_nothing_is_reported_of_nothing() -> None:
    with pytest.raises(ValueError, match="no chart from 2026-06-01 to 2026-11-25"):
        page(contents(entries=[]))


def test_one_playlist_is_told_as_one_and_several_as_many() -> None:
    one, other = entry(WEEKS[-1], 1, "A"), entry(WEEKS[-1], 1, "A", playlist_id="slow")

    assert ">1 playlist on Spotify" in page(contents(entries=[one]))
    assert ">2 playlists on Spotify" in page(contents(entries=[one, other]))


def test_each_list_has_its_last_chart() -> None:
    found = lists_of(
        [
            entry(WEEKS[-1], 1, "A"),
            entry(WEEKS[-2], 1, "B"),
            entry(WEEKS[-2], 1, "C", playlist_id="slow", playlist_name=None),
        ]
    )

    assert [(each.id, each.name, each.weeks[-1], each.chart[0]["recording_id"]) for each in found] == [
        ("slow", "slow", WEEKS[-2], "C"),
        ("top", "Top Songs", WEEKS[-1], "A"),
    ]


def ranked(position: int, track: str, streams: int, gained: int | None, **fields: Any) -> dict[str, Any]:
    """A row of weekly_chart of a Spotify chart."""
    told = {
        "kind": "chart",
        "playlist_id": "spotify_charts-regional-de-weekly",
        "playlist_name": "Spotify DE weekly",
    }
    period = {"period_start": date(2026, 11, 20), "period_end": date(2026, 11, 26), "run_id": None}
    numbers = {"metric_name": "streams", "metric_value": streams, "metric_change": gained}
    return entry(WEEKS[-1], position, track, **(told | period | numbers | fields))


def test_a_chart_stands_beside_playlists_with_its_streams_and_what_they_gained() -> None:
    plain = contents()
    chart = [ranked(1, "A", 1_234_567, 34_567), ranked(2, "B", 900_000, -1_000), ranked(3, "N", 800_000, None)]
    told = chart_coverage(missing_ranks=2, incomplete_charts=1)

    text = Reader(page(replace(plain, entries=[*plain.entries, *chart], chart_coverage=[told]))).text

    assert "1 playlist on Spotify and 1 chart, collected by Earworm." in text
    assert "From chart of 2026-11-20 to 2026-11-26, a document that was loaded." in text
    assert "Most streams gained # Streams Track 1 +34,567 Song A Band A" in text
    assert "Most streams lost # Streams Track 2 -1,000 Song B Band B" in text
    assert "1 = unchanged Song A Band A 1,234,567 +34,567" in text
    assert "3 = unchanged Song N Band N 800,000 -" in text
    assert "Spotify DE weekly: 2 ranks missing in 1 chart" in text
    assert "Open listening" not in text


def test_a_report_of_charts_alone_says_nothing_of_playlists() -> None:
    listens = {"playlist_id": "listenbrainz-recordings-global-weekly", "playlist_name": "Open listening global weekly"}
    rows = [ranked(place, f"T{place}", 9_000 - place, None, metric_name="listens", **listens) for place in range(1, 61)]

    text = Reader(page(contents(entries=rows, coverage=[], chart_coverage=[chart_coverage(**listens)]))).text

    assert "1 chart, collected by Earworm." in text
    assert "The first 50 of 60 are shown." in text
    assert "50 = unchanged Song T50" in text
    assert "Song T51" not in text
    assert "no ranking of the world" in text
    assert "what its editors chose" not in text
    assert " on Spotify" not in text


def test_a_line_is_interrupted_where_the_track_was_absent() -> None:
    drawn = sparkline([1, 2, None, 3], lowest=3)

    assert re.findall(r'points="([^"]+)"', drawn) == ["3.0,3.0 33.0,12.0"]
    assert re.findall(r'cx="([^"]+)" cy="([^"]+)"', drawn) == [("33.0", "12.0"), ("93.0", "21.0")]
