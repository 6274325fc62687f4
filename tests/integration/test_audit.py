"""The audit of a lake that real workers wrote, with each kind of gap made by hand."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from moto import mock_aws

from contracts.tables import TABLES
from services.albums.transform import albums
from services.artists.transform import artists
from services.audit.audit import auditor
from services.playlist_metadata.transform import playlist_metadata
from services.songs.transform import songs
from services.track_features.transform import track_features
from shared.dead_letters import DeadLetterQueue
from shared.errors import PermanentError
from shared.lake import SnapshotKey
from shared.worker import Worker
from tests.documents import entry, playlist, track
from tests.integration.cloud import BUCKET, KEY, Cloud, make_cloud, record

TRANSFORMS: dict[str, Callable[..., Any]] = {
    "songs": songs,
    "artists": artists,
    "albums": albums,
    "track_features": track_features,
    "playlist_metadata": playlist_metadata,
}
OTHER = SnapshotKey(date(2026, 11, 15), "a-dashed-id")
DOCUMENT = playlist(entry(track("One")), entry(None), entry({**track("Two"), "name": None}), id=None)


pytestmark = pytest.mark.slow


@pytest.fixture
def empty(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    """A lake without anything."""
    with mock_aws():
        monkeypatch.setenv("S3_BUCKET", BUCKET)
        monkeypatch.setenv("SERVICE_VERSION", "1.0.0")
        monkeypatch.setenv("GRACE_MINUTES", "15")
        yield make_cloud()


@pytest.fixture
def cloud(empty: Cloud) -> Cloud:
    """A lake with two snapshots, each in every table, one song of each rejected."""
    for key in (KEY, OTHER):
        empty.put_raw(DOCUMENT, key=key.raw)
        complete(empty, key)
    return empty


def complete(cloud: Cloud, key: SnapshotKey = KEY) -> None:
    """What all transformers do with an announcement."""
    for name, table in TABLES.items():
        Worker(
            table=table,
            transform=TRANSFORMS[name],
            lake=cloud.lake,
            dead_letters=DeadLetterQueue(cloud.sqs, cloud.dead_letters),
            service_version="1.0.0",
            gauges=(),
        ).process(record(json.dumps({"Records": [{"s3": {"object": {"key": key.raw}}}]})))


def audit(**event: Any) -> Any:
    return auditor()({"from": "2026-11-01", "to": "2026-11-30", "grace_minutes": 0, **event}, None)


def whats(report: Any) -> list[tuple[str | None, str]]:
    return [(gap["table"], gap["what"]) for gap in report["gaps"]]


def alter(cloud: Cloud, key: str, body: bytes | None = None, **metadata: str) -> None:
    """Replaces an object's body or what it tells of itself."""
    had = cloud.s3.get_object(Bucket=BUCKET, Key=key)
    told = had["Metadata"] | {name.replace("_", "-"): value for name, value in metadata.items()}
    cloud.s3.put_object(Bucket=BUCKET, Key=key, Body=had["Body"].read() if body is None else body, Metadata=told)


def receipt_of(cloud: Cloud, table: str, **fields: Any) -> bytes:
    return json.dumps(cloud.json_lines(KEY.receipt(table))[0] | fields).encode()


def test_a_lake_that_the_workers_wrote_has_no_gap(cloud: Cloud, capsys: pytest.CaptureFixture[str]) -> None:
    assert cloud.keys("quarantine/") != []

    assert audit() == {"checked": 2, "fresh": 0, "found": 0, "gaps": []}

    metrics = [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"Gaps"' in line]
    assert [line["Gaps"] for line in metrics] == [[0]]


def test_it_tells_how_old_the_newest_snapshot_is_whatever_days_are_asked_for(
    empty: Cloud, capsys: pytest.CaptureFixture[str]
) -> None:
    # given snapshots of twelve and more days ago, one of a day to come, and a folder that is no day
    today = datetime.now(UTC).date()
    for day in (today - timedelta(days=400), today - timedelta(days=12), today + timedelta(days=1), "some-day"):
        empty.put_raw(DOCUMENT, key=f"raw/spotify/{day}/p/playlist.json")

    audit()

    metrics = [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"DaysSinceSnapshot"' in line]
    assert [line["DaysSinceSnapshot"] for line in metrics] == [[12]]


def test_of_a_lake_without_snapshots_no_age_is_told(empty: Cloud, capsys: pytest.CaptureFixture[str]) -> None:
    audit()

    assert "DaysSinceSnapshot" not in capsys.readouterr().out


GAPS: dict[str, tuple[Callable[[Cloud], Any], str, str]] = {
    "no receipt": (lambda c: c.s3.delete_object(Bucket=BUCKET, Key=KEY.receipt("songs")), "songs", "receipt missing"),
    "stale receipt": (
        lambda c: alter(c, KEY.receipt("albums"), raw_version="old"),
        "albums",
        "receipt made from another version of the raw object (old)",
    ),
    "receipt that does not add up": (
        lambda c: alter(c, KEY.receipt("songs"), receipt_of(c, "songs", entries=4)),
        "songs",
        "receipt does not add up: 4 entries are not 1 rows + 1 rejected + 1 skipped",
    ),
    "receipt that is none": (
        lambda c: alter(c, KEY.receipt("songs"), b'{"rows": "many"}'),
        "songs",
        "receipt cannot be read",
    ),
    "no Parquet": (
        lambda c: c.s3.delete_object(Bucket=BUCKET, Key=KEY.parquet("artists")),
        "artists",
        "Parquet file missing",
    ),
    "stale Parquet": (
        lambda c: alter(c, KEY.parquet("songs"), raw_version="old"),
        "songs",
        "Parquet file made from another version of the raw object (old)",
    ),
    "cut-off Parquet": (
        lambda c: alter(c, KEY.parquet("songs"), b"PAR1"),
        "songs",
        "Parquet file cannot be read",
    ),
    "empty Parquet": (lambda c: alter(c, KEY.parquet("songs"), b""), "songs", "Parquet file cannot be read"),
    "other rows in Parquet": (
        lambda c: alter(
            c, KEY.parquet("artists"), c.s3.get_object(Bucket=BUCKET, Key=KEY.parquet("songs"))["Body"].read()
        ),
        "artists",
        "Parquet file holds 1 rows, the receipt says 2",
    ),
    "no quarantine": (
        lambda c: c.s3.delete_object(Bucket=BUCKET, Key=KEY.quarantine("songs")),
        "songs",
        "quarantine missing: the receipt says 1 rejected",
    ),
    "more in quarantine": (
        lambda c: alter(c, KEY.quarantine("songs"), b"{}\n{}\n"),
        "songs",
        "quarantine holds 2 rows, the receipt says 1",
    ),
    "quarantine of nothing": (
        lambda c: c.s3.copy_object(
            Bucket=BUCKET,
            Key=KEY.quarantine("artists"),
            CopySource={"Bucket": BUCKET, "Key": KEY.quarantine("songs")},
        ),
        "artists",
        "quarantine holds 1 rows, the receipt says 0",
    ),
}


@pytest.mark.parametrize("gap", GAPS)
def test_each_kind_of_gap_is_named_and_mended_by_a_replay(cloud: Cloud, gap: str) -> None:
    # given one object that is not as the workers left it
    make, table, what = GAPS[gap]
    make(cloud)

    # then the audit names it, and a replay mends it
    report = audit()
    assert whats(report) == [(table, what)]
    assert report["gaps"][0] == {
        "table": table,
        "playlist_id": KEY.playlist_id,
        "snapshot_date": "2026-11-22",
        "raw_key": KEY.raw,
        "what": what,
        "mended_by": "replay",
    }
    complete(cloud)
    assert audit()["found"] == 0


def test_a_newer_raw_object_that_nobody_processed_makes_every_output_stale(cloud: Cloud) -> None:
    cloud.put_raw(playlist(entry(track("New"))))

    found = whats(audit())

    assert len(found) == 2 * len(TABLES) + 1
    assert all("made from another version of the raw object" in what for _, what in found)


def test_a_raw_object_within_its_grace_is_counted_as_fresh_and_not_compared(cloud: Cloud) -> None:
    cloud.s3.delete_object(Bucket=BUCKET, Key=KEY.receipt("songs"))

    assert audit(grace_minutes=15) == {"checked": 0, "fresh": 2, "found": 0, "gaps": []}


def test_outputs_whose_raw_object_is_gone_are_orphans_for_a_person(cloud: Cloud) -> None:
    cloud.s3.delete_object(Bucket=BUCKET, Key=OTHER.raw)

    report = audit()

    assert report["checked"] == 1
    assert report["found"] == 2 * len(TABLES) + 1
    assert {gap["mended_by"] for gap in report["gaps"]} == {"hand"}
    assert {gap["playlist_id"] for gap in report["gaps"]} == {"a-dashed-id"}


@pytest.mark.parametrize(
    "key",
    [
        "raw/spotify/2026-11-22/playlist.json",
        "receipts/spotify/year=2026/month=11/day=31/songs-x.json",
        "receipts/spotify/year=2026/month=11/day=22/videos-x.json",
        "quarantine/spotify/year=2026/month=11/day=22/x.txt",
        "processed/spotify/songs/year=2026/month=11/day=22/part.0.csv",
    ],
)
def test_a_key_that_belongs_to_no_snapshot_is_named(cloud: Cloud, key: str) -> None:
    cloud.s3.put_object(Bucket=BUCKET, Key=key, Body=b"{}")

    assert whats(audit()) == [(None, f"{key} belongs to no snapshot")]


def test_days_beyond_the_range_are_left_alone(cloud: Cloud) -> None:
    cloud.s3.delete_object(Bucket=BUCKET, Key=OTHER.receipt("songs"))

    assert audit(**{"from": "2026-11-16"}) == {"checked": 1, "fresh": 0, "found": 0, "gaps": []}


def test_more_gaps_than_an_answer_may_list_are_counted(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.audit.audit.MOST_LISTED", 3)
    for table in TABLES:
        cloud.s3.delete_object(Bucket=BUCKET, Key=KEY.receipt(table))

    report = audit()

    assert report["found"] == len(TABLES)
    assert len(report["gaps"]) == 3


def test_an_event_that_cannot_be_read_fails_the_audit(cloud: Cloud) -> None:
    with pytest.raises(PermanentError, match="from is after to"):
        audit(to="2026-10-31")
