"""What Spotify gives, withholds and limits, from the schedule to the tables."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest

from contracts.tables import of_kind
from infra.cli import collect
from infra.demos import tiers
from infra.local.spotify.admin import Fault
from infra.local.spotify.client import SimulatorClient
from infra.local.spotify.trending import ARCHIVE, PLAYLISTS, TRENDING_COUNTRY, TRENDING_HIP_HOP
from shared.lake import SnapshotKey
from tests.system.pipeline import Pipeline

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("environment_of_the_pipeline")]

FIVE = [playlist.id for playlist in (*PLAYLISTS, TRENDING_HIP_HOP, TRENDING_COUNTRY, ARCHIVE)]


@pytest.fixture
def simulator(pipeline: Pipeline) -> Iterator[SimulatorClient]:
    simulator = pipeline.simulator
    yield simulator
    simulator.clear_faults()


def test_each_tier_gives_what_it_grants_and_null_for_the_rest(pipeline: Pipeline) -> None:
    extended, extended_late, dev_2024, dev_2026 = tiers.in_each_tier(pipeline.cloud)

    assert extended.rows["track_features"] == extended.rows["songs"] == 100
    assert set(extended.coverages.values()) == {1.0}
    for late in (extended_late, dev_2024):
        assert late.rows["songs"] == 100
        assert late.coverages["features_coverage"] is not None
        assert 0.7 < late.coverages["features_coverage"] < 1
        assert (late.coverages["popularity_coverage"], late.coverages["genres_coverage"]) == (1.0, 1.0)
    assert dev_2026.outcomes == "metadata_only"
    assert dev_2026.rows == {**dict.fromkeys(of_kind("playlists"), 0), "playlist_metadata": 2}
    assert set(dev_2026.coverages.values()) == {None}
    sources = pipeline.ask("SELECT DISTINCT feature_source FROM track_features")
    assert {row["feature_source"] for row in sources} == {"spotify", "reccobeats"}


def test_two_backfills_side_by_side_store_every_day_as_it_was(pipeline: Pipeline) -> None:
    weeks = 3
    days = collect.mondays(weeks, datetime.now(UTC).date())
    keys = [SnapshotKey(day, playlist) for day in days for playlist in collect.configured_playlists(pipeline.cloud)]

    def stored() -> dict[SnapshotKey, str]:
        bodies = {key: pipeline.s3.get_object(Bucket=pipeline.bucket, Key=key.raw)["Body"].read() for key in keys}
        return {key: json.loads(body)["playlist"]["snapshot_id"] for key, body in bodies.items()}

    # when
    consoles = [pipeline.start("backfill", "--weeks", str(weeks), "--no-wait") for _ in range(2)]
    assert [console.wait() for console in consoles] == [0, 0]
    side_by_side = stored()
    for day in days:
        collect.extract(pipeline.cloud, day)

    # then
    assert side_by_side == stored()
    assert len(set(side_by_side.values())) == len(keys)


def test_a_spent_quota_amid_five_playlists_keeps_what_is_complete_and_defers_the_rest(
    pipeline: Pipeline, simulator: SimulatorClient
) -> None:
    # given a quota that is spent before the third of five playlists
    simulator.set_faults([Fault(endpoint="/v1/playlists/{id}", kind="rate_limited", seconds=86_400, after=2, times=99)])
    day = date(2026, 2, 2)

    # when the schedule starts a run
    run = collect.extract(pipeline.cloud, day, FIVE)

    # then two snapshots are stored and the rest waits in a one-off schedule
    assert [playlist.outcome for playlist in run.playlists] == ["ok", "ok", "quota", "quota", "quota"]
    assert [key.list_id for key in collect.stored(run)] == FIVE[:2]
    (deferred,) = [
        schedule for schedule in pipeline.scheduler.list_schedules()["Schedules"] if "deferred" in schedule["Name"]
    ]
    target = pipeline.scheduler.get_schedule(Name=deferred["Name"])["Target"]
    event: dict[str, Any] = json.loads(target["Input"])
    assert event["playlists"] == FIVE[2:]

    # and when that starts, the rest arrives, and nothing twice
    simulator.clear_faults()
    pipeline.cloud.client("lambda").invoke(FunctionName=target["Arn"], Payload=target["Input"].encode())
    pipeline.wait_for(day, FIVE)
    versions = pipeline.s3.list_object_versions(Bucket=pipeline.bucket, Prefix=f"raw/spotify/{day}/")["Versions"]
    assert sorted(version["Key"].split("/")[3] for version in versions) == sorted(FIVE)
    (counted,) = pipeline.ask(
        f"SELECT count(*) AS rows, count(DISTINCT concat(playlist_id, '-', CAST(position AS varchar))) AS places "
        f"FROM songs WHERE snapshot_date = '{day}'"
    )
    assert counted == {"rows": "450", "places": "450"}


def test_a_list_that_spotify_keeps_for_itself_costs_no_other(pipeline: Pipeline, simulator: SimulatorClient) -> None:
    simulator.set_tier("extended_late")

    run = collect.extract(pipeline.cloud, date(2026, 2, 9), ["37i9dQZF1DXEarwormHits", FIVE[0]])

    simulator.set_tier("extended")
    refused, given = run.playlists
    assert (refused.outcome, refused.key) == ("not_found_or_editorial", None)
    assert refused.sentence
    assert "37i9" in refused.sentence
    assert given.outcome == "ok"
