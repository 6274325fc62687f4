"""ListenBrainz as far as the collector asks it, in the place of the network below `requests`."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Literal, TypeAlias
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import pytest
import requests
from requests.adapters import HTTPAdapter

from tests.unit.extractor.fake_spotify import Answer, respond

API_URL = "https://api.listenbrainz.test/1/"
MONDAY = date(2026, 11, 16)
SPENT = {"X-RateLimit-Limit": "30", "X-RateLimit-Remaining": "0"}

Endpoint: TypeAlias = Literal["recordings", "metadata"]


def mbid(number: int) -> str:
    return str(UUID(int=number))


def row(number: int, **fields: Any) -> dict[str, Any]:
    """A row of the statistics."""
    return {
        "artist_mbids": [mbid(10_000 + number)],
        "artist_name": f"Band {number}",
        "caa_id": None,
        "caa_release_mbid": None,
        "listen_count": 5_000 - number,
        "recording_mbid": mbid(number),
        "release_mbid": mbid(20_000 + number),
        "release_name": f"Album {number}",
        "track_name": f"Song {number} · песня",
        **fields,
    }


def statistics(rows: list[Any], monday: date = MONDAY, **fields: Any) -> dict[str, Any]:
    """The statistics of a week, as ListenBrainz answers them."""
    first = int(datetime.combine(monday, time(), UTC).timestamp())
    return {
        "payload": {
            "count": len(rows),
            "from_ts": first,
            "last_updated": first + 8 * 86_400,
            "offset": 0,
            "range": "week",
            "recordings": rows,
            "to_ts": first + 7 * 86_400,
            "total_recording_count": len(rows),
            **fields,
        }
    }


def refusal(status: int, message: str, **headers: str) -> Answer:
    """An error as ListenBrainz words it."""
    told = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, {"code": status, "error": message}, told)


@dataclass
class FakeListenBrainz:
    """A week's statistics, and faults that come before the answers.

    Attributes:
        rows: Of the week.
        monday: On which the week begins.
        asked: Each call, in order, with its headers.
        faults: What an endpoint answers next, once each.
        withheld: What an endpoint always answers.
        wait: Spends the time that a call takes.
    """

    rows: list[Any] = field(default_factory=lambda: [row(number) for number in range(1, 4)])
    monday: date = MONDAY
    asked: list[tuple[Endpoint, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    faults: dict[Endpoint, list[Answer | Exception]] = field(default_factory=dict)
    withheld: dict[Endpoint, Answer | Exception] = field(default_factory=dict)
    wait: Callable[[float], None] = lambda _seconds: None

    @property
    def endpoints(self) -> list[Endpoint]:
        return [endpoint for endpoint, _ in self.asked]

    def pass_weeks(self, weeks: int) -> None:
        self.monday += timedelta(weeks=weeks)

    @contextmanager
    def reachable(self) -> Iterator["FakeListenBrainz"]:
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(HTTPAdapter, "send", lambda _adapter, request, **options: self._send(request, **options))
            yield self

    def _send(self, request: requests.PreparedRequest, *, timeout: float, **_options: Any) -> requests.Response:
        assert timeout, "a call without a time-out can hang for ever"
        assert request.url
        endpoint, asked = self._read(request)
        self.asked.append((endpoint, asked))
        self.headers.append(dict(request.headers))
        waiting = self.faults.get(endpoint)
        fault = waiting.pop(0) if waiting else self.withheld.get(endpoint)
        self.wait(0.1)
        if isinstance(fault, Exception):
            raise fault
        return respond(request, fault or self._answer(endpoint, asked))

    def _read(self, request: requests.PreparedRequest) -> tuple[Endpoint, Any]:
        url = urlsplit(request.url or "")
        match request.method, f"{url.scheme}://{url.netloc}{url.path}".removeprefix(API_URL):
            case "GET", "stats/sitewide/recordings":
                return "recordings", {name: values[0] for name, values in parse_qs(str(url.query)).items()}
            case "POST", "metadata/recording/":
                return "metadata", json.loads(request.body or b"")
        raise AssertionError(f"the collector never asks for {request.method} {request.url}")

    def _answer(self, endpoint: Endpoint, asked: Any) -> Answer:
        if endpoint == "recordings":
            assert asked == {"range": "week", "count": "1000", "offset": "0"}
            return Answer(200, statistics(self.rows, self.monday))
        assert len(asked["recording_mbids"]) <= 1000
        assert asked["inc"] == "artist release"
        return Answer(200, {each: metadata(each) for each in asked["recording_mbids"]})


def metadata(of: str) -> dict[str, Any]:
    """What MusicBrainz knows of a recording."""
    return {
        "recording": {"name": "Song", "length": 180_000, "isrcs": [f"QZES7{UUID(of).int % 10**7:07}"]},
        "artist": {"name": "Band"},
        "release": {"name": "Album", "year": 2026},
    }
