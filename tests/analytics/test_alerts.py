"""The alert of a week names what happened to the watched recordings and what stands out, and nothing else."""

from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from analytics.alerts import Happenings, Thresholds, happenings, message
from analytics.athena import Athena
from tests.analytics.lake import Lake
from tests.analytics.scripted_history import EVENTS, MONDAY, SPIKES, play

DEFAULTS = Thresholds(move_percent=10, climb_percent=30, growth_percent=100, lists=3)
PAGE = "s3://lake/reports/spotify/week=2026-11-23/index.html"
ID = "7ltDVBr6mKbRvohxheJ9h1"


def athena(lake: Lake) -> Athena:
    return cast("Athena", SimpleNamespace(ask=lake.answer))


def event(**fields: Any) -> dict[str, Any]:
    """A row of watched_events."""
    return {
        "event": "climbed",
        "is_new_peak": False,
        "playlist_name": "Top",
        "position": 2,
        "previous_position": 12,
        "movement": 10,
        "list_length": 50,
        "peak": 2,
        "peak_on": date(2026, 11, 24),
        "weeks_on_list": 3,
        "lists": 1,
        "new_lists": 0,
        "complete": True,
        "metric_name": None,
        "metric_value": None,
        "metric_change": None,
        "track_name": "Song A",
        "artists": "Band A",
        "watched_by": "artist Band A",
        "track_id": ID,
        "recording_id": ID,
        **fields,
    }


def spike(**fields: Any) -> dict[str, Any]:
    """A row of spikes."""
    row = event(spike="climbed", size=20.0, kind="playlist", spread_to=None, **fields)
    del row["watched_by"], row["event"]
    return row


def text(*watched: dict[str, Any], spikes: tuple[dict[str, Any], ...] = ()) -> str:
    found = message(Happenings(watched, spikes), MONDAY, PAGE)
    assert found
    return found.text


def test_the_alert_of_a_scripted_week_names_each_of_its_events_and_nothing_else(lake: Lake) -> None:
    play(lake)

    found = happenings(athena(lake), MONDAY, DEFAULTS)

    assert {(row["event"], row["recording_id"], row["playlist_id"]) for row in found.watched} == EVENTS
    assert {(row["spike"], row["recording_id"]) for row in found.spikes} == SPIKES - {("spread", "S")}
    assert happenings(athena(lake), MONDAY - timedelta(weeks=1), DEFAULTS) == Happenings([], [])
    told = message(found, MONDAY, PAGE)
    assert told
    assert told.subject == "Earworm: 6 events of your watch list, 1 spike, week of 23 November 2026"
    assert told.text == (
        "Week of 23 November 2026: playlists as they are in this week, charts as they were in the one before.\n"
        "\n"
        "YOUR WATCH LIST: 6 events of 4 recordings\n"
        "\n"
        "Song S by S (artist s)\n"
        "  spread to 3 lists at once\n"
        "  first appearance, on Viral at 1 of 10\n"
        "  first appearance, on Top at 4 of 20\n"
        "  first appearance, on Fresh at 10 of 10\n"
        "\n"
        "Song R by R (artist r)\n"
        "  back on Top at 2 of 20\n"
        "\n"
        "Song D by D (artist d)\n"
        "  dropped from Top: last at 4 of 20, at best at 4, listed for 3 weeks\n"
        "\n"
        "Song V by V (artist v)\n"
        "  new version on Top at 3 of 20\n"
        "\n"
        "WHAT STANDS OUT: 1 event of 1 recording\n"
        "\n"
        "Song K by K\n"
        "  up 10 on Top, from 20 to 10 of 20\n"
        "\n"
        f"All of it on the page of the week: {PAGE}\n"
    )


def test_a_week_without_events_has_no_message() -> None:
    assert message(Happenings([], []), MONDAY, PAGE) is None


def test_charts_are_told_of_the_week_before_and_moves_by_their_share_of_the_list() -> None:
    last_week = MONDAY - timedelta(weeks=1)
    rows = [
        event(recording_id="small", kind="playlist", week=MONDAY, movement=-4, event="fell"),
        event(recording_id="large", kind="playlist", week=MONDAY, movement=5),
        event(recording_id="peak", kind="playlist", week=MONDAY, movement=1, is_new_peak=True),
        event(recording_id="told last week", kind="playlist", week=last_week),
        event(recording_id="chart", kind="chart", week=last_week),
        event(recording_id="not over", kind="chart", week=MONDAY),
    ]
    asked = SimpleNamespace(ask=lambda sql, _: SimpleNamespace(records=lambda: rows if "watched_by" in sql else []))

    found = happenings(cast("Athena", asked), MONDAY, DEFAULTS)

    assert [row["recording_id"] for row in found.watched] == ["large", "peak", "chart"]


def test_spikes_are_climbs_growth_and_spread_and_a_shuffled_list_has_none(lake: Lake) -> None:
    lake.chart("2026-11-16", "steady", "A B C D E F G H I K")
    lake.chart("2026-11-23", "steady", "A K B C D E F G H I")
    lake.chart("2026-11-16", "shuffled", "L M N O P Q")
    lake.chart("2026-11-23", "shuffled", "Q P O L N M")
    lake.ranking("2026-11-19", "DE", "X10 Y10 Z10")
    lake.ranking("2026-11-26", "DE", "X20 Y19 Z9")

    def spikes(**given: str) -> set[tuple[Any, ...]]:
        return {(row[1], row[-1], row[2]) for row in lake.ask("spikes", **{"from": "2026-11-23", **given})}

    assert spikes() == {("climbed", "K", 80.0), ("grew", "X", 100.0)}
    assert spikes(growth_percent="90", climb_percent="81") == {("grew", "X", 100.0), ("grew", "Y", 90.0)}


@pytest.mark.parametrize(
    ("row", "line"),
    [
        (event(), "  up 10 on Top, from 12 to 2 of 50\n"),
        (event(movement=-1, event="fell"), "  down 1 on Top, from 12 to 2 of 50\n"),
        (event(is_new_peak=True), "  up 10 on Top, from 12 to 2 of 50, its best place so far\n"),
        (event(event="peaked", is_new_peak=True), "  on Top at 2 of 50, its best place so far\n"),
        (
            event(event="peaked", is_new_peak=True, position=4, peak=1),
            "  on Top at 4 of 50, its best place so far was 1 on 24 November 2026\n",
        ),
        (event(event="added"), "  added to Top at 2 of 50\n"),
        (
            event(metric_name="streams", metric_value=1_234_567, metric_change=-1000),
            ", from 12 to 2 of 50, 1,234,567 streams (-1,000)\n",
        ),
        (event(complete=False), ", from 12 to 2 of 50, though other entries of the list are missing\n"),
        (event(), f"  https://open.spotify.com/track/{ID}\n"),
        (
            event(track_id="0e5ad2b1-6b5c-4a6b-9d3f-000000000001"),
            "  https://musicbrainz.org/recording/0e5ad2b1-6b5c-4a6b-9d3f-000000000001\n",
        ),
        (event(artists=None), "Song A by unknown (artist Band A)\n"),
        (
            event(track_name="A\nB\r\nhttps://evil.example\u202e"),
            "A B https://evil.example by Band A (artist Band A)\n",
        ),
        (event(track_name="x" * 200), f"{'x' * 99}… by Band A"),
    ],
)
def test_a_line_has_the_numbers_and_a_name_writes_none_of_its_own(row: dict[str, Any], line: str) -> None:
    assert line in text(row)


def test_spikes_have_their_numbers() -> None:
    grew = spike(metric_name="streams", metric_value=3000, metric_change=2000) | {"spike": "grew", "size": 200.0}
    spread = spike(recording_id="B") | {"spike": "spread", "size": 3.0, "spread_to": "Fresh, Top, Viral"}

    told = text(spikes=(grew, spread))

    assert "  streams grew by 200 % on Top: 3,000 streams (+2,000), at 2 of 50\n" in told
    assert "  new or back on 3 playlists at once: Fresh, Top, Viral\n" in told
    assert "YOUR WATCH LIST" not in told


def test_as_many_events_as_there_may_be_stay_readable_and_within_what_sns_takes() -> None:
    many = [
        event(
            recording_id=f"r{n % 300}",
            track_name="🎵" * 200,
            artists="ف" * 200,
            playlist_name="x" * 200,
            watched_by="é" * 300,
        )
        for n in range(5000)
    ]
    spikes = [spike(recording_id=f"s{n}", track_name="🎵" * 200) for n in range(500)]

    found = message(Happenings(many, spikes), MONDAY, PAGE)

    assert found
    assert len(found.text.encode()) < 256 * 1024
    assert len(found.text.splitlines()) < 400
    assert "YOUR WATCH LIST: 5,000 events of 300 recordings\n" in found.text
    assert "… and 275 more recordings: see the page.\n" in found.text
    assert "  … and 9 more\n" in found.text
    assert found.subject.isascii()
    assert len(found.subject) <= 100
