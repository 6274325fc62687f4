from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.extractor.earlier import EarlierArtist, EarlierArtists
from services.extractor.enrichment import Catalogue, Enrichment, album_ids, artist_ids, distinct_tracks
from services.extractor.spotify import SpotifyClient
from tests.documents import album, artist, entry, track
from tests.unit.extractor.fake_spotify import (
    Answer,
    Clock,
    FakeSpotify,
    error,
    spotify_client,
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
        entry(track(type=None, uri="spotify:episode:4rOoJ6Egrf8K2IrywzwOMk")),
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

    part = catalogue.albums(albums)

    assert (found(part), part.finding, part.open) == (albums[:20], "failed:503", albums[20:])
    assert "503" in str(part.cause)
    assert part.is_worth_another_run

    # and the next playlist asks for the rest again
    fake.withheld.clear()
    assert found(catalogue.albums(albums)) == albums


class TestArtistsThatAreKnownFromEarlier:
    KNOWN: ClassVar = {
        spotify_id("artist", number): EarlierArtist(
            date(2026, 11, 15), {"id": spotify_id("artist", number), "of": "then"}
        )
        for number in range(6)
    }

    def test_stand_in_for_those_that_a_fault_left_open(self, fake: FakeSpotify, spotify: SpotifyClient) -> None:
        fake.withheld["artists"] = error(429, "API rate limit exceeded", Retry_After="86400")

        artists = Catalogue(spotify).artists(some("artist", range(8)), lambda: self.KNOWN)

        assert (artists.items, artists.finding) == ([], "quota")
        assert artists.earlier == list(self.KNOWN.values())
        assert artists.open == some("artist", range(6, 8))

    def test_are_not_asked_for_again_one_by_one(self, fake: FakeSpotify, clock: Clock) -> None:
        # given an application that is given no batches, and calls for three artists
        fake.withheld["artists"] = error(403, "Forbidden")
        catalogue = Catalogue(spotify_client(clock, call_budget=6))

        # when ten artists are needed, six of whom are known
        artists = catalogue.artists(some("artist", range(10)), lambda: self.KNOWN)

        # then the calls go to the others
        assert found(artists) == some("artist", range(6, 9))
        assert artists.earlier == list(self.KNOWN.values())
        assert (artists.open, artists.finding) == (some("artist", range(9, 10)), "one by one, incomplete")

    def test_are_asked_for_after_the_others_and_the_oldest_first_once_they_are_due(
        self, fake: FakeSpotify, clock: Clock
    ) -> None:
        # given calls for three artists, one that nobody knows, and five that were told in as many weeks
        fake.withheld["artists"] = error(403, "Forbidden")
        catalogue = Catalogue(spotify_client(clock, call_budget=6))
        ids = some("artist", range(6))
        known = {
            each: EarlierArtist(date(2026, 11, 15) - timedelta(weeks=age), {"id": each}, is_due=age > 1)
            for age, each in enumerate(ids[:5])
        }

        # when they are needed
        artists = catalogue.artists(ids, lambda: known)

        # then the new one is asked for, and the two oldest
        assert set(found(artists)) == {ids[5], ids[4], ids[3]}
        # and one that is due stays known, as of its day
        assert artists.earlier == [known[each] for each in ids[:3]]
        assert artists.open == []
        assert not artists.is_worth_another_run

    def test_are_enough_if_they_are_all(self, fake: FakeSpotify, spotify: SpotifyClient) -> None:
        fake.withheld["artists"] = error(403, "Forbidden")

        artists = Catalogue(spotify).artists(some("artist", range(6)), lambda: self.KNOWN)

        assert (artists.items, artists.finding, artists.open) == ([], "one by one", [])
        assert not artists.is_worth_another_run
        assert fake.calls_of("artist") == []

    def test_are_not_looked_for_where_a_call_brings_fifty(self, fake: FakeSpotify, spotify: SpotifyClient) -> None:
        def earlier() -> EarlierArtists:
            raise AssertionError

        artists = Catalogue(spotify).artists(some("artist", range(8)), earlier)

        assert (found(artists), artists.earlier, artists.open) == (some("artist", range(8)), [], [])
        assert len(fake.calls_of("artists")) == 1


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
        assert (albums.items, albums.finding) == ([], "refused:403")
        assert not albums.is_worth_another_run
        assert [endpoint for endpoint, _ in fake.asked] == ["token", "artists", *["artist"] * 6]

    def test_artists_spend_at_most_half_of_the_calls(self, fake: FakeSpotify, clock: Clock) -> None:
        catalogue = Catalogue(spotify_client(clock, call_budget=20))

        first = catalogue.artists(some("artist", range(30)))
        second = catalogue.artists(some("artist", range(29, 40)))

        assert (found(first), first.finding) == (some("artist", range(10)), "one by one, incomplete")
        assert (second.items, second.finding) == ([], "one by one, incomplete")
        assert len(second.open) == 11
        assert second.is_worth_another_run
        assert len(fake.calls_of("artist")) == 10

    def test_an_artist_is_not_asked_for_where_even_single_ones_are_refused(
        self, fake: FakeSpotify, spotify: SpotifyClient
    ) -> None:
        fake.withheld["artist"] = error(403, "Forbidden")
        catalogue = Catalogue(spotify)

        for _ in range(2):
            refused = catalogue.artists(some("artist", range(3)))
            assert (refused.items, refused.finding, refused.is_worth_another_run) == ([], "refused:403", False)
        assert len(fake.calls_of("artist")) == 1


def test_a_spent_quota_ends_every_enrichment_without_another_call(fake: FakeSpotify, spotify: SpotifyClient) -> None:
    fake.withheld["artists"] = error(429, "API rate limit exceeded", Retry_After="86400")
    catalogue = Catalogue(spotify)

    artists, albums = catalogue.artists(some("artist", range(3))), catalogue.albums(some("album", range(3)))

    assert (artists.items, artists.finding, albums.items, albums.finding) == ([], "quota", [], "quota")
    assert [endpoint for endpoint, _ in fake.asked] == ["token", "artists"]
    assert spotify.spent is not None
