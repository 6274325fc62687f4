"""The made-up chart files: what they say of ranks, checked against the files themselves as the contract reads them."""

from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.tables.charts import ChartPosition
from infra.local.spotify.catalogue import Catalogue
from infra.local.spotify.charts import CHARTS, SIZE, WEEKS_COUNTED, chart_files, newest_chart_day, write_chart_files
from infra.local.spotify.trending import TRENDING_GLOBAL, Trends
from tests.charts import judged, loaded

WEEK = timedelta(weeks=1)
LAST = date(2026, 11, 26)
SHOWN = 12
WORLD = CHARTS[0]


@pytest.fixture(scope="module")
def world(catalogue: Catalogue) -> Mapping[date, dict[str, ChartPosition]]:
    """The rows of a chart of over a year, by day and track."""
    days = [LAST - WEEK * back for back in reversed(range(WEEKS_COUNTED + SHOWN))]
    files = chart_files(catalogue, Trends(catalogue), WORLD, days)
    return {day: by_track(f"regional-global-weekly-{day}.csv", text) for day, text in files.items()}


def by_track(name: str, text: str) -> dict[str, ChartPosition]:
    judgement = judged(loaded(name, text.encode()))
    assert (judgement.rejects, judgement.refused, judgement.skipped) == ([], [], {})
    return {str(row["spotify_track_id"]): row for row in judgement.rows}


def test_previous_peak_and_weeks_are_those_of_the_files_before(
    world: Mapping[date, dict[str, ChartPosition]],
) -> None:
    for back in range(SHOWN):
        day = LAST - WEEK * back
        counted = [world[day - WEEK * week] for week in range(WEEKS_COUNTED)]
        for track, row in world[day].items():
            places = [week[track]["position"] for week in counted if track in week]
            before = world[day - WEEK].get(track)
            assert row["previous_position"] == (before["position"] if before else None)
            assert (row["peak_position"], row["weeks_on_chart"]) == (min(places), len(places))


def test_songs_come_stay_and_go(world: Mapping[date, dict[str, ChartPosition]]) -> None:
    newest = world[LAST].values()

    assert [row["position"] for row in newest] == list(range(1, SIZE + 1))
    assert 5 < sum(row["previous_position"] is None for row in newest) < SIZE / 2
    assert any(row["position"] < (row["previous_position"] or 0) for row in newest)
    assert any(row["position"] > (row["previous_position"] or SIZE) for row in newest)
    streams = [row["metric_value"] or 0 for row in newest]
    assert streams == sorted(streams, reverse=True)


def test_a_song_of_a_playlist_and_of_a_chart_is_the_same_track(
    catalogue: Catalogue, world: Mapping[date, dict[str, ChartPosition]]
) -> None:
    on_playlist = {song.id: song.name for song in Trends(catalogue).ranking(TRENDING_GLOBAL, LAST)}

    on_both = on_playlist.keys() & world[LAST].keys()

    assert len(on_both) > len(on_playlist) / 2
    assert all(world[LAST][track]["title"] == on_playlist[track] for track in on_both)


def test_the_files_of_a_quarter_are_charts_by_name_and_content_and_one_lacks_a_rank(
    catalogue: Catalogue, world: Mapping[date, dict[str, ChartPosition]], tmp_path: Path
) -> None:
    files = write_chart_files(catalogue, tmp_path, LAST, SHOWN)

    read = {file.name: by_track(file.name, file.read_text("utf-8")) for file in files}
    assert len(read) == len(CHARTS) * SHOWN
    assert {row["chart_id"] for rows in read.values() for row in rows.values()} == {
        "regional-global-weekly",
        "regional-de-weekly",
    }
    (lacking,) = [name for name, rows in read.items() if len(rows) < SIZE]
    assert len(read[lacking]) == SIZE - 1
    assert max(row["position"] for row in read[lacking].values()) == SIZE
    # and a file does not depend on what others are asked for
    for day in (LAST - WEEK * back for back in range(SHOWN)):
        assert read[f"regional-global-weekly-{day}.csv"] == world[day]
    # and nobody takes them for Spotify's, wherever they are carried
    assert "made-up" in files[0].parts
    assert "invented" in (tmp_path / "README.md").read_text()
    assert all(row["simulated"] for rows in read.values() for row in rows.values())


@given(today=st.dates(min_value=date(2023, 1, 1), max_value=date(2035, 1, 1)))
def test_the_newest_week_is_the_last_one_that_is_over(today: date) -> None:
    last = newest_chart_day(today)

    assert f"{last:%A}" == "Thursday"
    assert last < today <= last + WEEK
