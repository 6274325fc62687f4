"""The simulator as users start it, through the client library that the extractor uses, unchanged."""

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
import requests
import spotipy
from spotipy.cache_handler import MemoryCacheHandler
from spotipy.oauth2 import SpotifyClientCredentials, SpotifyOauthError

from infra.local.spotify.authorization import CLIENT_ID, CLIENT_SECRET
from infra.local.spotify.client import SimulatorClient, SimulatorError
from infra.local.spotify.trending import TRENDING_GLOBAL, TRENDING_METAL_ROCK

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture(scope="module")
def process() -> Iterator[tuple[str, "subprocess.Popen[bytes]"]]:
    port = free_port()
    with subprocess.Popen([sys.executable, "-m", "infra.local.spotify", "--port", str(port)], cwd=ROOT) as server:
        try:
            yield f"http://127.0.0.1:{port}", server
        finally:
            server.kill()


@pytest.fixture(scope="module")
def simulator(process: tuple[str, "subprocess.Popen[bytes]"]) -> SimulatorClient:
    address, server = process
    client = SimulatorClient(address)
    deadline = time.monotonic() + 30
    while True:
        try:
            client.info()
        except requests.ConnectionError:
            assert server.poll() is None, "the simulator ended before it answered"
            assert time.monotonic() < deadline, "the simulator did not answer within 30 seconds"
            time.sleep(0.05)
        else:
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


def test_sigterm_ends_it_promptly_though_a_client_holds_a_connection(
    process: tuple[str, "subprocess.Popen[bytes]"], spotify: spotipy.Spotify
) -> None:
    # given
    _, server = process
    spotify.playlist(TRENDING_GLOBAL.id)

    # when
    server.send_signal(signal.SIGTERM)

    # then
    assert server.wait(timeout=5) == 0
