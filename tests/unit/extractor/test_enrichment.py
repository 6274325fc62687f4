from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.extractor.enrichment import Enrichment, album_ids, artist_ids, distinct_tracks, gather
from services.extractor.spotify import RefusedError, UnavailableError
from tests.documents import album, artist, entry, track

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["item", "track", "type", "id", "artists", "album", "is_local"]) | st.text(max_size=3),
            inner,
        )
    ),
    max_leaves=12,
)


def ids(entries: Sequence[Any]) -> list[Any]:
    return [found.get("id") for found in distinct_tracks(entries)]


def test_tracks_are_found_in_both_generations_once_each_and_in_order() -> None:
    two, one = track("Two"), track("One")

    assert ids([{"item": two}, {"track": one}, {"item": one, "track": one}]) == ["track-two", "track-one"]


@pytest.mark.parametrize(
    "no_track",
    [
        None,
        {},
        "an entry that is no object",
        entry(None),
        entry(track(id=None, is_local=True)),
        entry(track(type="episode")),
        entry(track(type=["of", "no", "kind"])),
        entry(track(artists="nobody")),
    ],
)
def test_what_is_no_track_of_spotifys_is_passed_over(no_track: Any) -> None:
    assert ids([no_track, entry(track("One"))]) == ["track-one"]


@given(st.lists(JSON, max_size=5))
def test_no_entry_however_broken_stops_the_others(entries: list[Any]) -> None:
    tracks = distinct_tracks([*entries, entry(track("One"))])

    assert all((*artist_ids(tracks), *album_ids(tracks)))
    assert artist_ids(tracks)[-1] == "one-band"
    assert album_ids(tracks)[-1] == "one-album"


def test_artists_and_albums_are_those_that_the_tracks_credit_once_each() -> None:
    first = track("First", artists=[artist("A"), artist("B"), None], album=album("X"))
    second = track("Second", artists=[artist("B"), artist("C"), artist("Nobody", id=None)], album=album("X"))
    third = track("Third", artists=[], album=None)

    assert artist_ids([first, second, third]) == ["a", "b", "c"]  # type: ignore[list-item]  # as a document tells them
    assert album_ids([first, second, third]) == ["x"]  # type: ignore[list-item]


def test_what_came_before_a_fault_is_kept() -> None:
    def fetch(_ids: Sequence[str]) -> Iterator[list[dict[str, Any]]]:
        yield [{"id": "a"}]
        raise RefusedError("GET /v1/artists/", 403, "Forbidden")

    assert gather("artists", ["a", "b"], fetch) == Enrichment([{"id": "a"}], "refused:403")


def test_a_fault_at_once_leaves_nothing_but_its_finding() -> None:
    def fetch(_ids: Sequence[str]) -> Iterator[list[dict[str, Any]]]:
        raise UnavailableError("GET /v1/artists/", 503, "Service unavailable")

    assert gather("artists", ["a"], fetch) == Enrichment([], "failed:503")


def test_nothing_is_fetched_where_nothing_is_needed() -> None:
    def fetch(_ids: Sequence[str]) -> Iterator[list[dict[str, Any]]]:
        raise AssertionError

    assert gather("artists", [], fetch) == Enrichment([], "none needed")


def test_all_that_is_there_is_ok() -> None:
    assert gather("artists", ["a", "b"], lambda found: [[{"id": each} for each in found]]) == Enrichment(
        [{"id": "a"}, {"id": "b"}], "ok"
    )
