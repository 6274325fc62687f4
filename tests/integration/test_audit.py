"""The audit of a lake that real workers wrote, with each kind of gap made by hand."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest

from contracts.chart import write_raw_chart
from contracts.tables import OPERATIONS, TABLES, of_kind
from services.audit.audit import auditor
from shared.errors import PermanentError
from shared.lake import CHARTS, SnapshotKey
from tests.charts import REGIONAL_WEEKLY, chart_file, loaded
from tests.documents import entry, playlist, track
from tests.integration.cloud import BUCKET, KEY, SESSION, Cloud
from tests.integration.tables import (
    DATABASE,
    alter,
    audited_cloud,
    complete,
    copy,
    flip,
    forge,
    receipt_with,
    replay,
    undone,
)

OTHER = SnapshotKey(date(2026, 11, 15), "a-dashed-id")
DOCUMENT = playlist(
    *(entry(track("One")), entry(None), entry({**track("Two"), "name": None}), entry(track("Three", popularity=101))),
    id=None,
)


pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def sound() -> Iterator[Cloud]:
    """A lake with two snapshots, each in every table, one song of each rejected and one value refused."""
    with audited_cloud() as cloud:
        for key in (KEY, OTHER):
            cloud.put_raw(DOCUMENT, key=key.raw)
            complete(cloud, key)
        yield cloud


@pytest.fixture
def cloud(sound: Cloud) -> Iterator[Cloud]:
    """The sound lake, to be damaged."""
    with undone(sound):
        yield sound


def audit(**event: Any) -> Any:
    return auditor()({"from": "2026-11-01", "to": "2026-11-30", "grace_minutes": 0, **event}, None)


def test_a_table_that_is_not_deployed_lacks_nothing(cloud: Cloud) -> None:
    # given albums removed, and a snapshot that came later
    cloud.remove("albums")
    later = SnapshotKey(date(2026, 11, 29), "later")
    cloud.put_raw(DOCUMENT, key=later.raw)
    complete(cloud, later, without="albums")

    # when and then
    assert audit()["gaps"] == []

    # and once it is deployed again, it lacks what it missed
    cloud.deploy("albums")
    assert {gap["table"] for gap in audit()["gaps"]} == {"albums"}


def whats(report: Any) -> list[tuple[str | None, str]]:
    return [(gap["table"], gap["what"]) for gap in report["gaps"]]


def test_a_lake_that_the_workers_wrote_has_no_gap(cloud: Cloud) -> None:
    assert cloud.keys("quarantine/") != []
    assert cloud.keys("quarantine-values/") != []

    assert audit() == {"checked": 2, "fresh": 0, "found": 0, "gaps": []}


def test_what_a_chart_left_without_its_raw_object_is_told(cloud: Cloud) -> None:
    chart = SnapshotKey(KEY.snapshot_date, "listenbrainz-sitewide", CHARTS)
    cloud.s3.put_object(Bucket=BUCKET, Key=chart.receipt("songs"), Body=b"{}")

    # songs is no table of charts
    assert whats(audit()) == [(None, f"{chart.receipt('songs')} belongs to no snapshot")]


def test_a_receipt_of_a_chart_whose_ranks_are_not_json_does_not_end_the_audit(cloud: Cloud) -> None:
    chart = SnapshotKey(date(2026, 11, 19), "spotify_charts-regional-de-weekly", CHARTS)
    file = chart_file(REGIONAL_WEEKLY, [1, 3])
    cloud.put_raw(write_raw_chart(loaded("regional-de-weekly-2026-11-19.csv", file)), key=chart.raw)
    complete(cloud, chart)
    key = chart.receipt("charts")
    alter(cloud, key, json.dumps(cloud.json_lines(key)[0] | {"gaps": "[2"}).encode())

    assert whats(audit()) == [("charts", "receipt cannot be read")]


ANOTHER_FILE = "Parquet file differs from its receipt: ETag "
GAPS: dict[str, tuple[Callable[[Cloud], Any], str, str]] = {
    "no receipt": (lambda c: c.s3.delete_object(Bucket=BUCKET, Key=KEY.receipt("songs")), "songs", "receipt missing"),
    "stale receipt": (
        lambda c: alter(c, KEY.receipt("albums"), raw_version="old"),
        "albums",
        "receipt made from another version of the raw object ('old')",
    ),
    "receipt of old": (
        lambda c: forge(c, "songs", parquet_etag=None),
        "songs",
        "receipt from an older version, without the ETags of what it commits",
    ),
    "receipt that does not add up": (
        lambda c: forge(c, "songs", entries=5),
        "songs",
        "receipt does not add up: 5 entries, but 2 rows + 1 rejected + 1 skipped",
    ),
    "receipt whose rules do not add up": (
        lambda c: forge(c, "songs", skipped='{"episode": 2}'),
        "songs",
        """receipt does not add up: 1 skipped, but by rule '{"episode": 2}'""",
    ),
    "receipt of values that are nowhere": (
        lambda c: forge(c, "songs", refused_values_etag=None),
        "songs",
        "receipt contradicts its key: refused_values_key is 'quarantine-values/s",
    ),
    "receipt of no values": (
        lambda c: forge(c, "songs", refused_values=0),
        "songs",
        "receipt does not add up: 0 refused values, in quarantine ['quarantine-values/",
    ),
    "receipt of another table": (
        lambda c: forge(c, "songs", table_name="albums"),
        "songs",
        "receipt contradicts its key: table_name is 'albums', not 'songs'",
    ),
    "receipt of another day": (
        lambda c: forge(c, "songs", snapshot_date="2026-11-15"),
        "songs",
        "receipt contradicts its key: snapshot_date is '2026-11-15', not '2026-11-22'",
    ),
    "receipt of another run": (
        lambda c: forge(c, "songs", run_id="run-2"),
        "songs",
        "receipt contradicts its key: run_id is 'run-2', not 'run-1'",
    ),
    "receipt of other rows": (
        lambda c: forge(c, "songs", parquet_key=KEY.parquet("albums")),
        "songs",
        "receipt contradicts its key: parquet_key is 'processed/spotify/albu",
    ),
    "altered receipt": (
        lambda c: alter(c, KEY.receipt("songs"), receipt_with(c, "songs", service_version="2")),
        "songs",
        "receipt altered: its bytes do not have the SHA-256 in its metadata",
    ),
    "receipt that is none": (
        lambda c: alter(c, KEY.receipt("songs"), b'{"rows": "many"}'),
        "songs",
        "receipt cannot be read",
    ),
    "receipt that is a list": (
        lambda c: alter(c, KEY.receipt("songs"), b"[]"),
        "songs",
        "receipt cannot be read",
    ),
    "no Parquet": (
        lambda c: c.s3.delete_object(Bucket=BUCKET, Key=KEY.parquet("artists")),
        "artists",
        "Parquet file missing",
    ),
    "cut-off Parquet": (lambda c: alter(c, KEY.parquet("songs"), b"PAR1"), "songs", ANOTHER_FILE),
    "empty Parquet": (lambda c: alter(c, KEY.parquet("songs"), b""), "songs", ANOTHER_FILE),
    "damaged data page": (lambda c: flip(c, KEY.parquet("songs"), 100), "songs", ANOTHER_FILE),
    "damaged footer": (lambda c: flip(c, KEY.parquet("songs"), -60), "songs", ANOTHER_FILE),
    "another table's rows": (lambda c: copy(c, KEY.parquet("songs"), KEY.parquet("artists")), "artists", ANOTHER_FILE),
    "another week's rows": (lambda c: copy(c, OTHER.parquet("songs"), KEY.parquet("songs")), "songs", ANOTHER_FILE),
    "no quarantine": (
        lambda c: c.s3.delete_object(Bucket=BUCKET, Key=KEY.quarantine("songs")),
        "songs",
        "quarantine missing",
    ),
    "another quarantine": (
        lambda c: copy(c, OTHER.quarantine("songs"), KEY.quarantine("songs")),
        "songs",
        "quarantine differs from its receipt: ETag ",
    ),
    "quarantine of nothing": (
        lambda c: copy(c, KEY.quarantine("songs"), KEY.quarantine("artists")),
        "artists",
        "quarantine is not in its receipt (ETag ",
    ),
    "no values": (
        lambda c: c.s3.delete_object(Bucket=BUCKET, Key=KEY.quarantined_values("songs")),
        "songs",
        "quarantine of values missing",
    ),
    "other values": (
        lambda c: copy(c, OTHER.quarantined_values("songs"), KEY.quarantined_values("songs")),
        "songs",
        "quarantine of values differs from its receipt: ETag ",
    ),
    "values of nothing": (
        lambda c: copy(c, KEY.quarantined_values("songs"), KEY.quarantined_values("artists")),
        "artists",
        "quarantine of values is not in its receipt (ETag ",
    ),
}


@pytest.mark.parametrize("gap", GAPS)
def test_each_kind_of_gap_is_named_and_mended_by_a_replay(cloud: Cloud, gap: str) -> None:
    # given one object that is not as the workers left it
    make, table, what = GAPS[gap]
    make(cloud)

    # then the audit names it, and a replay of its table mends it
    (found,) = audit()["gaps"]
    assert found.pop("what").startswith(what)
    assert datetime.fromisoformat(found.pop("since")) <= datetime.now(UTC)
    assert found == {
        "table": table,
        "playlist_id": KEY.list_id,
        "snapshot_date": "2026-11-22",
        "raw_key": KEY.raw,
        "mended_by": "replay",
        "cause": None,
    }
    replay(cloud, table)
    assert audit()["found"] == 0


def test_a_newer_raw_object_that_nobody_processed_makes_every_receipt_stale(cloud: Cloud) -> None:
    cloud.put_raw(playlist(entry(track("New"))))

    found = whats(audit())

    assert len(found) == len(of_kind("playlists"))
    assert all("made from another version of the raw object" in what for _, what in found)


def test_a_raw_object_within_its_grace_is_counted_as_fresh_and_not_compared(cloud: Cloud) -> None:
    cloud.s3.delete_object(Bucket=BUCKET, Key=KEY.receipt("songs"))

    assert audit(grace_minutes=15) == {"checked": 0, "fresh": 2, "found": 0, "gaps": []}


def test_outputs_whose_raw_object_is_gone_are_orphans_for_a_person(cloud: Cloud) -> None:
    cloud.s3.delete_object(Bucket=BUCKET, Key=OTHER.raw)

    report = audit()

    assert report["checked"] == 1
    assert report["found"] == 2 * len(of_kind("playlists")) + 2
    assert {gap["mended_by"] for gap in report["gaps"]} == {"person"}
    assert {gap["playlist_id"] for gap in report["gaps"]} == {"a-dashed-id"}


@pytest.mark.parametrize(
    "key",
    [
        "raw/spotify/2026-11-22/playlist.json",
        "receipts/spotify/year=2026/month=11/day=31/songs-x.json",
        "receipts/spotify/year=2026/month=11/day=22/videos-x.json",
        "quarantine/spotify/year=2026/month=11/day=22/x.txt",
        "quarantine-values/spotify/year=2026/month=11/day=22/x.txt",
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
    for table in of_kind("playlists"):
        cloud.s3.delete_object(Bucket=BUCKET, Key=KEY.receipt(table))

    report = audit()

    assert report["found"] == len(of_kind("playlists"))
    assert len(report["gaps"]) == 3


@pytest.mark.usefixtures("cloud")
def test_each_table_that_somebody_dropped_is_named() -> None:
    dropped: list[str] = []
    for name in (*TABLES, *OPERATIONS):
        SESSION.client("glue").delete_table(DatabaseName=DATABASE, Name=name)
        dropped.append(name)

        assert audit()["gaps"] == [
            {
                "table": table,
                "playlist_id": None,
                "snapshot_date": None,
                "raw_key": None,
                "since": None,
                "what": "the table is missing from the catalog",
                "mended_by": "catalog",
                "cause": None,
            }
            for table in dropped
        ]
    assert audit(catalog=False)["found"] == 0


def test_a_table_that_is_otherwise_than_its_contract_is_named(cloud: Cloud) -> None:
    glue = SESSION.client("glue")
    table = glue.get_table(DatabaseName=DATABASE, Name="songs")["Table"]
    storage = table["StorageDescriptor"]
    columns = [{**each, "Type": "int"} if each["Name"] == "position" else each for each in storage["Columns"][1:]]
    columns.append({"Name": "mood", "Type": "string"})
    altered: Any = {
        "Name": "songs",
        "PartitionKeys": table["PartitionKeys"][:2],
        "StorageDescriptor": {**storage, "Columns": columns, "Location": "s3://elsewhere/"},
    }
    glue.update_table(DatabaseName=DATABASE, TableInput=altered)

    days = ("2026/11/15", "2026/11/22")
    assert whats(audit()) == [
        *(("songs", f"the partition {day} has other columns in the catalog than its table") for day in days),
        ("songs", f"the catalog locates it at 's3://elsewhere/', not at s3://{BUCKET}/processed/spotify/songs/"),
        ("songs", "the catalog's column 'mood' is string, not absent"),
        ("songs", "the catalog's column 'position' is int, not bigint"),
        ("songs", "the catalog's column 'snapshot_date' is missing, not string"),
        ("songs", "the catalog's partition key 'day' is missing, not string"),
    ]


def test_without_a_database_every_table_is_missing(cloud: Cloud) -> None:
    SESSION.client("glue").delete_database(Name=DATABASE)

    assert [table for table, _ in whats(audit())] == [*TABLES, *OPERATIONS]


def test_an_event_that_cannot_be_read_fails_the_audit(cloud: Cloud) -> None:
    with pytest.raises(PermanentError, match="from is after to"):
        audit(to="2026-10-31")
