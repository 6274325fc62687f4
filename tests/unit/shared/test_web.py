"""What a session makes of answers, of limits and of time; over a real connection where that matters."""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any

import pytest
import requests

from shared.web import (
    NoContentError,
    QuotaError,
    RateLimitedError,
    UnavailableError,
    WebError,
    WebSession,
    fetcher,
    retrying,
)
from tests.unit.extractor.fake_spotify import RECCOBEATS_URL, Answer, Clock, FakeSpotify, error


@pytest.fixture
def fake() -> Iterator[FakeSpotify]:
    with FakeSpotify().reachable() as spotify:
        yield spotify


URL = f"{RECCOBEATS_URL}audio-features"
QUERY = {"ids": "one,two"}


def session_of(clock: Clock, call_budget: int = 500) -> WebSession:
    return WebSession(lambda: clock.seconds_left, lambda: call_budget)


@contextmanager
def served(send: Callable[[socket.socket], None]) -> Iterator[str]:
    """A server that does with its one connection what it is told."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            with server.accept()[0] as connection:
                connection.recv(65536)
                try:
                    send(connection)
                except OSError:
                    return

        thread = Thread(target=answer)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/"
        thread.join()


@contextmanager
def real_seconds(seconds: float) -> Iterator[WebSession]:
    until = time.monotonic() + seconds
    with WebSession(lambda: until - time.monotonic(), lambda: 10) as session:
        yield session


def test_an_object_is_fetched_with_every_retry(fake: FakeSpotify) -> None:
    clock = Clock()
    session = session_of(clock)
    fake.faults["reccobeats"] = [error(503, "Down"), error(429, "Slow down", Retry_After="4")]

    found = fetcher(session, retrying(lambda: clock.seconds_left, clock.sleep))(URL, QUERY)

    assert len(found["content"]) == 2
    assert fake.asked == [("reccobeats", QUERY)] * 3
    assert session.calls == 3
    assert clock.pauses[1] == 4.0


@pytest.mark.parametrize(
    ("limit", "retry_after"),
    [
        (error(429, "Spent", Retry_After="61"), 61.0),
        (error(429, "Spent", Retry_After="86400"), 86400.0),
        (Answer(429, {"error": {"status": 429, "message": "Spent", "reason": "QUOTA_EXCEEDED"}}), None),
        (Answer(429, {"error": {"message": "Spent", "reason": "QUOTA_EXCEEDED"}}, {"Retry-After": "5"}), 5.0),
        (Answer(429, {"error": "Spent", "reason": "QUOTA_EXCEEDED"}), None),
    ],
)
def test_a_spent_quota_ends_every_call_of_the_session(
    fake: FakeSpotify, limit: Answer, retry_after: float | None
) -> None:
    # given a quota that is spent
    clock = Clock()
    session = session_of(clock)
    fetch = fetcher(session, retrying(lambda: clock.seconds_left, clock.sleep))
    fake.faults["reccobeats"] = [limit]

    # when it is met, and something is asked after it
    for _ in range(2):
        with pytest.raises(QuotaError, match="Spent") as fault:
            fetch(URL, QUERY)

        # then that is told, without a pause or another call
        assert (fault.value.finding, fault.value.retry_after) == ("quota", retry_after)
    assert session.spent is fault.value
    assert (len(fake.asked), clock.pauses) == (1, [])


@pytest.mark.parametrize("retry_after", ["60", "1"])
def test_a_limit_of_a_minute_passes(fake: FakeSpotify, retry_after: str) -> None:
    fake.withheld["reccobeats"] = error(429, "Slow down", Retry_After=retry_after)
    session = session_of(Clock())

    with pytest.raises(RateLimitedError) as fault:
        session.get(URL, params=QUERY)

    assert not isinstance(fault.value, QuotaError)
    assert session.spent is None


@pytest.mark.parametrize("header", ["Retry-After", "X-RateLimit-Reset-In"])
def test_a_limit_ends_when_the_answer_says(fake: FakeSpotify, header: str) -> None:
    clock = Clock()
    fake.faults["reccobeats"] = [Answer(429, {"code": 429, "error": "Slow down"}, {header: "7"})]

    fetcher(session_of(clock), retrying(lambda: clock.seconds_left, clock.sleep))(URL, QUERY)

    assert clock.pauses == [7.0]


def test_what_is_not_there_yet_is_not_asked_for_again_at_once(fake: FakeSpotify) -> None:
    clock = Clock()
    session = session_of(clock)
    fake.withheld["reccobeats"] = Answer(204)

    with pytest.raises(NoContentError, match="no content yet") as fault:
        fetcher(session, retrying(lambda: clock.seconds_left, clock.sleep))(URL, QUERY)

    assert (fault.value.finding, session.calls, clock.pauses) == ("failed:204", 1, [])


def test_calls_end_with_their_budget(fake: FakeSpotify) -> None:
    session = session_of(Clock(), call_budget=2)
    session.get(URL, params=QUERY)
    session.get(URL, params=QUERY)

    with pytest.raises(QuotaError, match="budget of 2 calls") as fault:
        session.get(URL, params=QUERY)

    assert fault.value.retry_after is None
    assert session.calls == len(fake.asked) == 2


def test_no_call_waits_longer_than_the_time_that_is_left(fake: FakeSpotify, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[float] = []
    send = fake.send

    def watched(*args: Any, **options: Any) -> requests.Response:
        given.append(options["timeout"])
        return send(*args, **options)

    monkeypatch.setattr(fake, "send", watched)

    for left in (800.0, 3.0):
        session_of(Clock(seconds_left=left)).get(URL, params=QUERY)

    assert given == [10.0, 3.0]


def test_an_answer_that_nests_too_deep_is_unreadable(fake: FakeSpotify) -> None:
    fake.withheld["reccobeats"] = Answer(200, "[" * 100_000)

    with pytest.raises(UnavailableError, match="no JSON object"):
        session_of(Clock()).get(URL, params=QUERY)


def test_an_answer_is_read_however_it_is_sent() -> None:
    def send(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for part in (b'{"content": ', b"[1, 2", b"]}", b""):
            connection.sendall(b"%x\r\n%s\r\n" % (len(part), part))

    with served(send) as url, real_seconds(5) as session:
        assert session.get(url).json() == {"content": [1, 2]}


def test_an_answer_that_ends_too_soon_is_none() -> None:
    def send(connection: socket.socket) -> None:
        connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"content": []}')

    with served(send) as url, real_seconds(5) as session, pytest.raises(UnavailableError) as fault:
        session.get(url)

    assert fault.value.finding == "failed:connection"


@pytest.mark.parametrize("head", [b"Content-Length: 100000", b"Transfer-Encoding: chunked\r\n\r\n186a0"])
def test_an_answer_that_trickles_ends_with_the_time(head: bytes) -> None:
    # given a server that sends a byte now and then, so that no time-out of a single wait is ever met
    def send(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n" + head + b"\r\n\r\n"[: 2 if b"chunked" in head else 4])
        for _ in range(400):
            connection.sendall(b" ")
            time.sleep(0.01)

    # when there is half a second left
    began = time.monotonic()
    with served(send) as url, real_seconds(0.5) as session, pytest.raises(WebError) as fault:
        session.get(url)

    # then it is cut
    assert fault.value.finding == "failed:timeout"
    assert time.monotonic() - began < 1.5
