"""Runs of the extractor under whatever faults Spotify and ReccoBeats can have, in a time that only the faults spend."""

import json
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, NoReturn, get_args

import pytest
import requests
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.operations.extraction import RunSummary
from contracts.snapshot import Provenance, read_snapshot
from services.extractor.extract import IncompleteRunError, Run
from services.extractor.features import SpotifyFeatures
from services.extractor.reccobeats import ReccoBeats
from shared.deferral import Deferral
from shared.lake import Lake, SnapshotKey
from shared.web import TIMEOUT_SECONDS, WebSession, fetcher, retrying
from tests.unit.extractor.fake_spotify import (
    RECCOBEATS_URL,
    Answer,
    Clock,
    Endpoint,
    FakeSpotify,
    error,
    song,
    spotify_client,
    spotify_id,
)

DAY = date(2026, 11, 22)
PLAYLISTS = [spotify_id("playlist", number) for number in range(4)]
ENDPOINTS = get_args(Endpoint)
FAULTS: st.SearchStrategy[Answer | Exception] = st.sampled_from(
    [
        error(400, "Bad request"),
        error(401, "The access token expired"),
        error(403, "Forbidden"),
        error(404, "Resource not found"),
        error(429, "Slow down", Retry_After="1"),
        error(429, "Slow down", Retry_After="59"),
        error(429, "Slow down"),
        error(429, "Spent", Retry_After="86400"),
        error(429, "Spent", Retry_After="9" * 400),
        Answer(429, {"error": {"message": "Spent", "reason": "QUOTA_EXCEEDED"}}),
        error(500, "Server error"),
        error(503, "Service unavailable"),
        Answer(502, "<html>Bad gateway</html>"),
        requests.ReadTimeout(),
        requests.ConnectTimeout(),
        requests.ConnectionError(),
        requests.exceptions.ChunkedEncodingError(),
        Answer(200, '{"items": [{"item"'),
        Answer(200, ""),
        Answer(200, "[]"),
        Answer(200, {}),
    ]
)
ODD_PLAYLISTS: st.SearchStrategy[Answer | Exception] = st.sampled_from(
    [
        Answer(200, {"type": "playlist", "items": {"items": None, "total": 7}, "tracks": None}),
        Answer(200, {"type": "playlist", "snapshot_id": "B", "items": {"items": [None, {}], "total": 10**9}}),
        Answer(200, {"type": "playlist", "snapshot_id": 7.0, "items": {"items": [], "total": 60.0, "limit": "100"}}),
    ]
)
ODD_LISTS: st.SearchStrategy[Answer | Exception] = st.sampled_from(
    [
        Answer(200, {"items": [], "total": 10**9, "artists": None, "albums": [], "audio_features": 7, "content": {}}),
        Answer(200, {"items": [None], "artists": [None] * 50, "content": [None, 7, {"href": 7}]}),
    ]
)


@dataclass
class FakeS3:
    """A bucket as far as raw snapshots need it."""

    objects: dict[str, bytes] = field(default_factory=dict)

    def get_object(self, **_key: str) -> NoReturn:
        raise ClientError({"Error": {"Code": "NoSuchKey", "Message": ""}}, "GetObject")

    def put_object(self, *, Key: str, Body: bytes, **_options: Any) -> None:  # noqa: N803
        self.objects[Key] = Body


@dataclass
class FakeDeferrals:
    taken: list[Deferral] = field(default_factory=list)

    def defer(self, deferral: Deferral) -> None:
        self.taken.append(deferral)


@dataclass
class World:
    """Spotify with faults, and all that a run leaves behind."""

    spotify: FakeSpotify
    clock: Clock
    call_budget: int
    s3: FakeS3 = field(default_factory=FakeS3)
    deferrals: FakeDeferrals = field(default_factory=FakeDeferrals)

    def run(self) -> RunSummary | None:
        """What a run comes to; None if it asks to be repeated."""
        self.spotify.wait = self.clock.wait
        with self.spotify.reachable():
            try:
                return self._run().extract(PLAYLISTS)
            except IncompleteRunError:
                return None

    def _run(self) -> Run:
        def left() -> float:
            return self.clock.seconds_left

        spotify = spotify_client(self.clock, call_budget=self.call_budget)
        session = WebSession(left, lambda: spotify.call_budget)
        return Run(
            run_id="run-1",
            scheduled_time=datetime(2026, 11, 22, 6, tzinfo=UTC),
            deferrals_before=0,
            market="US",
            spotify=spotify,
            providers=[
                SpotifyFeatures(spotify),
                ReccoBeats(fetcher(session, retrying(left, self.clock.sleep)), RECCOBEATS_URL),
            ],
            lake=Lake(self.s3, "lake"),  # type: ignore[arg-type]  # as much of a client as it needs
            deferrals=self.deferrals,
        )


@st.composite
def worlds(draw: st.DrawFn) -> World:
    spotify = FakeSpotify(
        generation=draw(st.sampled_from(["2025", "2026", "both"])),
        embedded=draw(st.sampled_from([None, 0, 20, 100])),
        playlists={
            each: [song(number) if number % 7 else None for number in range(draw(st.integers(0, 160)))]
            for each in draw(st.sets(st.sampled_from(PLAYLISTS)))
        },
    )
    for endpoint in draw(st.sets(st.sampled_from(ENDPOINTS))):
        faults = FAULTS | (ODD_PLAYLISTS if endpoint == "playlist" else ODD_LISTS)
        spotify.faults[endpoint] = draw(st.lists(faults, max_size=6))
        if draw(st.booleans()):
            spotify.withheld[endpoint] = draw(faults)
    return World(
        spotify,
        Clock(seconds_left=draw(st.floats(0.05, 800))),
        call_budget=draw(st.integers(1, 80)),
    )


@settings(max_examples=200)
@given(worlds())
def test_whatever_fails_a_run_ends_in_time_and_leaves_only_what_can_be_read(world: World) -> None:
    # when a run meets any sequence of faults
    given_seconds = world.clock.seconds_left
    summary = world.run()

    # then it ends at most a call after its time, within its budget, and never waits longer than it may
    assert world.clock.seconds_left > -TIMEOUT_SECONDS
    assert sum(world.clock.pauses) < given_seconds
    asked = [endpoint for endpoint, _ in world.spotify.asked if endpoint != "reccobeats"]
    assert len(asked) <= world.call_budget + len(PLAYLISTS) * 10_000 // 10

    # and every snapshot can be read, and says what came of it
    for key, body in world.s3.objects.items():
        snapshot = read_snapshot(body, Provenance(SnapshotKey.from_raw(key).list_id, DAY))
        assert snapshot.outcome in {"ok", "partial", "metadata_only"}
        assert all(json.loads(body)["snapshot"]["capabilities"].values())

    # and each playlist is accounted for: told, stored or left to a later run
    if summary:
        told = {each.playlist_id: each for each in summary.playlists}
        assert list(told) == PLAYLISTS
        assert {each.key for each in told.values() if each.key} == set(world.s3.objects)
        assert all(each.sentence for each in told.values() if each.outcome != "ok")
        quota = {name for name, each in told.items() if each.outcome == "quota"}
        deferred = {name for deferral in world.deferrals.taken for name in deferral.request.model_dump()["playlists"]}
        assert quota <= deferred
        assert all(told[name].outcome in {"quota", "failed", "partial", "metadata_only"} for name in deferred)


@pytest.mark.parametrize("status", [403, 404])
@pytest.mark.parametrize("endpoint", ["audio-features", "artists", "albums"])
def test_a_refusal_is_met_once(status: int, endpoint: Endpoint) -> None:
    spotify = FakeSpotify(playlists={each: [song(number) for number in range(60)] for each in PLAYLISTS})
    spotify.withheld[endpoint] = error(status, "No")
    world = World(spotify, Clock(), call_budget=500)

    world.run()

    assert len(spotify.calls_of(endpoint)) == 1
    assert world.clock.pauses == []
