"""The simulator as users start it, through the client library that the extractor uses, unchanged."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import date
from pathlib import Path

import pytest
import requests
import spotipy
from spotipy.cache_handler import MemoryCacheHandler
from spotipy.oauth2 import SpotifyClientCredentials, SpotifyOAuth, SpotifyOauthError

from infra.local.loopback import SECRET_HEADER
from infra.local.own_routes import SimulatorError
from infra.local.spotify.admin import Decoration, Fault
from infra.local.spotify.client import SimulatorClient
from infra.local.spotify.trending import ARCHIVE, EDITORIAL, TRENDING_GLOBAL, TRENDING_METAL_ROCK
from tests.waiting import eventually

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
CAPTURED_ID = "0CapturedByOthers00000"
ITEMS = "/v1/playlists/{id}/items"
CLIENT_ID, CLIENT_SECRET, SECRET = "the-client-id", "the-client-secret", "of this start"
KEYS = {
    "SPOTIPY_CLIENT_ID": CLIENT_ID,
    "SPOTIPY_CLIENT_SECRET": CLIENT_SECRET,
    "SPOTIFY_SIMULATOR_SECRET": SECRET,
}
REDIRECT_URI = "http://127.0.0.1:8080/callback"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture(scope="module")
def captured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a document of 120 entries in the shape of before 2026."""
    folder = tmp_path_factory.mktemp("captured")
    entries = [{"added_at": None, "is_local": False, "track": {"type": "track", "id": f"{n:022}"}} for n in range(120)]
    document = {"id": CAPTURED_ID, "name": "Captured", "tracks": {"items": entries, "offset": 0, "total": 120}}
    (folder / "captured.json").write_text(json.dumps([document]))
    return folder


@pytest.fixture(scope="module")
def process(captured: Path) -> Iterator[tuple[str, "subprocess.Popen[bytes]"]]:
    port = free_port()
    command = [sys.executable, "-m", "infra.local.spotify", "--port", str(port), "--documents", str(captured)]
    with subprocess.Popen(command, cwd=ROOT, env=os.environ | KEYS) as server:
        try:
            yield f"http://127.0.0.1:{port}", server
        finally:
            server.kill()


@pytest.fixture(scope="module")
def simulator(process: tuple[str, "subprocess.Popen[bytes]"]) -> SimulatorClient:
    address, server = process
    client = SimulatorClient(address, SECRET)

    def answers() -> bool:
        assert server.poll() is None, "the simulator ended before it answered"
        with suppress(requests.ConnectionError):
            client.info()
            return True
        return False

    eventually(answers)
    return client


@pytest.fixture
def session() -> Iterator[requests.Session]:
    with requests.Session() as session:
        yield session


@pytest.fixture
def spotify(
    process: tuple[str, "subprocess.Popen[bytes]"],
    simulator: SimulatorClient,
    session: requests.Session,
    monkeypatch: pytest.MonkeyPatch,
) -> spotipy.Spotify:
    address, _ = process
    simulator.set_date(date(2026, 5, 25))
    simulator.set_tier("extended")
    simulator.set_faults(())
    monkeypatch.setattr(SpotifyClientCredentials, "OAUTH_TOKEN_URL", f"{address}/api/token")
    credentials = SpotifyClientCredentials(
        CLIENT_ID, CLIENT_SECRET, requests_session=session, cache_handler=MemoryCacheHandler()
    )
    spotify = spotipy.Spotify(auth_manager=credentials, requests_session=session)
    spotify.prefix = f"{address}/v1/"
    return spotify


def test_spotipy_reads_a_playlist_with_all_that_belongs_to_it(spotify: spotipy.Spotify) -> None:
    # when
    playlist = spotify.playlist(TRENDING_GLOBAL.id, market="US")
    page = spotify.playlist_items(TRENDING_GLOBAL.id, limit=20, market="US")
    entries = list(page["items"])
    while page := spotify.next(page):
        entries.extend(page["items"])
    tracks = [entry["item"] for entry in entries]
    with pytest.warns(DeprecationWarning, match="audio_features"):
        features = spotify.audio_features([track["id"] for track in tracks])
    artists = spotify.artists(sorted({track["artists"][0]["id"] for track in tracks}))["artists"]
    albums = spotify.albums([track["album"]["id"] for track in tracks[:20]], market="US")["albums"]

    # then
    assert playlist["name"] == TRENDING_GLOBAL.name
    assert entries == playlist["items"]["items"]
    assert [one["id"] for one in features] == [track["id"] for track in tracks]
    assert all(artist["genres"] for artist in artists)
    assert [album["name"] for album in albums] == [track["album"]["name"] for track in tracks[:20]]


def test_spotipy_gets_the_real_errors(spotify: spotipy.Spotify) -> None:
    with pytest.raises(spotipy.SpotifyException) as error:
        spotify.playlist("37i9dQZEVXbMDoHDwVN2tF")

    assert (error.value.http_status, error.value.msg.split("\n ")[-1]) == (404, "Resource not found")


def test_spotipy_is_told_that_its_secret_is_wrong(spotify: spotipy.Spotify) -> None:
    spotify.auth_manager.client_secret = "wrong"

    with pytest.raises(SpotifyOauthError, match="invalid_client"):
        spotify.track("2wrJq5XKLnmhRXHIAf9xBa")


def test_the_clock_takes_the_lists_back_in_time(simulator: SimulatorClient, spotify: spotipy.Spotify) -> None:
    # given
    now = spotify.playlist(TRENDING_METAL_ROCK.id)

    # when
    clock = simulator.set_date(date(2026, 5, 18))
    then = spotify.playlist(TRENDING_METAL_ROCK.id)

    # then
    assert clock == simulator.info().clock
    assert then["snapshot_id"] != now["snapshot_id"]
    assert max(entry["added_at"] for entry in then["items"]["items"]) == "2026-05-18T00:00:00Z"


def test_the_clock_says_why_it_refuses_a_day(simulator: SimulatorClient) -> None:
    with pytest.raises(SimulatorError, match="first day is 2022-10-01"):
        simulator.set_date(date(2020, 1, 1))


def test_reset_follows_the_calendar_again(simulator: SimulatorClient) -> None:
    simulator.set_date(date(2026, 5, 18))

    assert simulator.reset().is_set is False


def test_spotipy_reads_a_captured_list_in_pages(spotify: spotipy.Spotify) -> None:
    page = spotify.playlist_items(CAPTURED_ID, limit=50)
    ids = [entry["item"]["id"] for entry in page["items"]]
    while page := spotify.next(page):
        ids += [entry["item"]["id"] for entry in page["items"]]

    assert ids == [f"{number:022}" for number in range(120)]


def test_a_tier_holds_from_the_next_call_on(simulator: SimulatorClient, spotify: spotipy.Spotify) -> None:
    # given
    assert spotify.playlist(EDITORIAL.id)["owner"]["id"] == "spotify"

    # when
    told = simulator.set_tier("dev_2026")

    # then
    assert told == simulator.info().tier
    refusals: list[tuple[Callable[[], object], int, str]] = [
        (lambda: spotify.playlist(EDITORIAL.id), 404, "Resource not found"),
        (lambda: spotify.playlist_items(TRENDING_GLOBAL.id), 403, "Forbidden"),
        (lambda: spotify.artists(["0" * 22]), 403, "Forbidden"),
        (lambda: spotify._get("audio-features", ids="0" * 22), 403, "None"),
    ]
    for call, status, message in refusals:
        with pytest.raises(spotipy.SpotifyException) as refused:
            call()
        assert (refused.value.http_status, refused.value.msg.split("\n ")[-1]) == (status, message)


def test_a_tier_says_in_which_generation_it_exists(simulator: SimulatorClient) -> None:
    with pytest.raises(SimulatorError, match="dev_2026 exists in the generation 2026 alone, not in 2025"):
        simulator.set_tier("dev_2026", "2025")


@pytest.mark.parametrize(
    ("fault", "patience", "error"),
    [
        (Fault(endpoint=ITEMS, kind="truncated_body"), 10, requests.exceptions.ChunkedEncodingError),
        (Fault(endpoint=ITEMS, kind="timeout", seconds=1.5), 0.3, requests.exceptions.ReadTimeout),
    ],
    ids=["truncated body", "timeout"],
)
def test_a_broken_answer_breaks_on_the_wire(
    simulator: SimulatorClient, spotify: spotipy.Spotify, fault: Fault, patience: float, error: type[Exception]
) -> None:
    # given
    spotify.requests_timeout = patience
    simulator.set_faults([fault])

    # when
    with pytest.raises(error):
        spotify.playlist_items(TRENDING_GLOBAL.id)

    # then
    assert simulator.faults().faults == ()
    spotify.requests_timeout = 10
    assert len(spotify.playlist_items(TRENDING_GLOBAL.id, limit=50)["items"]) == 50


def test_spotipy_tells_of_a_long_limit_and_of_a_spent_quota(
    simulator: SimulatorClient, spotify: spotipy.Spotify
) -> None:
    # given
    long = Fault(endpoint=ITEMS, kind="rate_limited", playlist=ARCHIVE.id, seconds=86_400, after=1)
    simulator.set_faults([long, Fault(endpoint=ITEMS, kind="quota_exceeded", playlist=TRENDING_GLOBAL.id)])

    # when
    first = spotify.playlist_items(ARCHIVE.id)
    with pytest.raises(spotipy.SpotifyException) as limited:
        spotify.next(first)
    with pytest.raises(spotipy.SpotifyException) as spent:
        spotify.playlist_items(TRENDING_GLOBAL.id)

    # then
    assert (limited.value.http_status, limited.value.headers["Retry-After"]) == (429, "86400")
    assert (spent.value.http_status, spent.value.reason) == (429, "QUOTA_EXCEEDED")


def test_decorations_stay_until_they_are_cleared(simulator: SimulatorClient, spotify: spotipy.Spotify) -> None:
    def nulls() -> int:
        return [entry["item"] for entry in spotify.playlist_items(TRENDING_GLOBAL.id)["items"]].count(None)

    simulator.set_faults((), [Decoration(playlist=TRENDING_GLOBAL.id, null_entries=40)])
    decorated = (nulls(), nulls())
    simulator.set_faults(())

    assert decorated[0] == decorated[1] > 0
    assert nulls() == 0


def test_spotipy_walks_through_the_consent_and_reads_as_the_owner(
    process: tuple[str, "subprocess.Popen[bytes]"],
    simulator: SimulatorClient,
    spotify: spotipy.Spotify,
    session: requests.Session,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # given
    address, _ = process
    simulator.set_tier("dev_2026")
    monkeypatch.setattr(SpotifyOAuth, "OAUTH_AUTHORIZE_URL", f"{address}/authorize")
    monkeypatch.setattr(SpotifyOAuth, "OAUTH_TOKEN_URL", f"{address}/api/token")
    oauth = SpotifyOAuth(
        CLIENT_ID,
        CLIENT_SECRET,
        REDIRECT_URI,
        state="s",
        requests_session=session,
        cache_handler=MemoryCacheHandler(),
    )

    # when
    sent_back = session.get(oauth.get_authorize_url(), allow_redirects=False).headers["Location"]
    state, code = oauth.parse_auth_response_url(sent_back)
    oauth.get_access_token(code, as_dict=False)
    refreshed = oauth.refresh_access_token(oauth.cache_handler.get_cached_token()["refresh_token"])
    spotify.auth_manager = oauth
    entries = spotify.playlist_items(TRENDING_GLOBAL.id, limit=50)["items"]

    # then
    assert state == "s"
    assert len(entries) == 50
    assert all("popularity" not in entry["item"] for entry in entries)

    # and when the consent is old
    simulator.set_consent_date(date(2025, 11, 1))
    with pytest.raises(SpotifyOauthError, match="Refresh token expired") as expired:
        oauth.refresh_access_token(refreshed["refresh_token"])
    assert expired.value.error == "invalid_grant"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {SECRET_HEADER: "of another start"},
        {SECRET_HEADER: SECRET, "Host": "evil.example"},
        {SECRET_HEADER: SECRET, "Origin": "https://evil.example"},
    ],
)
def test_its_own_routes_are_for_the_owner_alone(
    process: tuple[str, "subprocess.Popen[bytes]"], simulator: SimulatorClient, headers: dict[str, str]
) -> None:
    address, _ = process
    before = simulator.set_date(date(2026, 5, 25))

    refused = requests.put(f"{address}/_simulator/clock", headers=headers, data='{"date": "2026-01-05"}', timeout=60)

    assert refused.status_code == 403
    assert simulator.info().clock == before


def test_the_route_of_health_tells_nothing(process: tuple[str, "subprocess.Popen[bytes]"]) -> None:
    address, _ = process

    answer = requests.get(f"{address}/_health", timeout=60)

    assert (answer.status_code, answer.content) == (204, b"")


def test_without_keys_it_does_not_start() -> None:
    command = [sys.executable, "-m", "infra.local.spotify", "--port", "1"]

    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert (ended.returncode, ended.stderr.split(":")[0]) == (1, "SPOTIPY_CLIENT_ID must be set")


def test_a_folder_without_documents_is_refused_with_a_sentence(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "infra.local.spotify", "--port", "1", "--documents", str(tmp_path)]

    ended = subprocess.run(command, cwd=ROOT, env=os.environ | KEYS, capture_output=True, text=True, check=False)

    assert ended.returncode == 1
    assert ended.stderr == f"There is no playlist document in {tmp_path}: *.json is read.\n"


def test_sigterm_ends_it_promptly_though_a_client_waits_for_an_answer(
    process: tuple[str, "subprocess.Popen[bytes]"], simulator: SimulatorClient, spotify: spotipy.Spotify
) -> None:
    # given
    _, server = process
    simulator.set_faults([Fault(endpoint=ITEMS, kind="timeout", seconds=60)])
    spotify.requests_timeout = 0.2
    with pytest.raises(requests.exceptions.ReadTimeout):
        spotify.playlist_items(TRENDING_GLOBAL.id)

    # when
    server.send_signal(signal.SIGTERM)

    # then
    assert server.wait(timeout=30) == 0
