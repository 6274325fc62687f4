"""The extractor over S3 and Secrets Manager in process, with Spotify in the place of the network."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from contracts.snapshot import Provenance, Snapshot, read_snapshot
from services.extractor.extract import IncompleteRunError, extractor
from shared.errors import PermanentError
from shared.lake import Lake, SnapshotKey
from shared.settings import SettingsError
from tests.unit.extractor.fake_spotify import (
    API_URL,
    CLIENT_ID,
    CLIENT_SECRET,
    OTHER_PLAYLIST_ID,
    PLAYLIST_ID,
    TOKEN_URL,
    Answer,
    FakeSpotify,
    error,
    song,
)

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient

BUCKET = "lake"
SECRET = "earworm/dev/spotify"
SUNDAY = {"scheduled_time": "2026-11-22T06:00:00Z"}
DAY = date(2026, 11, 22)
A_LONG_LIMIT = error(429, "API rate limit exceeded", Retry_After="86400")


@dataclass
class Context:
    """What Lambda tells a function of its invocation, as far as the extractor looks."""

    aws_request_id: str = "run-1"

    def get_remaining_time_in_millis(self) -> int:
        return 900_000


@dataclass
class Cloud:
    """A bucket that keeps versions, and a secret."""

    s3: "S3Client"
    secrets: "SecretsManagerClient"

    def keys(self) -> list[str]:
        return [found["Key"] for found in self.s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])]

    def snapshot(self, playlist_id: str = PLAYLIST_ID, day: date = DAY) -> Snapshot:
        key = SnapshotKey(day, playlist_id)
        body = self.s3.get_object(Bucket=BUCKET, Key=key.raw)["Body"].read()
        return read_snapshot(body, Provenance(playlist_id, day))

    def capabilities(self) -> dict[str, str]:
        return json.loads(self.snapshot().body)["snapshot"]["capabilities"]  # type: ignore[no-any-return]


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    with mock_aws():
        cloud = Cloud(boto3.client("s3"), boto3.client("secretsmanager"))
        cloud.s3.create_bucket(Bucket=BUCKET)
        cloud.s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        credentials = json.dumps({"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET})
        cloud.secrets.create_secret(Name=SECRET, SecretString=credentials)
        for name, value in {
            "S3_BUCKET": BUCKET,
            "SERVICE_VERSION": "1.0.0",
            "PLAYLIST_ID": f"{PLAYLIST_ID},https://open.spotify.com/playlist/{OTHER_PLAYLIST_ID}?si=0a1b",
            "SPOTIFY_MARKET": "US",
            "SPOTIFY_SECRET_NAME": SECRET,
            "SPOTIFY_API_URL": API_URL,
            "SPOTIFY_TOKEN_URL": TOKEN_URL,
        }.items():
            monkeypatch.setenv(name, value)
        yield cloud


@pytest.fixture
def spotify(cloud: Cloud) -> Iterator[FakeSpotify]:
    assert cloud.keys() == [], "moto takes the place of the network too, and must do so first"
    fake = FakeSpotify()
    fake.playlists[PLAYLIST_ID] = [song(each) for each in range(50)]
    fake.playlists[OTHER_PLAYLIST_ID] = [song(each) for each in range(120)]
    with fake.reachable():
        yield fake


def run(event: dict[str, Any] = SUNDAY) -> Any:
    return extractor()(event, Context())  # type: ignore[arg-type]  # as much of a LambdaContext as it needs


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
            {"playlist_id": PLAYLIST_ID, "outcome": "ok", "key": keys[PLAYLIST_ID], "entries": 50},
            {"playlist_id": OTHER_PLAYLIST_ID, "outcome": "ok", "key": keys[OTHER_PLAYLIST_ID], "entries": 120},
        ],
    }
    assert sorted(cloud.keys()) == sorted(keys.values())

    # and holds every entry, artist, album and feature
    for playlist_id, entries in ((PLAYLIST_ID, 50), (OTHER_PLAYLIST_ID, 120)):
        snapshot = cloud.snapshot(playlist_id)
        tracks = [each.track for each in snapshot.tracks]
        assert [each.get("name") for each in tracks] == [f"Song {number}" for number in range(entries)]
        assert set(snapshot.features) == {each.get("id") for each in tracks}
        assert set(snapshot.albums) == {(each.get("album") or {}).get("id") for each in tracks}
        assert set(snapshot.artists) == {artist["id"] for each in tracks for artist in each["artists"] or () if artist}
        assert snapshot.origin["run_id"] == "run-1"
        assert snapshot.market == "US"

    # and each object tells its run
    assert {cloud.s3.head_object(Bucket=BUCKET, Key=key)["Metadata"]["run-id"] for key in keys.values()} == {"run-1"}


def test_a_playlist_of_fifty_entries_costs_seven_calls(cloud: Cloud, spotify: FakeSpotify) -> None:
    run({"playlists": [PLAYLIST_ID], **SUNDAY})

    assert [endpoint for endpoint, _ in spotify.asked] == [
        *("token", "playlist", "artists"),
        *("albums", "albums", "albums"),
        "audio-features",
    ]
    assert json.loads(cloud.snapshot().body)["snapshot"]["calls"] == 7


def test_the_day_is_that_of_the_scheduled_time_in_utc(cloud: Cloud, spotify: FakeSpotify) -> None:
    summary = run({"scheduled_time": "2026-11-23T00:30:00+01:00"})

    assert summary["snapshot_date"] == "2026-11-22"
    assert spotify.asked
    assert cloud.snapshot().origin["snapshot_date"] == "2026-11-22"


@pytest.mark.usefixtures("spotify")
def test_without_a_scheduled_time_the_day_is_today(cloud: Cloud) -> None:
    before = datetime.now(UTC).date()

    day = date.fromisoformat(run({})["snapshot_date"])

    assert before <= day <= before + timedelta(days=1)
    assert cloud.snapshot(day=day).outcome == "ok"


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
    run({**SUNDAY, "playlists": [PLAYLIST_ID]})

    # then the snapshot holds it unchanged, and reads as the document alone does
    snapshot = cloud.snapshot()
    alone = read_snapshot(json.dumps(document).encode(), Provenance(PLAYLIST_ID, DAY))
    assert json.loads(snapshot.body)["playlist"] == document
    assert [each.track for each in snapshot.tracks] == [each.track for each in alone.tracks] != []
    assert (snapshot.outcome, snapshot.skipped) == ("ok", alone.skipped)
    assert set(snapshot.features) == {each.track.get("id") for each in alone.tracks}


def test_a_failed_enrichment_costs_only_itself(cloud: Cloud, spotify: FakeSpotify) -> None:
    # given an application that may read neither features nor albums
    spotify.withheld["audio-features"] = error(403, "Forbidden")
    spotify.withheld["albums"] = error(403, "Forbidden")

    # when it runs
    summary = run({**SUNDAY, "playlists": [PLAYLIST_ID]})

    # then the playlist is complete, and its snapshot says what is missing and why
    assert summary["playlists"][0]["outcome"] == "ok"
    assert len(list(cloud.snapshot().tracks)) == len(cloud.snapshot().artists) == 50
    assert (cloud.snapshot().features, cloud.snapshot().albums) == ({}, {})
    assert cloud.capabilities() == {
        "contents": "ok",
        "artists": "ok",
        "albums": "refused:403",
        "audio_features": "refused:403",
    }


def test_a_playlist_that_is_refused_costs_no_other_and_no_repetition(cloud: Cloud, spotify: FakeSpotify) -> None:
    del spotify.playlists[PLAYLIST_ID]

    refused, stored = run()["playlists"]

    assert (refused["outcome"], refused["key"], refused["entries"]) == ("failed", None, None)
    assert "404: Resource not found" in refused["sentence"]
    assert stored["outcome"] == "ok"
    assert cloud.keys() == [stored["key"]]


def test_a_playlist_that_may_come_later_fails_the_run_once_the_others_are_stored(
    cloud: Cloud, spotify: FakeSpotify
) -> None:
    # given a limit on the first of two playlists
    spotify.faults["playlist"] = [A_LONG_LIMIT]

    # when the run is started
    with pytest.raises(IncompleteRunError, match=rf"1 of 2 .*{PLAYLIST_ID}: Spotify limits .* 86400 s"):
        run()

    # then the second is stored, and Lambda's repetition completes the day
    assert len(cloud.keys()) == 1
    run()
    assert len(cloud.keys()) == 2


def test_a_page_that_may_come_later_is_a_reason_to_repeat(cloud: Cloud, spotify: FakeSpotify) -> None:
    spotify.faults["items"] = [A_LONG_LIMIT]

    with pytest.raises(IncompleteRunError, match="2 of 2"):
        run()

    assert cloud.snapshot(OTHER_PLAYLIST_ID).outcome == "partial"
    run()
    assert cloud.snapshot(OTHER_PLAYLIST_ID).outcome == "ok"


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

    def put_the_other(lake: Lake, key: SnapshotKey, body: bytes, *, run_id: str) -> None:
        if key.playlist_id == PLAYLIST_ID:
            raise ClientError({"Error": {"Code": "SlowDown", "Message": "Reduce your request rate"}}, "PutObject")
        put_raw(lake, key, body, run_id=run_id)

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
    handler(SUNDAY, Context())  # type: ignore[arg-type]

    cloud.secrets.delete_secret(SecretId=SECRET, ForceDeleteWithoutRecovery=True)
    handler(SUNDAY, Context())  # type: ignore[arg-type]

    assert len(spotify.calls_of("token")) == 1


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
        (f"{CLIENT_ID}:{CLIENT_SECRET}", "the whole: Invalid JSON"),
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
