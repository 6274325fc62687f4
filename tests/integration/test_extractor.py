"""The extractor over S3 and Secrets Manager in process, with Spotify in the place of the network."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aws_xray_sdk.core import xray_recorder
from aws_xray_sdk.core.lambda_launcher import LambdaContext
from botocore.exceptions import ClientError
from msgspec import UNSET, structs

from contracts.snapshot import Provenance, Snapshot, read_snapshot
from contracts.spotify import credited, field_of
from infra.cli.failures import failure
from infra.cli.logs import read_line
from infra.cli.runs import find_runs
from services.extractor.extract import RESERVE_SECONDS, IncompleteRunError, extractor
from shared import web
from shared.deferral import SchedulerDeferrals
from shared.errors import PermanentError
from shared.lake import Lake, SnapshotKey
from shared.settings import SettingsError
from tests.clock import NOW
from tests.documents import skips_in, tracks_in
from tests.integration import collectors
from tests.integration.cloud import BUCKET, Context, written_lines
from tests.unit.extractor.fake_spotify import (
    CLIENT_ID,
    CLIENT_SECRET,
    ENVIRONMENT,
    OTHER_PLAYLIST_ID,
    PLAYLIST_ID,
    SECRET,
    Answer,
    FakeSpotify,
    error,
    song,
    spotify_id,
)
from tests.unit.shared.daemon import ROOT, flat, header, listening

SUNDAY = {"scheduled_time": "2026-11-22T06:00:00Z"}
DAY = date(2026, 11, 22)
FIVE = [spotify_id("playlist", number) for number in range(5)]
A_LONG_LIMIT = error(429, "API rate limit exceeded", Retry_After="86400")


class Cloud(collectors.Cloud):
    """That of an extractor of two playlists."""

    def snapshot(self, playlist_id: str = PLAYLIST_ID, day: date = DAY) -> Snapshot:
        return read_snapshot(self.body(playlist_id, day), Provenance(playlist_id, day))

    def body(self, playlist_id: str = PLAYLIST_ID, day: date = DAY) -> bytes:
        return self.s3.get_object(Bucket=BUCKET, Key=SnapshotKey(day, playlist_id).raw)["Body"].read()

    def capabilities(self) -> dict[str, str]:
        return json.loads(self.body())["snapshot"]["capabilities"]  # type: ignore[no-any-return]


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    with collectors.collecting(Cloud, ENVIRONMENT) as cloud:
        credentials = json.dumps({"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET})
        cloud.secrets.create_secret(Name=SECRET, SecretString=credentials)
        yield cloud


@pytest.fixture
def spotify(cloud: Cloud) -> Iterator[FakeSpotify]:
    assert cloud.keys() == [], "moto takes the place of the network too, and must do so first"
    fake = FakeSpotify()
    fake.playlists[PLAYLIST_ID] = [song(each) for each in range(50)]
    fake.playlists[OTHER_PLAYLIST_ID] = [song(each) for each in range(120)]
    with fake.reachable():
        yield fake


@pytest.fixture
def sleepless(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "_BACKOFF", lambda _state: 0.0)


def run(event: dict[str, Any] = SUNDAY, *, context: Context | None = None) -> Any:
    return extractor()(event, context or Context("earworm-dev-extractor"))


def test_each_playlist_becomes_one_complete_snapshot_of_the_scheduled_day(cloud: Cloud, spotify: FakeSpotify) -> None:
    # given two playlists, one of them longer than a page
    # when the run that was due on Sunday is started
    summary = run()

    # then each is stored under that day
    keys = {each: f"raw/spotify/2026-11-22/{each}/playlist.json" for each in (PLAYLIST_ID, OTHER_PLAYLIST_ID)}
    assert json.loads(json.dumps(summary)) == {
        "run_id": "run-1",
        "snapshot_date": "2026-11-22",
        "calls": len(spotify.asked),
        "playlists": [
            {"playlist_id": name, "outcome": "ok", "key": keys[name], "entries": entries, "sentence": None}
            for name, entries in ((PLAYLIST_ID, 50), (OTHER_PLAYLIST_ID, 120))
        ],
        "deferred": None,
    }
    assert sorted(cloud.keys()) == sorted(keys.values())

    # and holds every entry, artist, album and feature
    for playlist_id, entries in ((PLAYLIST_ID, 50), (OTHER_PLAYLIST_ID, 120)):
        snapshot = cloud.snapshot(playlist_id)
        tracks = [each.track for each in tracks_in(snapshot)]
        assert [each.name for each in tracks] == [f"Song {number}" for number in range(entries)]
        assert set(snapshot.features) == {each.id for each in tracks}
        assert set(snapshot.albums) == {field_of(each.album, "id") for each in tracks}
        assert set(snapshot.artists) == {artist.id for each in tracks for artist in credited(each)}
        assert snapshot.origin["run_id"] == "run-1"
        assert snapshot.market == "US"

    # and each object tells its run
    assert {cloud.s3.head_object(Bucket=BUCKET, Key=key)["Metadata"]["run-id"] for key in keys.values()} == {"run-1"}


@pytest.mark.usefixtures("cloud")
@pytest.mark.parametrize("reworded", [False, True])
def test_the_console_reads_a_run_however_lines_are_worded(spotify: FakeSpotify, *, reworded: bool) -> None:
    # given a run of which one playlist is refused
    del spotify.playlists[OTHER_PLAYLIST_ID]
    with written_lines(reworded=reworded) as told:
        summary = run()
        lines = [line for text in told() if (line := read_line("extractor", text))]

    # when the console reads its lines
    (found,) = find_runs(lines)

    # then it tells what the run answered
    assert {line.message == "other words" for line in lines} == {reworded}
    assert found.over
    assert (found.run_id, found.days, found.lists) == ("run-1", [DAY], (PLAYLIST_ID, OTHER_PLAYLIST_ID))
    assert [each.model_dump(mode="json") for each in found.over.lists] == summary["playlists"]
    assert (found.outcome, found.keys) == ("not_found_or_editorial", [SnapshotKey(DAY, PLAYLIST_ID)])


@pytest.mark.usefixtures("cloud")
def test_every_step_of_a_run_is_traced_below_lambdas_segment_and_so_is_a_limit(
    spotify: FakeSpotify, monkeypatch: pytest.MonkeyPatch, sleepless: None
) -> None:
    # given a playlist of three pages, and a limit for one call
    monkeypatch.setenv("_X_AMZN_TRACE_ID", header(parent="00000000000000ff"))
    monkeypatch.setattr(xray_recorder, "_context", LambdaContext())
    monkeypatch.setattr(xray_recorder.streaming, "_threshold", 0)
    spotify.faults["artists"] = [error(429, "API rate limit exceeded", Retry_After="0")]

    # when it is extracted
    with listening() as daemon:
        run({"playlists": [OTHER_PLAYLIST_ID], **SUNDAY})
        documents = [each for document in daemon.documents() for each in flat(document)]

    # then each step is told, with what it is found by
    assert {each["trace_id"] for each in documents} == {ROOT}
    named = {each["name"]: each for each in documents}
    steps = {"run", "playlist", "probe", "page", "artists", "albums", "features of spotify", "put"}
    assert steps <= named.keys()
    assert named["run"]["parent_id"] == "00000000000000ff"
    assert named["playlist"]["annotations"] == {
        "playlist_id": OTHER_PLAYLIST_ID,
        "run_id": "run-1",
        "snapshot_date": "2026-11-22",
    }
    # and the limit is marked at its call alone, and nowhere is the access token
    (limited,) = [each for each in documents if each.get("throttle")]
    assert limited["http"]["response"]["status"] == 429
    assert "Bearer" not in json.dumps(documents)
    assert CLIENT_SECRET not in json.dumps(documents)


def test_a_playlist_of_fifty_entries_costs_seven_calls(cloud: Cloud, spotify: FakeSpotify) -> None:
    run({"playlists": [PLAYLIST_ID], **SUNDAY})

    assert [endpoint for endpoint, _ in spotify.asked] == [
        *("token", "playlist", "artists"),
        *("albums", "albums", "albums"),
        "audio-features",
    ]
    assert json.loads(cloud.body())["snapshot"]["calls"] == 7


def test_the_day_is_that_of_the_scheduled_time_in_utc(cloud: Cloud, spotify: FakeSpotify) -> None:
    summary = run({"scheduled_time": "2026-11-23T00:30:00+01:00"})

    assert summary["snapshot_date"] == "2026-11-22"
    assert spotify.asked
    assert cloud.snapshot().origin["snapshot_date"] == "2026-11-22"


@pytest.mark.usefixtures("spotify")
def test_without_a_scheduled_time_the_day_is_today(cloud: Cloud) -> None:
    assert run({})["snapshot_date"] == str(NOW.date())
    assert cloud.snapshot(day=NOW.date()).outcome == "ok"


@pytest.mark.usefixtures("spotify")
def test_a_second_run_on_the_day_replaces_the_snapshot_and_keeps_the_first_as_a_version(cloud: Cloud) -> None:
    run()
    run()

    assert len(cloud.keys()) == 2
    assert len(cloud.s3.list_object_versions(Bucket=BUCKET)["Versions"]) == 4


def test_the_event_may_name_other_playlists(cloud: Cloud, spotify: FakeSpotify) -> None:
    spotify.playlists["37i9dQZF1DXcBWIGoYBM5M"] = [song(1)]

    run({**SUNDAY, "playlists": ["spotify:playlist:37i9dQZF1DXcBWIGoYBM5M"]})

    assert cloud.keys() == ["raw/spotify/2026-11-22/37i9dQZF1DXcBWIGoYBM5M/playlist.json"]


@pytest.mark.parametrize("name", ["top50_global_2024-05-11", "api2026_tracks_and_items"])
def test_a_real_document_is_stored_as_it_came(
    cloud: Cloud, spotify: FakeSpotify, real_documents: Path, name: str
) -> None:
    # given a document as the live API sent it
    captured = json.loads((real_documents / "playlists" / f"{name}.json").read_bytes())
    document = captured[0] if isinstance(captured, list) else captured
    spotify.faults["playlist"] = [Answer(200, document)]

    # when it is extracted
    run({**SUNDAY, "playlists": [document["id"]]})

    # then the snapshot holds it unchanged, and reads as the document alone does
    snapshot = cloud.snapshot(document["id"])
    alone = read_snapshot(json.dumps(document).encode(), Provenance(document["id"], DAY))
    assert json.loads(cloud.body(document["id"]))["playlist"] == document
    # but for the lists of markets, which nobody has read
    tracks = [
        [structs.replace(each.track, available_markets=UNSET) for each in tracks_in(of)] for of in (snapshot, alone)
    ]
    assert tracks[0] == tracks[1] != []
    assert (snapshot.outcome, skips_in(snapshot)) == ("ok", skips_in(alone))
    assert set(snapshot.features) == {each.track.id for each in tracks_in(alone)}


def test_a_failed_enrichment_costs_only_itself(cloud: Cloud, spotify: FakeSpotify) -> None:
    # given an application that may read neither features nor albums
    spotify.withheld["audio-features"] = error(403, "Forbidden")
    spotify.withheld["albums"] = error(403, "Forbidden")

    # when it runs
    summary = run({**SUNDAY, "playlists": [PLAYLIST_ID]})

    # then the playlist is complete, and its snapshot says what is missing and why
    assert summary["playlists"][0]["outcome"] == "ok"
    assert len(tracks_in(cloud.snapshot())) == len(cloud.snapshot().artists) == 50
    assert cloud.snapshot().albums == {}
    assert cloud.capabilities() == {
        "audio_features": "refused:403",
        "batch_lookup": "refused:403",
        "contents": "ok",
        "artists": "ok",
        "albums": "refused:403",
        "audio_features.spotify": "refused:403",
        "audio_features.reccobeats": "ok",
    }

    # and somebody else measured the tracks
    assert {each.source for each in cloud.snapshot().features.values()} == {"reccobeats"}


@pytest.mark.usefixtures("cloud")
def test_what_is_refused_is_asked_for_once_in_a_run(spotify: FakeSpotify) -> None:
    for endpoint in ("audio-features", "artists", "artist"):
        spotify.withheld[endpoint] = error(403, "Forbidden")

    run()

    assert [endpoint for endpoint, _ in spotify.asked if endpoint != "reccobeats"] == [
        *("token", "playlist", "artists", "artist", "audio-features"),
        *("playlist", "items", "playlist"),
    ]


def test_what_one_playlist_brought_no_other_asks_for(cloud: Cloud, spotify: FakeSpotify) -> None:
    # given two playlists that share fifty songs of 120
    run()

    # then each artist, album and track was asked for once
    for endpoint in ("artists", "albums", "audio-features"):
        asked = [each for query in spotify.calls_of(endpoint) for each in query["ids"].split(",")]
        assert len(asked) == len(set(asked)) == 120

    # and each snapshot has all of its own
    for playlist_id, songs in ((PLAYLIST_ID, 50), (OTHER_PLAYLIST_ID, 120)):
        snapshot = cloud.snapshot(playlist_id)
        assert len(snapshot.artists) == len(snapshot.albums) == len(snapshot.features) == songs


@pytest.mark.parametrize(
    ("answer", "outcome", "advice"),
    [
        (error(404, "Resource not found"), "not_found_or_editorial", "37i9"),
        (error(403, "Forbidden"), "forbidden", "earworm authorize"),
        (error(400, "Bad request"), "failed", "Bad request"),
    ],
)
def test_a_playlist_that_is_refused_costs_no_other_and_no_repetition(
    cloud: Cloud, spotify: FakeSpotify, answer: Answer, outcome: str, advice: str
) -> None:
    spotify.faults["playlist"] = [answer]

    refused, stored = run()["playlists"]

    assert (refused["outcome"], refused["key"], refused["entries"]) == (outcome, None, None)
    assert advice in refused["sentence"]
    assert stored["outcome"] == "ok"
    assert cloud.keys() == [stored["key"]]


def test_a_playlist_of_episodes_alone_is_complete_and_needs_nothing_else(cloud: Cloud, spotify: FakeSpotify) -> None:
    spotify.playlists[PLAYLIST_ID] = [{"type": "episode", "id": spotify_id("episode", each)} for each in range(60)]

    (told,) = run({**SUNDAY, "playlists": [PLAYLIST_ID]})["playlists"]

    assert (told["outcome"], told["entries"]) == ("ok", 60)
    assert told["sentence"] is None
    assert [cloud.capabilities()[each] for each in ("artists", "albums", "audio_features.spotify")] == [
        *("none needed", "none needed", "none needed")
    ]
    assert [endpoint for endpoint, _ in spotify.asked] == ["token", "playlist"]


def test_a_playlist_without_its_entries_is_stored_with_what_to_do(cloud: Cloud, spotify: FakeSpotify) -> None:
    spotify.embedded = None

    first, second = run()["playlists"]

    assert first["outcome"] == second["outcome"] == cloud.snapshot().outcome == "metadata_only"
    assert "earworm authorize" in first["sentence"]
    assert cloud.capabilities()["contents"] == "absent"


def test_a_snapshot_that_was_good_is_not_replaced_by_a_refusal(cloud: Cloud, spotify: FakeSpotify) -> None:
    run()
    spotify.faults["playlist"] = [error(403, "Forbidden")]

    run()

    assert cloud.snapshot().outcome == "ok"


def test_a_snapshot_that_was_good_is_not_replaced_by_one_without_entries(cloud: Cloud, spotify: FakeSpotify) -> None:
    run()
    spotify.embedded = None

    summary = run()

    assert {each["outcome"] for each in summary["playlists"]} == {"metadata_only"}
    assert cloud.snapshot().outcome == "ok"


@pytest.mark.usefixtures("sleepless")
def test_a_snapshot_that_was_good_is_not_replaced_by_a_part_of_it(cloud: Cloud, spotify: FakeSpotify) -> None:
    run()
    spotify.faults["items"] = [error(503, "Unavailable")] * 5

    with pytest.raises(IncompleteRunError):
        run()

    assert cloud.snapshot(OTHER_PLAYLIST_ID).outcome == "ok"


@pytest.mark.usefixtures("sleepless")
def test_a_playlist_that_may_come_later_fails_the_run_once_the_others_are_stored(
    cloud: Cloud, spotify: FakeSpotify
) -> None:
    # given a server that fails for the first of two playlists
    spotify.faults["playlist"] = [error(503, "Unavailable")] * 5

    # when the run is started
    with pytest.raises(IncompleteRunError, match=rf"1 of 2 .*{PLAYLIST_ID}: .*Unavailable \(503\)"):
        run()

    # then the second is stored, and Lambda's repetition completes the day
    assert len(cloud.keys()) == 1
    run()
    assert len(cloud.keys()) == 2


@pytest.mark.usefixtures("sleepless")
def test_a_page_that_may_come_later_is_a_reason_to_repeat(cloud: Cloud, spotify: FakeSpotify) -> None:
    spotify.faults["items"] = [error(503, "Unavailable")] * 5

    with pytest.raises(IncompleteRunError, match="2 of 2"):
        run()

    assert cloud.snapshot(OTHER_PLAYLIST_ID).outcome == "partial"
    run()
    assert cloud.snapshot(OTHER_PLAYLIST_ID).outcome == "ok"


class TestALongLimitInTheMiddle:
    @pytest.fixture(autouse=True)
    def _five_playlists(self, spotify: FakeSpotify) -> None:
        # given five playlists, and a quota that is spent when the third is asked for
        spotify.playlists = {each: [song(number) for number in range(60)] for each in FIVE}
        whole = [Answer(200, spotify._playlist(each)) for each in FIVE[:2]]
        spotify.faults["playlist"] = [*whole, A_LONG_LIMIT]

    def test_stores_what_is_finished_and_defers_the_rest_once(self, cloud: Cloud, spotify: FakeSpotify) -> None:
        # when the run is started
        before = datetime.now(UTC)
        summary = run({**SUNDAY, "playlists": FIVE})

        # then it ends well, with the finished ones in the lake, and asks nothing after the limit
        assert [each["outcome"] for each in summary["playlists"]] == ["ok", "ok", "quota", "quota", "quota"]
        assert cloud.keys() == [SnapshotKey(DAY, each).raw for each in FIVE[:2]]
        assert [endpoint for endpoint, _ in spotify.asked][-1] == "playlist"
        assert len(spotify.calls_of("playlist")) == 3

        # and the rest is deferred for as long as Spotify asks
        rest = {"scheduled_time": "2026-11-22T06:00:00Z", "playlists": FIVE[2:], "deferrals": 1}
        assert [event for event, _ in cloud.deferred()] == [rest]
        assert summary["deferred"]["playlists"] == FIVE[2:]
        wait = datetime.fromisoformat(summary["deferred"]["due"]) - before
        assert timedelta(days=1) < wait < timedelta(days=1, minutes=5)

    def test_lets_the_deferred_run_bring_the_rest_and_nothing_twice(self, cloud: Cloud) -> None:
        run({**SUNDAY, "playlists": FIVE})
        ((event, _),) = cloud.deferred()

        # when the deferred run starts, a day late
        summary = run(event)

        # then the day is complete
        assert [each["outcome"] for each in summary["playlists"]] == ["ok"] * 3
        assert summary["deferred"] is None
        assert cloud.keys() == [SnapshotKey(DAY, each).raw for each in FIVE]
        assert len(cloud.s3.list_object_versions(Bucket=BUCKET)["Versions"]) == 5

    def test_is_deferred_once_however_often_the_invocation_is_repeated(
        self, cloud: Cloud, spotify: FakeSpotify
    ) -> None:
        run({**SUNDAY, "playlists": FIVE})
        spotify.faults["playlist"] = [Answer(200, spotify._playlist(each)) for each in FIVE[:2]]
        spotify.withheld["playlist"] = A_LONG_LIMIT
        run({**SUNDAY, "playlists": FIVE})

        assert len(cloud.deferred()) == 1

    def test_is_given_up_after_the_third_deferral(self, cloud: Cloud) -> None:
        with pytest.raises(IncompleteRunError, match=rf"2 of 5 .* not deferred: it was 3 times.*{FIVE[2]}: "):
            run({**SUNDAY, "playlists": FIVE, "deferrals": 3})

        assert len(cloud.keys()) == 2
        assert cloud.deferred() == []

    @pytest.mark.usefixtures("cloud")
    def test_fails_the_run_where_it_cannot_be_deferred(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse(*_deferral: object) -> None:
            raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "No"}}, "CreateSchedule")

        monkeypatch.setattr(SchedulerDeferrals, "defer", refuse)

        with pytest.raises(IncompleteRunError, match=r"2 of 5 .* not deferred: .*AccessDenied"):
            run({**SUNDAY, "playlists": FIVE})


def test_a_playlist_that_was_read_when_the_quota_is_spent_is_stored_with_what_there_is(
    cloud: Cloud, spotify: FakeSpotify
) -> None:
    # given a quota that is spent when the albums of the first playlist are asked for
    spotify.withheld["albums"] = A_LONG_LIMIT

    # when the run is started
    first, second = run()["playlists"]

    # then the first is stored and says so, and only the second is deferred
    assert (first["outcome"], second["outcome"]) == ("ok", "quota")
    found = cloud.capabilities()
    assert [found[each] for each in ("contents", "artists", "albums", "audio_features.spotify")] == [
        *("ok", "ok", "quota", "quota")
    ]
    assert first["sentence"].startswith("50 albums are unknown: GET https://api.spotify.test/v1/albums/ is limited")
    assert {each.source for each in cloud.snapshot().features.values()} == {"reccobeats"}
    assert [event["playlists"] for event, _ in cloud.deferred()] == [[OTHER_PLAYLIST_ID]]


def test_a_page_that_is_refused_is_no_reason_to_repeat_or_to_defer(cloud: Cloud, spotify: FakeSpotify) -> None:
    # given a playlist whose second page is refused, and a quota that is spent in the end
    spotify.withheld["items"] = spotify.withheld["tracks"] = error(403, "Forbidden")
    spotify.withheld["audio-features"] = A_LONG_LIMIT

    # when the run is started with it in first place
    summary = run({**SUNDAY, "playlists": [OTHER_PLAYLIST_ID, PLAYLIST_ID]})

    # then what came of it is stored with what helps, and the other one alone is deferred
    refused, deferred = summary["playlists"]
    assert (refused["outcome"], refused["entries"], deferred["outcome"]) == ("partial", 100, "quota")
    assert "100 of 120 entries received: GET https://api.spotify.test/v1/playlists" in refused["sentence"]
    assert "was refused with 403: Forbidden. Own the list, or authorize its owner" in refused["sentence"]
    assert [event["playlists"] for event, _ in cloud.deferred()] == [[PLAYLIST_ID]]


@pytest.mark.usefixtures("sleepless")
def test_a_list_of_distinct_tracks_is_given_all_calls_that_it_takes_every_week(
    cloud: Cloud, spotify: FakeSpotify
) -> None:
    # given a playlist that takes more calls than the budget of a run
    spotify.playlists[PLAYLIST_ID] = [song(number) for number in range(6_006) if number % 1_000 != 404]

    # when it is extracted in two weeks
    for week in ("2026-11-22", "2026-11-29"):
        summary = run({"playlists": [PLAYLIST_ID], "scheduled_time": f"{week}T06:00:00Z"})

        # then each time everything is there, and nothing is to be said
        assert summary["playlists"] == [
            {
                "playlist_id": PLAYLIST_ID,
                "outcome": "ok",
                "key": f"raw/spotify/{week}/{PLAYLIST_ID}/playlist.json",
                "entries": 6_000,
                "sentence": None,
            }
        ]
        assert 500 < summary["calls"] < 610
        snapshot = cloud.snapshot(day=date.fromisoformat(week))
        assert len(snapshot.artists) == len(snapshot.albums) == len(snapshot.features) == 6_000


def test_artists_that_come_one_by_one_are_complete_after_some_weeks_each_as_of_its_own_day(
    cloud: Cloud, spotify: FakeSpotify, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given an application that is given no batches, and calls for twenty artists a week
    monkeypatch.setenv("SPOTIFY_CALL_BUDGET", "35")
    spotify.withheld["artists"] = error(403, "Forbidden")

    # when a playlist of fifty artists is extracted in four weeks
    known = []
    for day in (date(2026, 11, 1) + timedelta(weeks=week) for week in range(4)):
        (told,) = run({"playlists": [PLAYLIST_ID], "scheduled_time": f"{day}T06:00:00Z"})["playlists"]
        snapshot = cloud.snapshot(day=day)
        earlier = [each.as_of for each in snapshot.earlier_artists.values()]
        known.append((len(snapshot.artists), [earlier.count(each) for each in sorted(set(earlier))]))
        sentence = told["sentence"] or ""
        assert ("are unknown: half of the call budget" in sentence) == (len(snapshot.artists) + len(earlier) < 50)
        assert told["outcome"] == "ok"

    # then each week asks for others, and tells since when it knows the rest
    assert known == [(20, []), (20, [20]), (10, [20, 20]), (0, [20, 20, 10])]
    asked = [endpoint for endpoint, _ in spotify.asked].count("artist")
    assert asked == 50


def test_a_playlist_that_was_not_read_to_its_end_when_the_quota_is_spent_is_deferred(
    cloud: Cloud, spotify: FakeSpotify
) -> None:
    spotify.withheld["items"] = A_LONG_LIMIT

    run()

    assert cloud.keys() == [SnapshotKey(DAY, PLAYLIST_ID).raw]
    assert [event["playlists"] for event, _ in cloud.deferred()] == [[OTHER_PLAYLIST_ID]]


@pytest.mark.usefixtures("cloud")
def test_a_spent_call_budget_defers_the_rest_by_an_hour(spotify: FakeSpotify, monkeypatch: pytest.MonkeyPatch) -> None:
    # given a budget of two calls and, for the fifty songs of the first playlist, five more, which it takes
    monkeypatch.setenv("SPOTIFY_CALL_BUDGET", "2")
    before = datetime.now(UTC)

    # when the run is started
    summary = run()

    # then it ends before the second playlist, which is deferred
    assert summary["calls"] == len([endpoint for endpoint, _ in spotify.asked if endpoint != "reccobeats"]) == 7
    assert [each["outcome"] for each in summary["playlists"]] == ["ok", "quota"]
    assert "budget of 7 calls" in summary["playlists"][1]["sentence"]
    wait = datetime.fromisoformat(summary["deferred"]["due"]) - before
    assert timedelta(minutes=59) < wait < timedelta(minutes=61)


def test_time_that_is_used_up_defers_the_rest(cloud: Cloud, spotify: FakeSpotify) -> None:
    # given a function whose time ends during the first playlist
    context = Context("earworm-dev-extractor", seconds_left=RESERVE_SECONDS + 0.55)
    spotify.wait = context.wait

    # when it runs
    summary = run(context=context)

    # then the first is stored in the time that is kept for it, and the rest is deferred
    assert [each["outcome"] for each in summary["playlists"]] == ["ok", "quota"]
    assert "used up its time" in summary["playlists"][1]["sentence"]
    assert cloud.keys() == [SnapshotKey(DAY, PLAYLIST_ID).raw]
    assert [event["playlists"] for event, _ in cloud.deferred()] == [[OTHER_PLAYLIST_ID]]


def test_a_run_without_any_snapshot_fails(cloud: Cloud, spotify: FakeSpotify) -> None:
    spotify.playlists.clear()

    with pytest.raises(IncompleteRunError, match="0 of 2"):
        run()

    assert cloud.keys() == []


@pytest.mark.usefixtures("spotify")
def test_a_lake_that_takes_nothing_fails_the_run(cloud: Cloud) -> None:
    cloud.s3.delete_bucket(Bucket=BUCKET)

    with pytest.raises(IncompleteRunError, match=r"NoSuchBucket.*NoSuchBucket"):
        run()


@pytest.mark.usefixtures("spotify")
def test_a_write_that_fails_costs_no_other_and_is_a_reason_to_repeat(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given a lake that does not take the first playlist
    put_raw = Lake.put_raw

    def put_the_other(lake: Lake, key: SnapshotKey, body: bytes, *, run_id: str, replaces: bool) -> bool:
        if key.list_id == PLAYLIST_ID:
            raise ClientError({"Error": {"Code": "SlowDown", "Message": "Reduce your request rate"}}, "PutObject")
        return put_raw(lake, key, body, run_id=run_id, replaces=replaces)

    monkeypatch.setattr(Lake, "put_raw", put_the_other)

    # when the run is started
    with pytest.raises(IncompleteRunError, match=rf"1 of 2 .*{PLAYLIST_ID}: .*SlowDown"):
        run()

    # then the second is stored
    assert cloud.keys() == [SnapshotKey(DAY, OTHER_PLAYLIST_ID).raw]


def test_the_secret_is_read_once_and_the_token_serves_every_run_of_the_process(
    cloud: Cloud, spotify: FakeSpotify
) -> None:
    handler = extractor()
    handler(SUNDAY, Context("earworm-dev-extractor"))

    cloud.secrets.delete_secret(SecretId=SECRET, ForceDeleteWithoutRecovery=True)
    handler(SUNDAY, Context("earworm-dev-extractor"))

    assert len(spotify.calls_of("token")) == 1


def test_after_a_failed_run_the_secret_is_read_anew(cloud: Cloud, spotify: FakeSpotify) -> None:
    # given a process whose run failed
    handler = extractor()
    spotify.withheld["token"] = Answer(400, {"error": "invalid_client"})
    with pytest.raises(IncompleteRunError):
        handler(SUNDAY, Context("earworm-dev-extractor"))

    # when there is another secret by now, or none
    cloud.secrets.delete_secret(SecretId=SECRET, ForceDeleteWithoutRecovery=True)

    # then the same process sees it
    with pytest.raises(SettingsError, match="no secret"):
        handler(SUNDAY, Context("earworm-dev-extractor"))


def test_plain_credentials_need_no_secret(cloud: Cloud, spotify: FakeSpotify, monkeypatch: pytest.MonkeyPatch) -> None:
    cloud.secrets.delete_secret(SecretId=SECRET, ForceDeleteWithoutRecovery=True)
    monkeypatch.setenv("SPOTIPY_CLIENT_ID", CLIENT_ID)
    monkeypatch.setenv("SPOTIPY_CLIENT_SECRET", CLIENT_SECRET)

    run()

    assert len(spotify.calls_of("token")) == 1


@pytest.mark.usefixtures("spotify")
def test_a_secret_that_is_not_there_is_named(cloud: Cloud) -> None:
    cloud.secrets.delete_secret(SecretId=SECRET, ForceDeleteWithoutRecovery=True)

    with pytest.raises(SettingsError, match=f"no secret '{SECRET}': create it as JSON"):
        run()


@pytest.mark.usefixtures("spotify")
@pytest.mark.parametrize(
    ("held", "told"),
    [
        (f"{CLIENT_ID}:{CLIENT_SECRET}", "the input: Invalid JSON"),
        (json.dumps({"client_id": CLIENT_ID, "secret": CLIENT_SECRET}), "client_secret: Field required"),
        (json.dumps({"client_id": CLIENT_ID, "client_secret": [CLIENT_SECRET]}), "client_secret: Input should be"),
    ],
)
def test_a_secret_that_holds_something_else_is_told_and_not_shown(cloud: Cloud, held: str, told: str) -> None:
    cloud.secrets.put_secret_value(SecretId=SECRET, SecretString=held)

    with pytest.raises(SettingsError, match=told) as fault:
        run()

    assert CLIENT_SECRET not in str(fault.value)
    assert fault.value.__cause__ is None


def test_a_token_that_is_refused_is_a_failure_that_is_counted_and_shown_with_its_reason(spotify: FakeSpotify) -> None:
    spotify.withheld["token"] = Answer(400, {"error": "invalid_client"})

    with pytest.raises(IncompleteRunError) as fault:
        run()

    # as Lambda writes it into the log, whose filter counts it, see tests/infra/test_alarms.py
    told = failure("extractor", f"[ERROR] {type(fault.value).__name__}: {fault.value}\nTraceback …", time_out=900)
    assert told is not None
    assert told.startswith("[ERROR] IncompleteRunError: 0 of 2 playlists have a snapshot.")
    assert "invalid_client" in told


def test_a_run_for_a_user_tells_how_old_the_consent_is(
    cloud: Cloud, spotify: FakeSpotify, capsys: pytest.CaptureFixture[str]
) -> None:
    # given a user's consent of 151 days ago
    consented_at = (datetime.now(UTC) - timedelta(days=151)).isoformat()
    consent = {"refresh_token": "the-refresh-token", "consented_at": consented_at}
    credentials = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, **consent}
    cloud.secrets.put_secret_value(SecretId=SECRET, SecretString=json.dumps(credentials))

    # when a run reads the playlists of that user
    summary = run()

    # then the daily audit can learn of it
    assert [each["outcome"] for each in summary["playlists"]] == ["ok", "ok"]
    metrics = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "DaysSinceConsent" in line]
    assert [metric["DaysSinceConsent"] for metric in metrics] == [[151.0]]
    assert spotify.calls_of("token")


@pytest.mark.usefixtures("spotify")
def test_a_run_for_nobody_tells_of_no_consent(cloud: Cloud, capsys: pytest.CaptureFixture[str]) -> None:
    run()

    assert cloud.keys()
    assert "DaysSinceConsent" not in capsys.readouterr().out


def test_an_event_that_cannot_be_meant_starts_nothing(spotify: FakeSpotify) -> None:
    with pytest.raises(PermanentError, match="scheduled_time"):
        run({"scheduled_time": "tomorrow"})

    assert spotify.asked == []


def test_a_run_needs_a_playlist(spotify: FakeSpotify, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLAYLIST_ID", "")

    with pytest.raises(PermanentError, match="names no playlist, nor does PLAYLIST_ID"):
        run()

    assert spotify.asked == []


@pytest.mark.usefixtures("cloud")
def test_a_cold_start_names_what_the_environment_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("S3_BUCKET")

    with pytest.raises(SettingsError, match="S3_BUCKET"):
        extractor()
