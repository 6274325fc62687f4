"""The views, over small lakes whose rows were worked out by hand."""

import json
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ministack.services import glue
from samtranslator.yaml_helper import yaml_parse
from sqlglot import parse_one

from analytics.sql import queries, views
from infra.deploying.stacks import ANALYTICS, template
from infra.local.emulator import athena
from infra.tools import views as generated
from tests.analytics.lake import DATABASE, TODAY, Lake, song


def test_the_template_is_what_the_sql_says() -> None:
    assert template(ANALYTICS).read_text() == generated.text(), "run `make generate`"


@pytest.mark.usefixtures("lake")
def test_a_view_has_the_columns_that_its_header_declares() -> None:
    catalogued = {view["Name"]: view["StorageDescriptor"]["Columns"] for view in _declared_views()}

    for view in views():
        found = glue._tables[f"{DATABASE}/{view.name}"]
        typed = {column["name"]: column["type"] for column in athena.view_definition(found)["columns"]}
        assert view.columns == typed, f"the header of {view.name}.sql must end with: Columns: " + ", ".join(
            f"{name} {type_}" for name, type_ in typed.items()
        )
        assert catalogued[view.name] == found["StorageDescriptor"]["Columns"]


def test_a_song_comes_with_its_album_first_artist_sound_and_a_real_date(lake: Lake) -> None:
    lake.put("songs", "2026-11-02", "top", song("A", 1, ["x", "y"]), song("B", 2))
    lake.put("albums", "2026-11-02", "top", {"album_id": "A", "label": "Own", "release_on": date(2026, 1, 2)})
    lake.put("artists", "2026-11-02", "top", {"artist_id": "x", "primary_genre": "pop"}, {"artist_id": "y"})
    lake.put("track_features", "2026-11-02", "top", {"track_id": "A", "energy": 0.5})
    # and the same album on another day and another list, which are others' rows
    lake.put("albums", "2026-11-09", "top", {"album_id": "A", "label": "Sold"})
    lake.put("albums", "2026-11-02", "fresh", {"album_id": "A", "label": "Elsewhere"})

    found = lake.select(
        "SELECT snapshot_on, position, label, album_release_on, primary_genre, energy FROM spotify_tracks ORDER BY 2"
    )

    assert found == [
        (date(2026, 11, 2), 1, "Own", date(2026, 1, 2), "pop", 0.5),
        (date(2026, 11, 2), 2, None, None, None, None),
    ]


def test_each_artist_and_genre_has_a_row_in_order(lake: Lake) -> None:
    lake.put("songs", "2026-11-02", "top", song("A", 1, ["x", "y"]))
    lake.put("artists", "2026-11-02", "top", {"artist_id": "x", "genres": '["pop", "soul"]'}, {"artist_id": "y"})

    assert lake.select("SELECT artist_place, artist_id, artist_name FROM song_artists ORDER BY 1") == [
        (1, "x", "X"),
        (2, "y", "Y"),
    ]
    assert lake.select("SELECT artist_id, genre_place, genre FROM artist_genres ORDER BY 2") == [
        ("x", 1, "pop"),
        ("x", 2, "soul"),
    ]


def test_a_week_has_its_last_complete_snapshot(lake: Lake) -> None:
    lake.chart("2026-11-02", "top", "A")
    lake.chart("2026-11-04", "top", "B")
    lake.chart("2026-11-05", "top", "C", outcome="partial")
    lake.chart("2026-11-09", "top", "B", outcome="partial")
    lake.chart("2026-11-11", "top", "D -", outcome="partial")
    lake.put("playlist_metadata", "2026-11-12", "top", {"outcome": "metadata_only", "track_entries": 0})

    found = lake.select("SELECT week, snapshot_on, complete, track_id FROM chart_entries ORDER BY week")

    assert found == [
        (date(2026, 11, 2), date(2026, 11, 4), True, "B"),
        (date(2026, 11, 9), date(2026, 11, 11), False, "D"),
    ]


@pytest.mark.parametrize("songs", [[song("C", 1), song("D", 2, track_id=None)], []], ids=["without an id", "not there"])
def test_a_snapshot_of_which_a_song_is_unknown_does_not_take_the_place_of_a_complete_one(
    lake: Lake, songs: list[dict[str, Any]]
) -> None:
    lake.chart("2026-11-02", "top", "A B")
    lake.put("playlist_metadata", "2026-11-05", "top", {"outcome": "ok", "track_entries": 2})
    if songs:
        lake.put("songs", "2026-11-05", "top", *songs)

    assert lake.select("SELECT snapshot_on, complete, track_id FROM chart_entries ORDER BY 3") == [
        (date(2026, 11, 2), True, "A"),
        (date(2026, 11, 2), True, "B"),
    ]
    assert lake.select("SELECT missing FROM list_snapshots ORDER BY snapshot_on") == [(0,), (2 - len(songs[:1]),)]
    query = queries()["lists_of_the_week"]
    (told,) = lake.answer(query.text, query.execution_parameters({"week": "2026-11-05"}, TODAY)).records()
    assert (told["seen_on"], told["missing"]) == (date(2026, 11, 2), 0)


def test_a_track_that_is_listed_twice_has_its_best_position_and_one_without_id_none(lake: Lake) -> None:
    lake.put("playlist_metadata", "2026-11-02", "top", {"outcome": "ok", "track_entries": 3})
    lake.put("songs", "2026-11-02", "top", song("A", 1, track_id=None), song("B", 2), song("B", 3))

    assert lake.select("SELECT track_id, position FROM chart_entries") == [("B", 2)]


@pytest.fixture
def five_weeks(lake: Lake) -> Lake:
    """A climbs, leaves and comes back; B is missing from a partial chart; C comes and stays; D is only there once."""
    lake.chart("2026-10-19", "top", "B A D")
    lake.chart("2026-10-26", "top", "A B")
    lake.chart("2026-11-02", "top", "C A", outcome="partial")
    lake.chart("2026-11-09", "top", "B C")
    lake.chart("2026-11-16", "top", "C A B")
    return lake


@pytest.mark.parametrize(
    ("track", "expected"),
    [
        # week, position, previous, movement, arrival, weeks_on_list, charts_on_list, peak, entered_on, exited_on
        (
            "A",
            [
                ("10-19", 2, None, None, "first chart", 1, 1, 2, "10-19", "11-09"),
                ("10-26", 1, 2, 1, "stay", 2, 2, 1, "10-19", "11-09"),
                ("11-02", 2, 1, -1, "stay", 3, 3, 1, "10-19", "11-09"),
                ("11-16", 2, None, None, "return", 4, 4, 1, "11-16", None),
            ],
        ),
        (
            "B",
            [
                ("10-19", 1, None, None, "first chart", 1, 1, 1, "10-19", None),
                ("10-26", 2, 1, -1, "stay", 2, 2, 1, "10-19", None),
                ("11-09", 1, None, None, "stay", 4, 3, 1, "10-19", None),
                ("11-16", 3, 1, -2, "stay", 5, 4, 1, "10-19", None),
            ],
        ),
        (
            "C",
            [
                ("11-02", 1, None, None, "debut", 1, 1, 1, "11-02", None),
                ("11-09", 2, 1, -1, "stay", 2, 2, 1, "11-02", None),
                ("11-16", 1, 2, 1, "stay", 3, 3, 1, "11-02", None),
            ],
        ),
        ("D", [("10-19", 3, None, None, "first chart", 1, 1, 3, "10-19", "10-26")]),
    ],
)
def test_the_weekly_chart_follows_a_track(five_weeks: Lake, track: str, expected: list[tuple[Any, ...]]) -> None:
    found = five_weeks.select(
        "SELECT week, position, previous_position, movement, arrival, weeks_on_list, charts_on_list, peak, entered_on, "
        f"exited_on FROM weekly_chart WHERE track_id = '{track}' ORDER BY week"
    )

    assert [tuple(f"{value:%m-%d}" if isinstance(value, date) else value for value in row) for row in found] == expected


@pytest.mark.parametrize("hole", ["-", "x"], ids=["a null entry", "a rejected row"])
def test_nobody_leaves_where_an_entry_is_not_known(lake: Lake, hole: str) -> None:
    # given A, that an unknown entry stands for in the second week
    for day, tracks in (("2026-11-02", "A B"), ("2026-11-09", f"{hole} B"), ("2026-11-16", "A B")):
        lake.chart(day, "top", tracks)

    found = lake.select("SELECT week, complete, track_id, arrival, exited_on FROM weekly_chart ORDER BY 1, 3")

    assert found == [
        (date(2026, 11, 2), True, "A", "first chart", None),
        (date(2026, 11, 2), True, "B", "first chart", None),
        (date(2026, 11, 9), False, "B", "stay", None),
        (date(2026, 11, 16), True, "A", "stay", None),
        (date(2026, 11, 16), True, "B", "stay", None),
    ]


def test_an_entry_that_stays_null_holds_nobody_on_the_list_for_ever(lake: Lake) -> None:
    for day, tracks in (("2026-11-02", "- A B"), ("2026-11-09", "- B"), ("2026-11-16", "- B"), ("2026-11-23", "- A B")):
        lake.chart(day, "top", tracks)

    assert lake.select("SELECT week, arrival, exited_on FROM weekly_chart WHERE track_id = 'A' ORDER BY 1") == [
        (date(2026, 11, 2), "first chart", date(2026, 11, 16)),
        (date(2026, 11, 23), "return", None),
    ]


def test_a_track_without_its_id_is_not_known_but_a_file_of_the_owners_is(lake: Lake) -> None:
    for day, last in (("2026-11-02", {"is_local": True}), ("2026-11-09", {"is_local": False})):
        lake.put("playlist_metadata", day, "top", {"outcome": "ok", "track_entries": 2})
        lake.put("songs", day, "top", song("A", 1), song("B", 2) | {"track_id": None} | last)

    assert lake.select("SELECT week, complete FROM chart_entries ORDER BY 1") == [
        (date(2026, 11, 2), True),
        (date(2026, 11, 9), False),
    ]


def test_a_popularity_that_is_no_measure_is_null_in_every_view(lake: Lake) -> None:
    lake.put("playlist_metadata", "2026-11-02", "top", {"outcome": "ok", "track_entries": 3})
    zero = {"popularity": 0}
    lake.put(
        "songs",
        "2026-11-02",
        "top",
        song("A", 1) | zero | {"popularity_measured": False, "is_playable": False},
        song("B", 2) | zero | {"popularity_measured": True},
        song("C", 3) | zero,  # written before it was judged
    )

    for view in ("spotify_tracks", "song_artists", "chart_entries"):
        assert lake.select(f"SELECT popularity FROM {view} ORDER BY position") == [(None,), (0,), (0,)]
    assert [row[1:3] for row in lake.ask("top_artists", recordings="1", entries="1")] == [(0.0, 1), (0.0, 1)]
    assert lake.select("SELECT is_playable FROM spotify_tracks WHERE position = 1") == [(False,)]


WEEKS = [date(2026, 8, 3) + timedelta(weeks=number) for number in range(7)]
CHARTS = st.tuples(st.sets(st.sampled_from("ABC")), st.sampled_from(["", "-", "x"]))


@pytest.mark.slow
@given(st.lists(st.lists(CHARTS, min_size=2, max_size=7), min_size=12, max_size=12))
@settings(max_examples=2, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
def test_no_track_has_left_that_the_next_complete_chart_lists(
    lake: Lake, lists: list[list[tuple[set[str], str]]]
) -> None:
    # given lists, some with an entry that nobody knows; Z keeps them from being empty
    weeks_of = {uuid4().hex: list(zip(WEEKS, charts, strict=False)) for charts in lists}
    for playlist, weeks in weeks_of.items():
        for day, (tracks, hole) in weeks:
            lake.chart(str(day), playlist, " ".join(["Z", *sorted(tracks), hole]))

    found = lake.select("SELECT playlist_id, track_id, week, exited_on FROM weekly_chart")

    for playlist, track, week, exited_on in (row for row in found if row[0] in weeks_of):
        weeks = weeks_of[playlist]
        later = [(day, track in {*tracks, "Z"}, not hole) for day, (tracks, hole) in weeks if day > week]
        next_complete = next((listed for _, listed, complete in later if complete), None)
        if next_complete:
            assert exited_on is None or any(listed for day, listed, _ in later if day < exited_on)
        if exited_on:
            assert any(day == exited_on and not listed for day, listed, _ in later)
        absent = [complete for _, listed, complete in later if not listed]
        if len(absent) == len(later) and (absent[:1] == [True] or len(absent) > 1):
            assert exited_on == (later[0][0] if absent[0] else later[1][0])


def test_playlists_do_not_meet_in_the_chart(lake: Lake) -> None:
    lake.chart("2026-11-02", "top", "A")
    lake.chart("2026-11-09", "fresh", "A")

    assert lake.select("SELECT playlist_id, arrival, weeks_on_list FROM weekly_chart ORDER BY 1") == [
        ("fresh", "first chart", 1),
        ("top", "first chart", 1),
    ]


def test_trino_knows_the_views_as_its_own() -> None:
    declared = _declared_views()

    assert [view["Name"] for view in declared] == [view.name for view in views()]
    for view in declared:
        assert (view["TableType"], view["Parameters"]["presto_view"]) == ("VIRTUAL_VIEW", "true")
        assert view["Description"] == view["Parameters"]["comment"] == "Presto View"


def test_the_catalog_has_each_view_as_its_file_says_it_though_on_one_line() -> None:
    for declared, view in zip(_declared_views(), views(), strict=True):
        _, (_, definition, _) = declared["ViewOriginalText"]["Fn::Join"]
        stored = json.loads(definition["Fn::Base64"]["Fn::Sub"])["originalSql"]
        assert parse_one(stored, "athena") == parse_one(view.text, "athena"), "comments are in the header alone"


def _declared_views() -> list[dict[str, Any]]:
    resources = yaml_parse(template(ANALYTICS).read_text())["Resources"].values()
    return [each["Properties"]["TableInput"] for each in resources if each["Type"] == "AWS::Glue::Table"]
