"""Who measures which track, and what one provider's fault costs the others."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import count
from math import ceil
from typing import TYPE_CHECKING, Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import convert, to_builtins

from contracts.snapshot import Provenance, read_snapshot
from contracts.spotify import AudioFeatures, ExternalIds, Track
from contracts.spotify import isrc as track_isrc
from services.extractor.features import (
    FeatureBlock,
    FeatureProvider,
    Features,
    JoinedBy,
    SpotifyFeatures,
    measure,
)
from services.extractor.reccobeats import ReccoBeats
from shared.web import JsonObject, QuotaError, RefusedError, UnavailableError, WebError
from tests.documents import entry, envelope, playlist
from tests.unit.extractor.fake_reccobeats import API_URL, FakeReccoBeats, recording, without_features
from tests.unit.extractor.fake_spotify import isrc, song, spotify_id, tracks

if TYPE_CHECKING:
    from services.extractor.spotify import SpotifyClient

FORBIDDEN = RefusedError("GET https://api.spotify.com/v1/audio-features", 403, "Forbidden")
DAY = date(2026, 11, 22)


def ids(*numbers: int) -> list[str]:
    return [spotify_id("track", number) for number in numbers]


def spotifys(track_id: str) -> JsonObject:
    return {"id": track_id, "energy": 0.7, "key": 5, "time_signature": 4}


def block(source: str, joined_by: JoinedBy, *items: JsonObject) -> FeatureBlock:
    return {"source": source, "joined_by": joined_by, "items": list(items)}


@dataclass
class FakeSpotifyClient:
    """The part of a SpotifyClient that measures: two tracks a call.

    Attributes:
        asked: The ids that it was asked for, call by call.
        faults: By the number of the call that meets them.
    """

    known: set[str] = field(default_factory=set)
    asked: list[list[str]] = field(default_factory=list)
    faults: dict[int, WebError] = field(default_factory=dict)

    def audio_features(self, wanted: Sequence[str]) -> Iterator[list[JsonObject]]:
        for start in range(0, len(wanted), 2):
            batch = list(wanted[start : start + 2])
            self.asked.append(batch)
            if fault := self.faults.get(len(self.asked)):
                raise fault
            yield [spotifys(each) for each in batch if each in self.known]


@dataclass
class FakeProvider:
    """Knows some tracks by their ids, and keeps what it was asked for."""

    source: str
    known: set[str]
    finding: str = "ok"
    asked: list[list[Any]] = field(default_factory=list)

    def measure(self, wanted: Sequence[Track]) -> tuple[list[FeatureBlock], str]:
        self.asked.append([each.id for each in wanted])
        items = [{"id": each.id} for each in wanted if each.id in self.known]
        return [block(self.source, "id", *items)] if items else [], self.finding


@pytest.fixture
def client() -> FakeSpotifyClient:
    return FakeSpotifyClient()


@pytest.fixture
def spotify(client: FakeSpotifyClient) -> SpotifyFeatures:
    return SpotifyFeatures(cast("SpotifyClient", client))


class TestProvidersInTurn:
    def test_each_is_asked_for_what_none_before_it_measured(self) -> None:
        first = FakeProvider("first", set(ids(2)))
        second = FakeProvider("second", set(ids(1, 2, 3)), finding="refused:403")
        third = FakeProvider("third", set(ids(4)), finding="none needed")

        features = measure(tracks(1, 2, 3), [first, second, third])

        assert first.asked == [ids(1, 2, 3)]
        assert second.asked == [ids(1, 3)]
        assert third.asked == [[]]
        assert features == Features(
            [block("first", "id", {"id": ids(2)[0]}), block("second", "id", *({"id": each} for each in ids(1, 3)))],
            {"first": "ok", "second": "refused:403", "third": "none needed"},
        )

    def test_what_was_measured_by_isrc_is_measured_for_those_after_it(self) -> None:
        reccobeats = ReccoBeats(FakeReccoBeats([recording(spotify_id("other", 1), isrc(1))]).fetch, API_URL)
        second = FakeProvider("second", set(ids(1, 2)))

        features = measure(tracks(1, 2), [reccobeats, second])

        assert second.asked == [ids(2)]
        assert [(each["source"], each["joined_by"]) for each in features.blocks] == [
            ("reccobeats", "isrc"),
            ("second", "id"),
        ]

    def test_without_any_nothing_is_known(self) -> None:
        assert measure(tracks(1), []) == Features([], {}, open=1)

    def test_reccobeats_serves_where_spotify_refuses(self, client: FakeSpotifyClient, spotify: SpotifyFeatures) -> None:
        client.faults = {1: FORBIDDEN}
        row = recording(spotify_id("track", 1), isrc(1))
        reccobeats = ReccoBeats(FakeReccoBeats([row]).fetch, API_URL)

        features = measure(tracks(1, 2), [spotify, reccobeats])

        assert features == Features(
            [block("reccobeats", "id", row)], {"spotify": "refused:403", "reccobeats": "ok"}, open=1
        )
        assert features.faults == ""

    def test_a_spent_quota_of_spotifys_ends_them_all(self, client: FakeSpotifyClient, spotify: SpotifyFeatures) -> None:
        client.faults = {1: QuotaError("GET https://api.spotify.com/v1/audio-features", "QUOTA_EXCEEDED", 86_400)}
        never_asked = FakeProvider("second", set())

        with pytest.raises(QuotaError):
            measure(tracks(1), [spotify, never_asked])

        assert never_asked.asked == []


class TestSpotify:
    def test_is_not_asked_again_for_what_it_measured_or_does_not_know(
        self, client: FakeSpotifyClient, spotify: SpotifyFeatures
    ) -> None:
        # given a playlist with a track that Spotify measured and one that it did not
        client.known = set(ids(1, 3))
        spotify.measure(tracks(1, 2))

        # when the next playlist holds both and another one
        again = spotify.measure(tracks(3, 2, 1))

        # then only that one is asked for
        assert client.asked == [ids(1, 2), ids(3)]
        assert again == ([block("spotify", "id", *map(spotifys, ids(3, 1)))], "ok")

    @pytest.mark.parametrize(
        ("fault", "finding"),
        [(FORBIDDEN, "refused:403"), (UnavailableError("GET /audio-features", 503, "down"), "failed:503")],
        ids=str,
    )
    def test_is_not_asked_again_after_a_fault_which_costs_nothing_that_came_before(
        self, client: FakeSpotifyClient, spotify: SpotifyFeatures, fault: WebError, finding: str
    ) -> None:
        # given a fault in the second of three calls
        client.known = set(ids(1, 2, 3, 4, 5))
        client.faults = {2: fault}
        first = block("spotify", "id", *map(spotifys, ids(1, 2)))

        # when this playlist and another one are measured
        this, other, known = (spotify.measure(tracks(*numbers)) for numbers in ((1, 2, 3, 4, 5), (6, 1, 2), (1, 2)))

        # then the fault is told where it cost something, and Spotify was left alone
        assert (this, other, known) == (([first], finding), ([first], finding), ([first], "ok"))
        assert client.asked == [ids(1, 2), ids(3, 4)]

    def test_keeps_what_came_before_its_quota_was_spent(
        self, client: FakeSpotifyClient, spotify: SpotifyFeatures
    ) -> None:
        client.known = set(ids(1, 2, 3))
        client.faults = {2: QuotaError("GET /audio-features", "Slow down", 3600)}
        with pytest.raises(QuotaError):
            spotify.measure(tracks(1, 2, 3))

        assert spotify.measure(tracks(1)) == ([block("spotify", "id", spotifys(*ids(1)))], "ok")
        assert len(client.asked) == 2

    @pytest.mark.parametrize(
        "name", [None, "", "short", "spotify:local:band:album:song:180", *(f"{ids(1)[0]}{end}" for end in "1\n")]
    )
    def test_is_not_asked_for_what_cannot_be_an_id(
        self, client: FakeSpotifyClient, spotify: SpotifyFeatures, name: str | None
    ) -> None:
        nameless = Track(id=name, external_ids=ExternalIds(isrc=isrc(1)))

        assert spotify.measure([nameless]) == ([], "none needed")
        assert client.asked == []


@dataclass(frozen=True)
class World:
    """Distinct tracks, some of one ISRC or of none, and what each provider knows of them and of others.

    Attributes:
        spotify: The ids of the tracks that Spotify measured.
        recordings: All that ReccoBeats knows.
        seed: Of the order of ReccoBeats' answers.
    """

    tracks: list[Track]
    spotify: set[str]
    recordings: list[JsonObject]
    seed: int

    def by_id(self, track: Track) -> list[JsonObject]:
        """The recordings with features that ReccoBeats has of a track's id."""
        return [row for row in self._measured if row["href"].endswith(f"/{track.id}")]

    def by_isrc(self, track: Track) -> list[JsonObject]:
        """Those that it has of a track's ISRC."""
        return [row for row in self._measured if row["isrc"] and row["isrc"] == code_of(track)]

    @property
    def _measured(self) -> list[JsonObject]:
        return [row for row in self.recordings if row["energy"] is not None]


def code_of(track: Track) -> str | None:
    code = track_isrc(track)
    return code if isinstance(code, str) else None


@st.composite
def worlds(draw: st.DrawFn) -> World:
    numbers = count(1)
    codes = st.builds(isrc, st.integers(1, 12))
    rare_codes = st.builds(isrc, st.integers(100, 9_999_999))
    some_code = st.fixed_dictionaries({"isrc": codes | rare_codes | st.just("no ISRC")})
    external_ids: st.SearchStrategy[Any] = st.sampled_from([None, {}]) | some_code
    who_knows = st.sets(st.sampled_from(["spotify", "reccobeats", "reccobeats without features"]))
    found: list[Any] = []
    spotify: set[str] = set()
    recordings: list[JsonObject] = []
    for number, (names, who) in enumerate(draw(st.lists(st.tuples(external_ids, who_knows), max_size=100))):
        track_id = spotify_id("track", number)
        track = convert(song(number, external_ids=names), Track)
        found.append(track)
        row = recording(track_id, code_of(track), next(numbers))
        if "spotify" in who:
            spotify.add(track_id)
        if "reccobeats" in who:
            recordings.append(row)
        if "reccobeats without features" in who:
            recordings.append(without_features(row))
    for code, is_measured in draw(st.lists(st.tuples(codes, st.booleans()), max_size=20)):
        row = recording(spotify_id("other", number := next(numbers)), code, number)
        recordings.append(row if is_measured else without_features(row))
    return World(found, spotify, recordings, draw(st.integers(0, 9)))


class Run:
    """A run in a world, in which its tracks were measured once."""

    def __init__(self, world: World) -> None:
        self.spotify = FakeSpotifyClient(world.spotify)
        self.reccobeats = FakeReccoBeats(world.recordings, seed=world.seed)
        self.providers: list[FeatureProvider] = [
            SpotifyFeatures(cast("SpotifyClient", self.spotify)),
            ReccoBeats(self.reccobeats.fetch, API_URL),
        ]
        self.features = measure(world.tracks, self.providers)

    @property
    def calls(self) -> int:
        return len(self.spotify.asked) + len(self.reccobeats.asked)

    def as_transformers_read_it(self, world: World) -> dict[str, tuple[str, AudioFeatures]]:
        """Who measured what, by the id of a track that has features."""
        entries = [entry(to_builtins(track)) for track in world.tracks]
        document = envelope(playlist(*entries), audio_features=self.features.blocks)
        snapshot = read_snapshot(json.dumps(document).encode(), Provenance(document["playlist"]["id"], DAY))
        return {
            str(track.id): (sourced.source, sourced.features)
            for track in world.tracks
            if (sourced := snapshot.features_of(track))
        }


@given(worlds())
def test_every_track_is_measured_by_the_first_provider_that_knows_it(world: World) -> None:
    read = Run(world).as_transformers_read_it(world)

    for track in world.tracks:
        measured = read.get(str(track.id))
        if track.id in world.spotify:
            assert measured == ("spotify", convert(spotifys(track.id), AudioFeatures))
        elif rows := world.by_id(track) or world.by_isrc(track):
            assert measured in [("reccobeats", convert(row, AudioFeatures)) for row in rows]
        else:
            assert measured is None, "what no provider knows stays absent"


@given(worlds())
def test_no_track_is_measured_twice_and_no_row_is_invented(world: World) -> None:
    run = Run(world)

    sent = [*map(spotifys, world.spotify), *world.recordings]
    read = [features for _, features in run.as_transformers_read_it(world).values()]
    assert all(convert(item, AudioFeatures) in read for each in run.features.blocks for item in each["items"]), (
        "each is of a track"
    )
    for each in run.features.blocks:
        assert each["items"], "a block without items is left out"
        names = [
            item["isrc"] if each["joined_by"] == "isrc" else item.get("href", item["id"]) for item in each["items"]
        ]
        assert len(set(names)) == len(names)
        assert all(item in sent for item in each["items"])


@given(worlds())
def test_nothing_is_asked_for_that_is_known_nor_in_more_calls_than_it_takes(world: World) -> None:
    run = Run(world)

    left = [track for track in world.tracks if track.id not in world.spotify]
    codes = {code for track in left if (code := code_of(track)) and not world.by_id(track)}
    asked = [name for names in run.reccobeats.asked for name in names]
    assert sorted(asked) == sorted([*(str(track.id) for track in left), *codes])
    assert len(run.reccobeats.asked) == ceil(len(left) / 40) + ceil(len(codes) / 40)


@given(worlds())
def test_measuring_the_same_again_asks_nothing_and_says_the_same(world: World) -> None:
    run = Run(world)
    calls = run.calls

    assert measure(world.tracks, run.providers) == run.features
    assert run.calls == calls
