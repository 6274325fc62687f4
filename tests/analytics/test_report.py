"""The pages of a week without a browser: what they say of a lake, and that they need nothing but themselves."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from ministack.services import glue, s3

from analytics.report import Answers, report
from analytics.report.drawings import way
from analytics.report.lists import lists_of
from analytics.report.records import records
from analytics.sql import queries
from tests.analytics.lake import Lake
from tests.analytics.reports import MONDAY, Reader, answers_of, entry_row, list_row, tell_a_history, trends, week
from tests.analytics.reports import answers as answers_of_rows

LONG = "<b>Tom & Jerry</b> " + "o" * 180


@pytest.fixture(scope="module")
def told() -> Iterator[Lake]:
    """A lake that has a history to tell, beside lists of which less is known."""
    lake = Lake()
    tell_a_history(lake)
    lake.watch(artist=["s", "b", "Nobody"], isrc=["GBAYE6800011"])
    for ago in range(6):
        # it keeps its recordings and shuffles them
        lake.chart(week(ago), "vault", ("VA VB VC VD VE VF VG VH", "VH VC VF VA VG VB VE VD")[ago % 2])
    for ago in (3, 2):
        lake.chart(week(ago), "old", "OA OB OC OD" + " OE" * (ago == 2))
    for ago in (4, 3, 0):
        tracks = "GA GB GC GD GE GF GG GH GI GJ" if ago else "GJ GB GC GD GE GF GG GH GI GK"
        lake.chart(week(ago), "gappy", tracks, metadata={"followers": 9_000})
    for ago in (2, 1, 0):
        lake.chart(week(ago), "half", "HA HB HC HD" if ago else "HA - HC HD", metadata={"followers": 5_000})
    for ago, last_day in enumerate(("2026-11-26", "2026-11-19")):
        lake.ranking(last_day, "DE", ("D9 E7 F5", "E8 D7 F5")[ago], label="Own Label")
    lake.chart(week(0), "first", "K", metadata={"followers": 2_000}, track_name=LONG, artist_names=f'["{LONG}"]')
    yield lake
    glue.reset()
    s3.reset()


@pytest.fixture(scope="module")
def answers(told: Lake) -> Answers:
    return answers_of(told)


@pytest.fixture(scope="module")
def pages(answers: Answers) -> Mapping[str, str]:
    return report(answers)


@pytest.fixture(scope="module")
def front(pages: Mapping[str, str]) -> Reader:
    return Reader(pages["index.html"])


def page_of(pages: Mapping[str, str], name: str) -> str:
    return Reader(pages[f"list-{name}.html"]).text


def test_what_happened_is_named_and_nothing_else(front: Reader) -> None:
    assert front.of("New") == "? new Song S watched S 12 on Hits and 1 more"
    assert front.of("Back") == "? back Song Z Z 13 on Hits"
    assert front.of("Climbed") == "? ▲ up 10 Song K K 1 on Hits"
    assert (
        front.of("Left")
        == "? left Song B watched B was 2 on Hits New versions of what was listed already ? : Song C2 on Hits ."
    )
    assert front.of("front-spreading") == (
        "Spreading ? +2 Song S watched S 1 → 3 lists, came to Hits and 1 more; reaches 1,023,000 followers (+1,003,000)"
    )


def test_the_watch_list_leads_with_its_events_alone(front: Reader, pages: Mapping[str, str]) -> None:
    assert front.of("front-records") == (
        "Our records ? added Song S S 7 on Club and 1 more "
        "dropped Song B B from 2 of Hits after 3 weeks, best 2 new version Song C2 C2 3 on Hits "
        "All 4 events, and where each of the watch list is"
    )
    assert "Not on any list this week artist Nobody, artist b" in Reader(pages["records.html"]).text
    assert "watched" in front.of("New")
    assert "watched" not in front.of("Climbed")


def test_the_page_tells_the_events_that_the_query_tells_in_its_order(told: Lake, answers: Answers) -> None:
    asked = told.select(
        f"SELECT event, playlist_id, recording_id, is_new_peak FROM ({queries()['watched_events'].text})",
        queries()["watched_events"].execution_parameters({"from": str(MONDAY), "to": str(MONDAY)}, MONDAY),
    )
    events = records(answers, lists_of(answers)).events

    assert [
        (each.name, each.entry.list.id, each.record.id, each.entry.is_new_peak and each.name != "dropped")
        for each in events
    ] == asked
    assert len(asked) == 4


def test_a_number_one_of_several_lists_is_told_once() -> None:
    lists = [list_row(playlist_id=name, playlist_name=name.title()) for name in ("one", "two")]
    front = Reader(
        report(answers_of_rows(lists=lists, entries=[entry_row(playlist_id=name) for name in ("one", "two")]))[
            "index.html"
        ]
    )

    assert front.of("front-top") == "At the top – not known Song A Band A number one of One and 1 more"


def test_a_number_one_is_told_with_a_list_that_knows_the_week_before() -> None:
    lists = [
        list_row(playlist_id="a", playlist_name="Anew"),
        list_row(playlist_id="b", playlist_name="Before", weeks="0 1"),
    ]
    stayed = entry_row(playlist_id="b", arrival="stay", movement=0, weeks_since_previous=1, weeks_on_list=7)
    front = Reader(report(answers_of_rows(lists=lists, entries=[entry_row(playlist_id="a"), stayed]))["index.html"])

    assert "= unchanged Song A Band A number one of Before and 1 more, 7 weeks listed" in front.of("front-top")


def test_what_stands_highest_below_an_unknown_entry_is_no_number_one() -> None:
    # given a chart whose first rank is missing, so that the second is the first that is known
    told = report(answers_of_rows(entries=[entry_row(position=2)]))

    assert "Song A" not in Reader(told["index.html"]).of("front-top")
    assert "No list of the week has a number one" in Reader(told["index.html"]).of("front-top")
    assert "Song A" not in Reader(told["lists.html"]).text


def test_drops_and_moves_are_not_hidden_by_many_arrivals() -> None:
    rows = [entry_row(recording_id=f"new {at}", position=at, arrival="debut", event="added") for at in range(1, 10)]
    rows += [
        entry_row(recording_id="gone", position=10, state="left"),
        entry_row(recording_id="up", event="climbed", movement=1, weeks_since_previous=1),
    ]
    watched = [{"type": "label", "value": "Own", "note": "", "recording_id": row["recording_id"]} for row in rows]
    front = Reader(report(answers_of_rows(entries=rows, watch_list=watched))["index.html"]).of("front-records")

    assert "9 added , 1 dropped , 1 climbed ." in front
    assert front.count("added Song") == 6
    assert "dropped Song A" in front
    assert "climbed Song A" in front


def test_a_recording_and_an_artist_of_the_watch_list_have_a_page(pages: Mapping[str, str]) -> None:
    recording, artist = Reader(pages["recording-S.html"]).text, Reader(pages["artist-s.html"]).text

    assert "Watched by artist s. On 3 lists this week." in recording
    assert "added 12 on Hits" in recording
    assert "1 = unchanged Fresh 4 1" in recording
    assert "12 new Song S Hits 1 12" in artist
    assert "On no list." in Reader(pages["artist-Nobody.html"]).text


def test_an_artist_is_called_as_watched_by_name_or_as_the_lists_have_it_if_watched_by_id() -> None:
    row = entry_row(artist_names='["Band A"]', artist_ids='["1VBvNOjUVkcGgIs9Sjs7xL"]')
    watched = [
        {"type": "artist", "value": value, "note": note, "recording_id": recording}
        for value, note, recording in (
            ("Band A", "our roster", "A"),
            ("1VBvNOjUVkcGgIs9Sjs7xL", "our roster", "A"),
            ("0000000000000000000000", "Band B", None),
        )
    ]
    pages = report(answers_of_rows(entries=[row], watch_list=watched))

    assert "Artists Band A 1 recording listed Band A 1 recording listed Band B 0 recordings listed" in (
        Reader(pages["records.html"]).text
    )
    of_the_name = next(html for name, html in pages.items() if name.startswith("artist-Band-A"))
    assert "Band A 1 recording on the lists. Note: our roster This week" in Reader(of_the_name).text


def test_an_empty_watch_list_says_how_to_fill_it(answers: Answers) -> None:
    without = report(replace(answers, watch_list=[]))

    assert "earworm watch add artist" in Reader(without["index.html"]).of("front-records")


def test_the_lists_come_by_kind_and_by_followers_and_stale_ones_last(front: Reader) -> None:
    assert front.of("front-lists").startswith(
        "Lists ? Spotify DE weekly chart, 0 in, 0 out Hits flagship, 2 in, 1 out Fresh flagship, 0 in, 0 out "
        "Gappy flagship, 1 in, 1 out Half flagship, 0 in, 0 out Club flagship, 1 in, 0 out First flagship, first chart "
        "Vault catalogue, 0 in, 0 out Old personal, last 9 November 2026 All 9, their sources"
    )


def test_only_lists_of_the_week_whose_order_means_something_have_a_number_one(front: Reader, pages: Any) -> None:
    assert front.of("front-top").startswith(
        "At the top ▲ up 1 Song D D Own Label number one of Spotify DE weekly , 2 weeks listed"
    )
    assert "Old" not in front.of("front-top")
    assert "Vault" not in front.of("front-top")
    assert "its order means nothing" in page_of(pages, "vault")
    assert "Climbed most" not in page_of(pages, "vault")


def test_what_cannot_be_told_is_said_once_for_all_lists_that_it_concerns(front: Reader) -> None:
    assert front.of("front-limits") == (
        "What cannot be told "
        "No chart this week Old (last 9 November 2026). They headline nothing; their pages show the last one. "
        "Not complete this week Half (3 of 4 entries known). "
        "What is absent may only be unknown, so it counts as listed. "
        "Seen for the first time this week First . "
        "Nobody knows since when these lists have their recordings: none counts as new. "
        "No chart the week before Gappy (3 weeks apart). "
        "Their moves took more than a week and are left out of the movers. "
        "Weeks without a chart in the year Gappy (2). "
        "Recordings may have come and gone in them; drawings leave them open. "
        "Genres are not known Nobody told any this week. "
        "Audio features are not known Nobody told any this week."
    )


def test_a_list_without_a_chart_of_the_week_shows_its_last_one_and_says_so(pages: Mapping[str, str]) -> None:
    text = page_of(pages, "old")

    assert "Nothing of this week: last 9 November 2026" in text
    assert "Last chart of 9 November 2026" in text
    assert 'class="chart stale"' in pages["list-old.html"]


def test_moves_over_a_gap_say_how_long_they_took(pages: Mapping[str, str]) -> None:
    text = page_of(pages, "gappy")

    assert "1 ▲ up 9 in 3 weeks Song GJ" in text
    assert "2 weeks of the year without a chart." in text


def test_what_an_incomplete_chart_lacks_has_not_left(pages: Mapping[str, str]) -> None:
    text = page_of(pages, "half")

    assert "Not complete 3 of 4 entries known; what is absent may well be on it." in text
    assert "Left None. 1 recording more may have left, or may only be unknown." in text


@pytest.mark.parametrize(
    ("found", "lacking"),
    [
        ({"entries": 1, "missing": 1}, "1 of 2 entries known"),  # a null entry at the end, which no position tells of
        ({"entries": 1, "whole": False}, "fewer entries than Spotify counts"),
        ({"entries": 2, "missing": 1, "whole": False}, "1 of 2 entries known, fewer entries than Spotify counts"),
    ],
)
def test_a_list_says_what_makes_its_chart_incomplete(found: dict[str, Any], lacking: str) -> None:
    pages = report(answers_of_rows(lists=[list_row(**found)], entries=[entry_row(complete=False)]))

    assert f"Not complete this week Top Songs ({lacking})." in Reader(pages["index.html"]).of("front-limits")
    assert f"Not complete {lacking}; what is absent may well be on it." in page_of(pages, "top")


def test_a_chart_of_which_no_entry_is_known_tells_nothing_of_the_week_before() -> None:
    before = {"week": MONDAY - timedelta(weeks=1), "snapshot_on": MONDAY - timedelta(weeks=1), "way": "1:1"}
    up = entry_row(state="unknown", event="climbed", movement=1, weeks_since_previous=1, arrival="stay", **before)
    watched = [{"type": "label", "value": "Own", "note": "", "recording_id": up["recording_id"]}]
    pages = report(
        answers_of_rows(lists=[list_row(entries=2, missing=2, weeks="0 1")], entries=[up], watch_list=watched)
    )

    assert "Nothing moved." in Reader(pages["index.html"]).of("front-records")
    assert "Top Songs (0 of 2 entries known)" in Reader(pages["index.html"]).of("front-limits")
    assert "Not complete 0 of 2 entries known; what is absent may well be on it." in page_of(pages, "top")


def test_a_peak_that_the_chart_does_not_show_is_told_with_its_day() -> None:
    of_chart = entry_row(event="peaked", is_new_peak=True, position=2, peak=2, arrival="stay", recording_id="chart")
    midweek = entry_row(event="fell", is_new_peak=True, position=4, movement=-1, weeks_since_previous=1)
    watched = [{"type": "label", "value": "Own", "note": "", "recording_id": each} for each in ("chart", "A")]
    front = Reader(report(answers_of_rows(entries=[of_chart, midweek], watch_list=watched))["index.html"])

    assert "2 on Top Songs , new peak Song A" not in front.of("front-records")
    assert "fell Song A Band A 3 → 4 on Top Songs , new peak : 1 on 23 November 2026" in front.of("front-records")
    assert "peaked Song A Band A 2 on Top Songs , new peak Where each" in front.of("front-records")


def test_a_change_that_rounds_to_nothing_has_no_sign() -> None:
    sound = [row | {"average": 0.5 + row["age"] / 10_000} for row in trends()["sound"]]

    front = report(answers_of_rows(**trends() | {"sound": sound}))["index.html"]

    assert ">0.00<" in front
    assert not re.search(r">[+-]0\.0+<", front)


def test_each_question_that_the_page_says_to_ask_is_one(pages: Mapping[str, str]) -> None:
    named = set(re.findall(r"earworm query (\w+)", pages["definitions.html"]))

    assert "watched_events" in named
    assert named <= queries().keys()


def test_a_chart_tells_what_it_counts_and_what_that_gained(pages: Mapping[str, str]) -> None:
    text = page_of(pages, "spotify_charts-regional-de-weekly")

    assert "Chart of 20 November 2026 to 26 November 2026" in text
    assert "1 ▲ up 1 Song D D Own Label 9,000 +2,000 2 1" in text


def test_names_are_text_and_no_markup_and_link_to_their_source(pages: Mapping[str, str]) -> None:
    html = pages["list-first.html"]

    assert "&lt;b&gt;Tom &amp; Jerry&lt;/b&gt;" in html
    assert "<b>" not in html


def test_the_pages_need_no_network_and_no_script_and_each_link_leads_somewhere(pages: Mapping[str, str]) -> None:
    ids = {name: Reader(html).ids for name, html in pages.items()}
    for name, html in pages.items():
        reader = Reader(html)
        assert "<script" not in html
        assert "@import" not in html
        assert "url(" not in html
        assert len(reader.ids) == len(set(reader.ids))
        for address in reader.addresses:
            file, _, anchor = address.partition("#")
            assert address == "data:," or address.startswith("https://") or (file or name) in pages, address
            assert not anchor or anchor in ids[file or name], address


def test_the_single_file_has_all_pages_and_leads_to_none_but_itself(pages: Mapping[str, str]) -> None:
    whole = Reader(pages[f"week-{MONDAY}.html"])

    assert [*pages][0 :: len(pages) - 1] == [f"week-{MONDAY}.html", "index.html"]
    assert {name.removesuffix(".html") for name in pages if not name.startswith("week-")} <= {*whole.ids}
    assert {each for each in whole.addresses if not each.startswith(("#", "https://"))} == {"data:,"}
    assert {each[1:] for each in whole.addresses if each.startswith("#")} <= {*whole.ids}


def test_the_single_file_has_the_first_twenty_entries_of_a_list_and_its_page_all() -> None:
    entries = [
        entry_row(position=place, recording_id=f"R{place}", track_name=f"Song {place}.") for place in range(1, 31)
    ]
    files = report(answers_of_rows(lists=[list_row(entries=30)], entries=entries))
    page, whole = (Reader(files[name]).of("list-top-chart") for name in ("list-top.html", f"week-{MONDAY}.html"))

    assert "Song 30." in page
    assert ("Song 20." in whole, "Song 21." in whole) == (True, False)
    assert whole.endswith("The first 20 of 30: the list's page in the report's folder has all.")


def test_a_list_says_that_more_came_and_left_than_its_page_shows() -> None:
    entries = [
        entry_row(position=place, recording_id=f"R{place}", arrival="debut", state=state)
        for state, places in (("listed", range(1, 17)), ("left", range(17, 34)))
        for place in places
    ]
    pages = report(answers_of_rows(lists=[list_row(entries=16, weeks="0 1")], entries=entries))

    assert Reader(pages["list-top.html"]).of("list-top-new").endswith("The first 15 of 16.")
    assert Reader(pages["list-top.html"]).of("list-top-left").endswith("The first 15 of 17.")


def test_lists_that_share_more_have_a_stronger_colour() -> None:
    lists = [list_row(playlist_id=name, playlist_name=name.title(), entries=2) for name in ("one", "two", "three")]
    entries = [
        entry_row(playlist_id=name, recording_id=recording, position=place)
        for name, recordings in (("one", "AB"), ("two", "AB"), ("three", "AC"))
        for place, recording in enumerate(recordings, 1)
    ]
    shades = re.findall(r'class="(heat-\d+|self)"', report(answers_of_rows(lists=lists, entries=entries))["lists.html"])

    assert shades == ["self", "heat-3", "heat-5", "heat-3", "self", "heat-3", "heat-5", "heat-3", "self"]


def test_what_no_earlier_week_can_tell_is_not_denied() -> None:
    front = Reader(report(answers_of_rows(**trends() | {"genres": trends()["genres"][:4]}))["index.html"])

    assert front.of("front-spreading") == "Spreading ? Nobody knows: no list has a chart of the week before."
    assert "48 weeks" not in front.of("Genres")
    assert "48 weeks" in front.of("Sound")


def test_a_week_without_charts_is_no_other_week(answers: Answers) -> None:
    earlier = Answers(answers.made_on, MONDAY, MONDAY, "here")

    with pytest.raises(ValueError, match=re.escape(f"no chart of the week of {MONDAY}: there is nothing to report")):
        report(earlier)


def test_a_line_is_interrupted_where_a_recording_was_absent_and_where_there_was_no_chart() -> None:
    drawn = way({4: 1, 3: 2, 0: 3}, weeks=frozenset({4, 3, 2, 0}), lowest=3)

    assert drawn.line == "M86 2L90 10M102 18h0"
    assert drawn.gaps == [(96, 4)]
    assert drawn.last == (102, 18)
