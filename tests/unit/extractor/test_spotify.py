"""What the client makes of Spotify's answers, and which calls it repeats."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import pytest
import requests
from spotipy.cache_handler import MemoryCacheHandler

from services.extractor.authorization import UnauthorizedError
from services.extractor.spotify import SpotifyClient
from shared.web import (
    NotFoundError,
    QuotaError,
    RefusedError,
    UnavailableError,
)
from tests.unit.extractor.fake_spotify import (
    API_URL,
    CLIENT_SECRET,
    PLAYLIST_ID,
    Answer,
    Clock,
    Endpoint,
    FakeSpotify,
    error,
    song,
    spotify_client,
    spotify_id,
)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def tokens() -> MemoryCacheHandler:
    return MemoryCacheHandler()


@pytest.fixture
def client(fake: FakeSpotify, clock: Clock, tokens: MemoryCacheHandler) -> SpotifyClient:
    fake.playlists[PLAYLIST_ID] = [song(1)]
    return spotify_client(clock, tokens=tokens)


def test_a_playlist_is_asked_for_in_its_market_with_tracks_and_episodes(
    fake: FakeSpotify, client: SpotifyClient
) -> None:
    playlist = client.playlist(PLAYLIST_ID)

    assert playlist["id"] == PLAYLIST_ID
    assert fake.calls_of("playlist") == [{"market": "US", "additional_types": "track,episode"}]
    assert client.calls == len(fake.asked) == 2, "the call for the token counts"


def test_a_page_is_asked_for_by_offset(fake: FakeSpotify, client: SpotifyClient) -> None:
    client.playlist_page(PLAYLIST_ID, offset=100)

    assert fake.calls_of("items") == [
        {"market": "US", "additional_types": "track,episode", "limit": "50", "offset": "100"}
    ]


@pytest.mark.parametrize(
    ("fetch", "endpoint", "sizes"),
    [(SpotifyClient.artists, "artists", [50, 50, 20]), (SpotifyClient.albums, "albums", [20] * 6)],
)
def test_ids_are_asked_for_as_many_at_once_as_spotify_takes(
    fake: FakeSpotify,
    client: SpotifyClient,
    fetch: Callable[[SpotifyClient, Sequence[str]], Iterator[Mapping[str, Any]]],
    endpoint: Endpoint,
    sizes: list[int],
) -> None:
    ids = [spotify_id("any", number) for number in range(1, 121)]

    found = [named for batch in fetch(client, ids) for named in batch.items()]

    assert found == [(each, {"id": each, "of": endpoint}) for each in ids]
    assert [len(query["ids"].split(",")) for query in fake.calls_of(endpoint)] == sizes


def test_features_are_asked_for_a_hundred_tracks_at_once(fake: FakeSpotify, client: SpotifyClient) -> None:
    ids = [spotify_id("any", number) for number in range(1, 121)]

    assert [each["id"] for batch in client.audio_features(ids) for each in batch] == ids
    assert [len(query["ids"].split(",")) for query in fake.calls_of("audio-features")] == [100, 20]


def test_ids_that_spotify_does_not_know_are_told_apart(client: SpotifyClient) -> None:
    known, unknown = spotify_id("any", 1), spotify_id("any", 404)

    assert list(client.audio_features([known, unknown])) == [[{"id": known, "of": "audio-features"}]]
    assert list(client.artists([known, unknown])) == [{known: {"id": known, "of": "artists"}, unknown: None}]
    assert [client.artist(each) for each in (known, unknown)] == [{"id": known, "of": "artists"}, None]


def test_albums_are_those_of_the_market(fake: FakeSpotify, client: SpotifyClient) -> None:
    list(client.albums([spotify_id("album", 1)]))

    assert fake.calls_of("albums")[0]["market"] == "US"


def test_one_token_serves_many_calls_and_the_next_client(
    fake: FakeSpotify, client: SpotifyClient, tokens: MemoryCacheHandler
) -> None:
    client.playlist(PLAYLIST_ID)
    client.playlist(PLAYLIST_ID)

    assert len(fake.calls_of("token")) == 1
    assert tokens.get_cached_token()["access_token"] == fake.tokens[0]


@pytest.mark.parametrize("status", [400, 403, 404])
def test_a_refusal_is_never_repeated(fake: FakeSpotify, client: SpotifyClient, clock: Clock, status: int) -> None:
    fake.withheld["playlist"] = error(status, "Not for you")

    endpoint = f"GET {API_URL}playlists/{PLAYLIST_ID}"
    with pytest.raises(RefusedError, match=f"{endpoint} was refused with {status}: Not for you") as fault:
        client.playlist(PLAYLIST_ID)

    assert fault.value.finding == f"refused:{status}"
    assert len(fake.calls_of("playlist")) == 1
    assert clock.pauses == []


def test_what_is_not_found_may_be_a_list_of_spotifys_own(client: SpotifyClient) -> None:
    with pytest.raises(NotFoundError, match="Resource not found"):
        client.playlist(spotify_id("37i9", 1))


def test_an_id_that_spotipy_takes_for_none_is_a_refusal(fake: FakeSpotify, client: SpotifyClient) -> None:
    with pytest.raises(RefusedError):
        list(client.artists(["no id"]))

    assert fake.calls_of("artists") == []


@pytest.mark.parametrize(
    ("fault", "finding"),
    [
        (error(500, "Server error"), "failed:500"),
        (error(503, "Service unavailable"), "failed:503"),
        (Answer(502, "<html>Bad gateway</html>"), "failed:502"),
        (Answer(503, {"error": "a plain sentence"}), "failed:503"),
        (Answer(503, ["no object"]), "failed:503"),
        (Answer(200, ""), "failed:unreadable"),
        (Answer(200, '{"items": ['), "failed:unreadable"),
        (Answer(200, "[]"), "failed:unreadable"),
        (requests.ReadTimeout(), "failed:timeout"),
        (requests.ConnectTimeout(), "failed:timeout"),
        (requests.ConnectionError(), "failed:connection"),
        (requests.exceptions.ChunkedEncodingError(), "failed:connection"),
    ],
)
class TestAFaultThatMayPass:
    def test_is_waited_out(
        self, fake: FakeSpotify, client: SpotifyClient, clock: Clock, fault: Answer | Exception, finding: str
    ) -> None:
        fake.faults["playlist"] = [fault, fault]

        assert client.playlist(PLAYLIST_ID)["id"] == PLAYLIST_ID
        assert len(clock.pauses) == 2, finding

    def test_is_waited_out_for_the_token_too(
        self, fake: FakeSpotify, client: SpotifyClient, fault: Answer | Exception, finding: str
    ) -> None:
        fake.faults["token"] = [fault]

        assert client.playlist(PLAYLIST_ID)["id"] == PLAYLIST_ID
        assert len(fake.calls_of("token")) == 2, finding

    def test_ends_the_call_after_five_attempts(
        self, fake: FakeSpotify, client: SpotifyClient, clock: Clock, fault: Answer | Exception, finding: str
    ) -> None:
        fake.withheld["playlist"] = fault

        with pytest.raises(UnavailableError) as told:
            client.playlist(PLAYLIST_ID)

        assert told.value.finding == finding
        assert len(fake.calls_of("playlist")) == 5
        assert len(clock.pauses) == 4
        assert client.calls == len(fake.asked), "calls without an answer count too"

    def test_is_not_repeated_beyond_the_time_that_is_left(
        self, fake: FakeSpotify, client: SpotifyClient, clock: Clock, fault: Answer | Exception, finding: str
    ) -> None:
        clock.seconds_left = 1e-9
        fake.withheld["playlist"] = fault

        with pytest.raises(UnavailableError):
            client.playlist(PLAYLIST_ID)

        assert len(fake.calls_of("playlist")) == 1, finding
        assert clock.pauses == []


def test_an_answer_without_its_list_is_no_answer(fake: FakeSpotify, client: SpotifyClient) -> None:
    for endpoint, fetch in (
        ("artists", client.artists),
        ("albums", client.albums),
        ("audio-features", client.audio_features),
    ):
        fake.faults[endpoint] = [Answer(200, {})]  # type: ignore[index]

        with pytest.raises(UnavailableError, match="contains no list"):
            list(fetch([spotify_id("any", 1)]))


def test_a_short_limit_is_waited_for_as_long_as_spotify_says(
    fake: FakeSpotify, client: SpotifyClient, clock: Clock
) -> None:
    fake.faults["playlist"] = [error(429, "API rate limit exceeded", Retry_After="7")]

    assert client.playlist(PLAYLIST_ID)["id"] == PLAYLIST_ID
    assert clock.pauses == [7.0]


@pytest.mark.parametrize(("retry_after", "seconds_left"), [("86400", 100_000.0), ("30", 20.0)])
def test_a_limit_that_lasts_longer_than_the_run_can_wait_ends_the_call_at_once(
    fake: FakeSpotify, client: SpotifyClient, clock: Clock, retry_after: str, seconds_left: float
) -> None:
    clock.seconds_left = seconds_left
    fake.withheld["playlist"] = error(429, "API rate limit exceeded", Retry_After=retry_after)

    with pytest.raises(QuotaError, match=f"wait for {retry_after} s") as fault:
        client.playlist(PLAYLIST_ID)

    assert fault.value.finding == "quota"
    assert len(fake.calls_of("playlist")) == 1
    assert clock.pauses == []


@pytest.mark.parametrize("headers", [{}, {"Retry-After": "Wed, 25 Nov 2026 07:28:00 GMT"}])
def test_a_limit_without_seconds_is_backed_off_from(
    fake: FakeSpotify, client: SpotifyClient, clock: Clock, headers: dict[str, str]
) -> None:
    fake.faults["playlist"] = [Answer(429, {"error": {"message": "Slow down", "reason": "RATE_LIMITED"}}, headers)]

    assert client.playlist(PLAYLIST_ID)["id"] == PLAYLIST_ID
    assert len(clock.pauses) == 1


def test_pauses_are_drawn_from_a_range_that_doubles(fake: FakeSpotify, client: SpotifyClient, clock: Clock) -> None:
    fake.withheld["playlist"] = error(503, "Service unavailable")

    with pytest.raises(UnavailableError):
        client.playlist(PLAYLIST_ID)

    assert all(pause <= most for pause, most in zip(clock.pauses, (1, 2, 4, 8), strict=True))


def test_nothing_is_asked_once_the_time_is_up(fake: FakeSpotify, client: SpotifyClient, clock: Clock) -> None:
    clock.seconds_left = 0

    with pytest.raises(QuotaError, match="used up its time"):
        client.playlist(PLAYLIST_ID)

    assert fake.asked == []


def test_wrong_credentials_are_told_without_being_shown(fake: FakeSpotify, client: SpotifyClient) -> None:
    fake.withheld["token"] = Answer(400, {"error": "invalid_client", "error_description": "Invalid client secret"})

    for _ in range(2):
        with pytest.raises(UnauthorizedError, match="400: invalid_client: Invalid client secret") as fault:
            client.playlist(PLAYLIST_ID)

        assert CLIENT_SECRET not in str(fault.value)
    assert len(fake.asked) == 1, "they are shown once a run"


def test_a_token_that_expires_early_is_replaced(fake: FakeSpotify, client: SpotifyClient) -> None:
    client.playlist(PLAYLIST_ID)
    fake.tokens.append("the one that Spotify accepts now")

    assert client.playlist(PLAYLIST_ID)["id"] == PLAYLIST_ID
    assert len(fake.calls_of("token")) == 2
