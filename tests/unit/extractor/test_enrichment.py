from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr
from spotipy.cache_handler import MemoryCacheHandler

from services.extractor.credentials import Credentials
from services.extractor.enrichment import Catalogue, Enrichment, album_ids, artist_ids, distinct_tracks
from services.extractor.spotify import SpotifyClient
from tests.documents import album, artist, entry, track
from tests.unit.extractor.fake_spotify import (
    API_URL,
    CLIENT_ID,
    CLIENT_SECRET,
    TOKEN_URL,
    Answer,
    Clock,
    FakeSpotify,
    error,
    spotify_id,
)

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
    return [found.id for found in distinct_tracks(entries)]


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
        entry(track(id=["of", "no", "kind"])),
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

    tracks = distinct_tracks([entry(first), entry(second), entry(third)])

    assert artist_ids(tracks) == ["a", "b", "c"]
    assert album_ids(tracks) == ["x"]


@pytest.fixture
def clock() -> Clock:
    return Clock()


def spotify_client(clock: Clock, call_budget: int = 500) -> SpotifyClient:
    return SpotifyClient(
        credentials=Credentials(client_id=CLIENT_ID, client_secret=SecretStr(CLIENT_SECRET)),
        tokens=MemoryCacheHandler(),
        market="US",
        api_url=API_URL,
        token_url=TOKEN_URL,
        call_budget=call_budget,
        seconds_left=lambda: clock.seconds_left,
        sleep=clock.sleep,
    )


@pytest.fixture
def spotify(clock: Clock) -> SpotifyClient:
    return spotify_client(clock)


def some(kind: str, numbers: range) -> list[str]:
    return [spotify_id(kind, number) for number in numbers]


def found(enrichment: Enrichment) -> list[str]:
    return [each["id"] for each in enrichment.items]


def test_all_that_is_asked_for_is_there(fake: FakeSpotify, spotify: SpotifyClient) -> None:
    artists, albums = some("artist", range(60)), some("album", range(30))
    catalogue = Catalogue(spotify)

    assert (found(catalogue.artists(artists)), catalogue.artists(artists).finding) == (artists, "ok")
    assert (found(catalogue.albums(albums)), catalogue.albums(albums).finding) == (albums, "ok")
    assert len(fake.calls_of("artists")) == 2


def test_the_next_playlist_asks_only_for_what_is_new(fake: FakeSpotify, spotify: SpotifyClient) -> None:
    # given a playlist whose artists were fetched, one of whom Spotify does not know
    catalogue = Catalogue(spotify)
    unknown = spotify_id("artist", 404)
    catalogue.artists([*some("artist", range(3)), unknown])

    # when another playlist shares most of them
    second = catalogue.artists([*some("artist", range(2, 5)), unknown])

    # then it has all of its own
    assert (found(second), second.finding) == (some("artist", range(2, 5)), "ok")
    assert fake.calls_of("artists")[1] == {"ids": ",".join(some("artist", range(3, 5)))}


def test_what_came_before_a_fault_is_kept(fake: FakeSpotify, spotify: SpotifyClient) -> None:
    albums = some("album", range(60))
    fake.faults["albums"] = [Answer(200, {"albums": [{"id": each} for each in albums[:20]]})]
    fake.withheld["albums"] = error(503, "Service unavailable")
    catalogue = Catalogue(spotify)

    assert catalogue.albums(albums) == Enrichment([{"id": each} for each in albums[:20]], "failed:503")

    # and the next playlist asks for the rest again
    fake.withheld.clear()
    assert found(catalogue.albums(albums)) == albums


def test_nothing_is_asked_where_nothing_is_needed(fake: FakeSpotify, spotify: SpotifyClient) -> None:
    assert Catalogue(spotify).artists([]) == Catalogue(spotify).albums([]) == Enrichment([], "none needed")
    assert fake.asked == []


class TestWithoutBatches:
    @pytest.fixture(autouse=True)
    def _refused(self, fake: FakeSpotify) -> None:
        fake.withheld["artists"] = fake.withheld["albums"] = error(403, "Forbidden")

    def test_artists_come_one_by_one_and_albums_not_at_all(self, fake: FakeSpotify, spotify: SpotifyClient) -> None:
        # given two playlists
        catalogue = Catalogue(spotify)
        unknown = spotify_id("artist", 404)

        # when their artists and albums are asked for
        first = catalogue.artists([*some("artist", range(3)), unknown])
        second = catalogue.artists([*some("artist", range(5)), unknown])
        albums = catalogue.albums(some("album", range(3)))

        # then each artist is asked for once, and the refused batch once for both
        assert (found(first), first.finding) == (some("artist", range(3)), "one by one")
        assert (found(second), second.finding) == (some("artist", range(5)), "one by one")
        assert albums == Enrichment([], "refused:403")
        assert [endpoint for endpoint, _ in fake.asked] == ["token", "artists", *["artist"] * 6]

    def test_artists_spend_at_most_half_of_the_calls(self, fake: FakeSpotify, clock: Clock) -> None:
        catalogue = Catalogue(spotify_client(clock, call_budget=20))

        first = catalogue.artists(some("artist", range(30)))
        second = catalogue.artists(some("artist", range(29, 40)))

        assert (found(first), first.finding) == (some("artist", range(10)), "one by one, incomplete")
        assert second == Enrichment([], "one by one, incomplete")
        assert len(fake.calls_of("artist")) == 10

    def test_an_artist_is_not_asked_for_where_even_single_ones_are_refused(
        self, fake: FakeSpotify, spotify: SpotifyClient
    ) -> None:
        fake.withheld["artist"] = error(403, "Forbidden")
        catalogue = Catalogue(spotify)

        assert catalogue.artists(some("artist", range(3))) == Enrichment([], "refused:403")
        assert catalogue.artists(some("artist", range(3))) == Enrichment([], "refused:403")
        assert len(fake.calls_of("artist")) == 1


def test_a_spent_quota_ends_every_enrichment_without_another_call(fake: FakeSpotify, spotify: SpotifyClient) -> None:
    fake.withheld["artists"] = error(429, "API rate limit exceeded", Retry_After="86400")
    catalogue = Catalogue(spotify)

    assert catalogue.artists(some("artist", range(3))) == Enrichment([], "quota")
    assert catalogue.albums(some("album", range(3))) == Enrichment([], "quota")
    assert [endpoint for endpoint, _ in fake.asked] == ["token", "artists"]
    assert spotify.spent is not None
