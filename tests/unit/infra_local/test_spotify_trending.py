from collections import Counter
from datetime import date, timedelta
from itertools import pairwise
from statistics import fmean

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.local.spotify.catalogue import Catalogue, load_catalogue
from infra.local.spotify.trending import (
    PLAYLISTS,
    SIZE,
    TRENDING_GLOBAL,
    TRENDING_METAL_ROCK,
    TrendingPlaylist,
    Trends,
)

WEEK = timedelta(weeks=1)
A_YEAR = [date(2025, 6, 2) + number * WEEK for number in range(53)]

days = st.dates(min_value=date(2022, 10, 1), max_value=date(2032, 1, 1))
playlists = st.sampled_from(PLAYLISTS)


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue()


@pytest.fixture(scope="module")
def trends(catalogue: Catalogue) -> Trends:
    return Trends(catalogue)


def songs(trends: Trends, playlist: TrendingPlaylist, day: date) -> list[str]:
    return [entry.track.id for entry in trends.entries(playlist, day)]


@settings(max_examples=15)
@given(playlist=playlists, day=days)
def test_a_list_holds_fifty_different_songs_of_its_genres(
    trends: Trends, playlist: TrendingPlaylist, day: date
) -> None:
    entries = trends.entries(playlist, day)

    assert len({entry.track.isrc for entry in entries}) == len(entries) == SIZE
    assert all(playlist.takes(entry.track) for entry in entries)


@settings(max_examples=15)
@given(playlist=playlists, day=days)
def test_more_than_half_of_a_list_is_there_a_week_later(trends: Trends, playlist: TrendingPlaylist, day: date) -> None:
    this_week, next_week = (set(songs(trends, playlist, monday)) for monday in (day, day + WEEK))

    assert len(this_week & next_week) > SIZE / 2


@settings(max_examples=15)
@given(playlist=playlists, day=days)
def test_an_entry_was_added_on_the_monday_when_it_came(trends: Trends, playlist: TrendingPlaylist, day: date) -> None:
    for entry in trends.entries(playlist, day):
        assert entry.added_on <= day
        assert entry.added_on.isoweekday() == 1
        assert entry.track.id in songs(trends, playlist, entry.added_on)
        assert entry.track.id not in songs(trends, playlist, entry.added_on - WEEK)


@settings(max_examples=15)
@given(day=days, data=st.data())
def test_popularity_is_a_whole_number_to_100_that_moves_smoothly(
    catalogue: Catalogue, trends: Trends, day: date, data: st.DataObject
) -> None:
    track = data.draw(st.sampled_from(sorted(catalogue.tracks.values(), key=lambda track: track.id)))

    this_week, next_week = (trends.popularity(track, monday) for monday in (day, day + WEEK))

    assert isinstance(this_week, int)
    assert 0 <= this_week <= 100
    assert abs(next_week - this_week) <= 25


def test_each_day_of_a_week_gives_the_same_and_the_next_week_another(trends: Trends) -> None:
    monday = date(2026, 5, 25)
    week = [monday + timedelta(days=number) for number in range(7)]

    assert len({trends.entries(TRENDING_GLOBAL, day) for day in week}) == 1
    assert len({trends.snapshot_id(TRENDING_GLOBAL, day) for day in week}) == 1
    assert trends.entries(TRENDING_GLOBAL, monday + WEEK) != trends.entries(TRENDING_GLOBAL, monday)
    assert trends.snapshot_id(TRENDING_GLOBAL, monday + WEEK) != trends.snapshot_id(TRENDING_GLOBAL, monday)


def test_a_week_does_not_depend_on_which_weeks_were_asked_for_before(catalogue: Catalogue) -> None:
    # given
    backwards, directly = Trends(catalogue), Trends(catalogue)
    for day in reversed(A_YEAR):
        backwards.entries(TRENDING_METAL_ROCK, day)

    # then
    first = A_YEAR[0]
    assert backwards.entries(TRENDING_METAL_ROCK, first) == directly.entries(TRENDING_METAL_ROCK, first)


def test_lists_have_tastes_of_their_own(trends: Trends) -> None:
    day = A_YEAR[0]
    other = TRENDING_GLOBAL._replace(id="7" * 22)

    assert songs(trends, other, day) != songs(trends, TRENDING_GLOBAL, day)
    assert trends.snapshot_id(other, day) != trends.snapshot_id(TRENDING_GLOBAL, day)


@pytest.mark.parametrize("playlist", PLAYLISTS, ids=lambda playlist: playlist.name)
def test_a_year_looks_like_a_year_of_a_real_list(trends: Trends, playlist: TrendingPlaylist) -> None:
    # given
    weeks = [songs(trends, playlist, day) for day in A_YEAR]
    stays = Counter((entry.track.id, entry.added_on) for day in A_YEAR for entry in trends.entries(playlist, day))

    # then between a tenth and a fifth of the list is new in a week
    new = [len(set(after) - set(before)) for before, after in pairwise(weeks)]
    assert 0.1 <= fmean(new) / SIZE <= 0.2
    # and there are songs of one week as well as songs that stay for half a year
    assert 0.05 < sum(weeks == 1 for weeks in stays.values()) / len(stays) < 0.3
    assert max(stays.values()) > 26
    # and songs come in and drop out in the lower half
    entered = [after.index(id_) for before, after in pairwise(weeks) for id_ in set(after) - set(before)]
    left = [before.index(id_) for before, after in pairwise(weeks) for id_ in set(before) - set(after)]
    assert SIZE / 2 < fmean(entered) < fmean(left)


def test_a_song_gains_popularity_while_it_trends(trends: Trends) -> None:
    gains = [
        trends.popularity(entry.track, day) - trends.popularity(entry.track, entry.added_on - 4 * WEEK)
        for day in A_YEAR
        for entry in trends.entries(TRENDING_GLOBAL, day)
        if day - entry.added_on == 4 * WEEK
    ]

    assert fmean(gains) > 5
