"""Spotify as far as the extractor asks it, in the place of the network below `requests`."""

import json
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any, Literal, TypeAlias
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from msgspec import convert
from pydantic import SecretStr
from requests.adapters import HTTPAdapter
from spotipy.cache_handler import MemoryCacheHandler
from urllib3 import HTTPResponse

from contracts.spotify import Track
from services.extractor.credentials import Credentials
from services.extractor.spotify import SpotifyClient
from tests.documents import album, artist, track

API_URL = "https://api.spotify.test/v1/"
TOKEN_URL = "https://accounts.spotify.test/api/token"
RECCOBEATS_URL = "https://api.reccobeats.test/v1/"
CLIENT_ID = "the-client-id"
CLIENT_SECRET = "the-client-secret"
PLAYLIST_ID = "3cEYpjA9oz9GiPac4AsH4n"
OTHER_PLAYLIST_ID = "6sLKMeS7SXzu0Sxb6Je3gX"
SECRET = "earworm/dev/spotify"
ENVIRONMENT = {
    "S3_BUCKET": "lake",
    "SERVICE_VERSION": "1.0.0",
    "PLAYLIST_ID": f"{PLAYLIST_ID},https://open.spotify.com/playlist/{OTHER_PLAYLIST_ID}?si=0a1b",
    "SPOTIFY_MARKET": "US",
    "SPOTIFY_SECRET_NAME": SECRET,
    "SPOTIFY_API_URL": API_URL,
    "SPOTIFY_TOKEN_URL": TOKEN_URL,
    "RECCOBEATS_API_URL": RECCOBEATS_URL,
    "DEFERRED_SCHEDULES": "earworm-dev-deferred",
    "SCHEDULER_ROLE_ARN": "arn:aws:iam::123456789012:role/schedule",
    "DEAD_LETTER_QUEUE_ARN": "arn:aws:sqs:us-east-1:123456789012:dead-letters",
}
"""That of an extractor which asks this Spotify."""

Endpoint: TypeAlias = Literal[
    "token", "playlist", "items", "tracks", "artists", "artist", "albums", "audio-features", "reccobeats"
]
Generation: TypeAlias = Literal["2025", "2026", "both"]

_PAGES: dict[Generation, tuple[str, ...]] = {"2025": ("tracks",), "2026": ("items",), "both": ("tracks", "items")}
_ENTRIES: dict[Generation, tuple[str, ...]] = {"2025": ("track",), "2026": ("item",), "both": ("track", "item")}


def spotify_id(kind: str, number: int) -> str:
    return f"{kind}{number:0{22 - len(kind)}}"


def song(number: int, **fields: Any) -> dict[str, Any]:
    """A track of one artist and one album, with ids that Spotify could have given."""
    return track(
        f"Song {number}",
        id=spotify_id("track", number),
        artists=[artist(f"Band {number}", id=spotify_id("artist", number))],
        album=album(f"Album {number}", id=spotify_id("album", number)),
        **fields,
    )


def isrc(number: int) -> str:
    return f"USRC1{number:07}"


def tracks(*numbers: int) -> list[Track]:
    """Songs that have an ISRC each."""
    return [convert(song(number, external_ids={"isrc": isrc(number)}), Track) for number in numbers]


@dataclass
class Clock:
    """Time that passes only while somebody sleeps or waits for an answer."""

    seconds_left: float = 800.0
    pauses: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.seconds_left -= seconds

    def wait(self, seconds: float) -> None:
        self.seconds_left -= seconds


def spotify_client(clock: Clock, *, tokens: MemoryCacheHandler | None = None, call_budget: int = 500) -> SpotifyClient:
    """A client of the application that the fake knows, on the clock's time."""
    return SpotifyClient(
        credentials=Credentials(client_id=CLIENT_ID, client_secret=SecretStr(CLIENT_SECRET)),
        tokens=tokens or MemoryCacheHandler(),
        market="US",
        api_url=API_URL,
        token_url=TOKEN_URL,
        call_budget=call_budget,
        seconds_left=lambda: clock.seconds_left,
        sleep=clock.sleep,
    )


@dataclass(frozen=True)
class Answer:
    status: int
    body: Any = ""
    headers: dict[str, str] = field(default_factory=dict)


def error(status: int, message: str, **headers: str) -> Answer:
    """An error as the Web API words it."""
    told = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, {"error": {"status": status, "message": message}}, told)


@dataclass
class FakeSpotify:
    """Playlists of songs, and faults that come before the answers.

    Attributes:
        playlists: The songs of each playlist; None where an entry has lost its track.
        embedded: How many entries a playlist's own document holds; None for no contents at all.
        most_a_page: How many a page holds at most, whatever is asked for.
        lacking: The places whose entries pages leave out.
        total: What is counted in place of the entries, if something is.
        tokens: The access tokens that were given out.
        asked: Each call, in order.
        withheld: Endpoints that always answer so.
        faults: What an endpoint answers next, once each.
        edits: What the playlist's songs are next, once each, from the moment on when a page of them was given.
        wait: Spends the time that a call takes.
    """

    generation: Generation = "2026"
    playlists: dict[str, Sequence[Any]] = field(default_factory=dict)
    embedded: int | None = 100
    most_a_page: int = 50
    lacking: Collection[int] = ()
    total: Any = None
    tokens: list[str] = field(default_factory=list)
    asked: list[tuple[Endpoint, dict[str, str]]] = field(default_factory=list)
    withheld: dict[Endpoint, Answer | Exception] = field(default_factory=dict)
    faults: defaultdict[Endpoint, list[Answer | Exception]] = field(default_factory=lambda: defaultdict(list))
    edits: list[Sequence[Any]] = field(default_factory=list)
    wait: Callable[[float], None] = lambda _seconds: None
    _revision: int = 0

    @contextmanager
    def reachable(self) -> Iterator["FakeSpotify"]:
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(HTTPAdapter, "send", lambda _adapter, request, **options: self.send(request, **options))
            yield self

    def calls_of(self, endpoint: Endpoint) -> list[dict[str, str]]:
        return [query for asked, query in self.asked if asked == endpoint]

    def send(self, request: requests.PreparedRequest, *, timeout: float, **_options: Any) -> requests.Response:
        assert timeout, "a call without a time-out can hang for ever"
        assert request.url
        endpoint, playlist_id = self._endpoint(request.url)
        query = {name: values[0] for name, values in parse_qs(urlsplit(request.url).query).items()}
        self.asked.append((endpoint, query))
        fault = self.faults[endpoint].pop(0) if self.faults[endpoint] else self.withheld.get(endpoint)
        if isinstance(fault, Exception):
            self.wait(timeout)
            raise fault
        self.wait(0.1)
        if endpoint == "reccobeats":
            return respond(request, fault or _measured(query["ids"].split(",")))
        return respond(request, fault or self._answer(endpoint, playlist_id, query, request))

    def _endpoint(self, url: str) -> tuple[Endpoint, str]:
        if url == TOKEN_URL:
            return "token", ""
        if url.startswith(f"{RECCOBEATS_URL}audio-features?"):
            return "reccobeats", ""
        match url.removeprefix(API_URL).partition("?")[0].strip("/").split("/"):
            case ["playlists", playlist_id]:
                return "playlist", playlist_id
            case ["playlists", playlist_id, "items" | "tracks" as pages]:
                return pages, playlist_id
            case ["artists", artist_id]:
                return "artist", artist_id
            case ["artists" | "albums" | "audio-features" as several]:
                return several, ""
        raise AssertionError(f"the extractor never asks for {url}")

    def _answer(
        self, endpoint: Endpoint, named: str, query: dict[str, str], request: requests.PreparedRequest
    ) -> Answer:
        if endpoint == "token":
            self.tokens.append(f"token-{len(self.tokens)}")
            return Answer(200, {"access_token": self.tokens[-1], "token_type": "Bearer", "expires_in": 3600})
        if request.headers["Authorization"] != f"Bearer {self.tokens[-1]}":
            return error(401, "The access token expired")
        match endpoint:
            case "playlist" | "items" | "tracks":
                return self._asked_playlist(endpoint, named, query)
            case "artist":
                return _looked_up(named)
            case _:
                return _looked_up_together(endpoint, query["ids"].split(","))

    def _asked_playlist(self, endpoint: Endpoint, playlist_id: str, query: dict[str, str]) -> Answer:
        if playlist_id not in self.playlists:
            return error(404, "Resource not found")
        return Answer(
            200, self._playlist(playlist_id) if endpoint == "playlist" else self._asked_page(playlist_id, query)
        )

    def _playlist(self, playlist_id: str) -> dict[str, Any]:
        document = {
            "type": "playlist",
            "id": playlist_id,
            "name": "Trending · тренды",
            "snapshot_id": f"A{self._revision}",
        }
        if self.embedded is None:
            return document
        page = self._page(playlist_id, 0, self.embedded)
        return document | dict.fromkeys(_PAGES[self.generation], page)

    def _asked_page(self, playlist_id: str, query: dict[str, str]) -> dict[str, Any]:
        assert int(query["limit"]) <= 50
        offset, limit = int(query["offset"]), min(int(query["limit"]), self.most_a_page)
        page = self._page(playlist_id, offset, limit)
        page["items"] = [entry for place, entry in enumerate(page["items"], start=offset) if place not in self.lacking]
        if self.edits:
            self.playlists[playlist_id] = self.edits.pop(0)
            self._revision += 1
        return page

    def _page(self, playlist_id: str, offset: int, limit: int) -> dict[str, Any]:
        songs = self.playlists[playlist_id]
        return {
            "href": "https://elsewhere.test",
            "next": "https://elsewhere.test/next",
            "offset": offset,
            "limit": limit,
            "total": len(songs) if self.total is None else self.total,
            "items": [
                {"added_at": "2026-11-16T08:00:00Z", **dict.fromkeys(_ENTRIES[self.generation], each)}
                for each in songs[offset : offset + limit]
            ],
        }


def _looked_up(artist_id: str) -> Answer:
    if artist_id.endswith("404"):
        return error(404, "Non existing id")
    return Answer(200, {"id": artist_id, "of": "artists"})


def _looked_up_together(endpoint: str, ids: Sequence[str]) -> Answer:
    assert len(ids) <= {"artists": 50, "albums": 20, "audio-features": 100}[endpoint]
    found = [None if each.endswith("404") else {"id": each, "of": endpoint} for each in ids]
    return Answer(200, {endpoint.replace("-", "_"): found})


def _measured(ids: Sequence[str]) -> Answer:
    assert len(ids) <= 40
    rows = [
        {"id": f"reccobeats-{each}", "href": f"https://open.spotify.com/track/{each}", "energy": 0.5} for each in ids
    ]
    return Answer(200, {"content": rows})


def respond(request: requests.PreparedRequest, answer: Answer) -> requests.Response:
    body = answer.body if isinstance(answer.body, str) else json.dumps(answer.body)
    response = requests.Response()
    response.status_code = answer.status
    response.headers.update(answer.headers)
    response.raw = HTTPResponse(BytesIO(body.encode()), preload_content=False)
    response.url = request.url or ""
    response.request = request
    return response
