"""The catalog knows each day of the lake: whoever writes an object registers its day, and what lacks is found."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from moto import mock_aws

from infra.cli import catalog as catalogs
from infra.cli.cloud import Cloud as ConsoleCloud
from shared.catalog import Catalog
from shared.errors import TransientError
from shared.lake import CHARTS, Partition, SnapshotKey
from tests.documents import entry, playlist, track
from tests.integration.cloud import BUCKET, KEY, SESSION, UNSHARED, Cloud, console_cloud, make_cloud
from tests.integration.tables import DATABASE, complete, declare_tables, worker

pytestmark = pytest.mark.slow

CHART = SnapshotKey(date(2026, 11, 26), "spotify_charts-regional-de-weekly", CHARTS)
SONGS = Partition("songs", ("2026", "11", "22"), "processed/spotify/songs/year=2026/month=11/day=22/")


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    with mock_aws():
        declare_tables()
        yield make_cloud()


@pytest.fixture
def catalog(cloud: Cloud) -> Catalog:
    return Catalog(SESSION.client("glue"), DATABASE, BUCKET)


def registered(table: str) -> dict[tuple[str, ...], Any]:
    found = SESSION.client("glue").get_partitions(DatabaseName=DATABASE, TableName=table)["Partitions"]
    return {tuple(each["Values"]): each["StorageDescriptor"] for each in found}


@pytest.mark.parametrize(
    ("key", "partition"),
    [
        (KEY.parquet("songs"), SONGS),
        (SONGS.folder, SONGS),
        (
            KEY.receipt("songs"),
            Partition("receipts", ("spotify", "2026", "11", "22"), "receipts/spotify/year=2026/month=11/day=22/"),
        ),
        (
            CHART.quarantine("charts"),
            Partition("rejected_rows", ("charts", "2026", "11", "26"), "quarantine/charts/year=2026/month=11/day=26/"),
        ),
        (KEY.raw, None),
        ("processed/spotify/songs/year=2026/month=11/", None),
    ],
)
def test_the_partition_of_an_object_follows_from_its_key(key: str, partition: Partition | None) -> None:
    assert Partition.of(key) == partition


def test_a_worker_registers_the_day_of_all_that_it_wrote_and_of_nothing_else(cloud: Cloud) -> None:
    # given a snapshot with a rejected row and no refused value
    cloud.put_raw(playlist(entry(track("One")), entry({**track("Two"), "name": None}), id=None))

    # when its tables are complete, and once more
    complete(cloud)
    complete(cloud)

    # then the day is there in the table and beside it, once, described as its table
    table = SESSION.client("glue").get_table(DatabaseName=DATABASE, Name="songs")["Table"]["StorageDescriptor"]
    assert registered("songs") == {SONGS.values: {**table, "Location": f"s3://{BUCKET}/{SONGS.folder}"}}
    assert [*registered("receipts")] == [*registered("rejected_rows")] == [("spotify", *SONGS.values)]
    assert registered("rejected_values") == registered("charts") == {}


def test_what_the_catalog_does_not_take_has_no_receipt(cloud: Cloud) -> None:
    cloud.put_raw(playlist(entry(track("One")), id=None))
    SESSION.client("glue").delete_table(DatabaseName=DATABASE, Name="receipts")

    with pytest.raises(TransientError, match=r"no table receipts in earworm_dev: run `earworm deploy catalog`"):
        worker(cloud, "songs").process(cloud.batch()["Records"][0])

    assert cloud.keys("receipts/") == []


def answering(answers: list[dict[str, Any]]) -> Catalog:
    """A catalog whose Glue answers so when partitions are created."""
    glue: Any = UNSHARED.client("glue")
    glue.meta.events.register("before-call.glue.BatchCreatePartition", lambda **_: _answer(answers.pop(0)))
    return Catalog(glue, DATABASE, BUCKET)


def _answer(body: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    return type("Response", (), {"status_code": 400 if "Error" in body else 200})(), body


def refusing(code: str) -> dict[str, Any]:
    error = {"ErrorCode": code, "ErrorMessage": "for a reason"}
    return {"Errors": [{"PartitionValues": [*SONGS.values], "ErrorDetail": error}]}


@pytest.mark.usefixtures("cloud", "nobody_waits")
def test_a_busy_catalog_is_asked_again() -> None:
    answers = [refusing("InternalServiceException"), {"Error": {"Code": "ConcurrentModificationException"}}, {}]

    answering(answers).register([SONGS])

    assert answers == []


@pytest.mark.usefixtures("cloud")
def test_a_day_is_registered_once_in_the_life_of_a_process() -> None:
    answers: list[dict[str, Any]] = [{}]
    catalog = answering(answers)

    catalog.register([SONGS])
    catalog.register([SONGS])

    assert answers == []


@pytest.mark.usefixtures("cloud")
def test_a_refused_partition_is_a_fault_that_may_pass() -> None:
    with pytest.raises(TransientError, match=r"refuses the partition 2026/11/22 of earworm_dev.songs: Invalid.*reason"):
        answering([refusing("InvalidInputException")]).register([SONGS])


@pytest.fixture
def nobody_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tenacity.nap.time.sleep", lambda _: None)


def test_a_partition_that_is_missing_elsewhere_or_described_otherwise_is_named_and_repaired(catalog: Catalog) -> None:
    # given four days, of which one is not registered, one lies elsewhere and one is older than a column of the table
    days = [replace(KEY, snapshot_date=date(2026, 11, day)) for day in (1, 8, 15, 22)]
    partitions = [found for key in days if (found := Partition.of(key.parquet("songs")))]
    sound, _, elsewhere, older = partitions
    catalog.register([sound])
    glue = SESSION.client("glue")
    table: Any = glue.get_table(DatabaseName=DATABASE, Name="songs")["Table"]["StorageDescriptor"]
    for partition, change in (
        (elsewhere, {"Location": "s3://other/"}),
        (older, {"Location": f"s3://{BUCKET}/{older.folder}", "Columns": table["Columns"][1:]}),
    ):
        described: Any = {"Values": partition.values, "StorageDescriptor": {**table, **change}}
        glue.create_partition(DatabaseName=DATABASE, TableName="songs", PartitionInput=described)

    # when they are looked at
    whats = [what for _, what in catalog.faults(partitions)]

    # then each is named
    assert whats == [
        "the partition 2026/11/08 is missing from the catalog",
        f"the catalog locates the partition 2026/11/15 at s3://other/, not at s3://{BUCKET}/{elsewhere.folder}",
        "the partition 2026/11/22 has other columns in the catalog than its table",
    ]

    # and once they are repaired, nothing is left to do
    assert catalog.repair(partitions) == 3
    assert catalog.repair(partitions) == 0


def test_hundreds_of_days_are_registered(catalog: Catalog) -> None:
    years = [Partition.of(KEY.parquet("songs").replace("2026", f"{year}")) for year in range(1800, 2035)]

    assert catalog.repair(filter(None, years)) == len(years)
    assert len(registered("songs")) == len(years)


def test_a_table_of_charts_registers_below_its_own_kind(catalog: Catalog) -> None:
    catalog.register(filter(None, [Partition.of(CHART.receipt("charts")), Partition.of(CHART.parquet("charts"))]))

    assert [*registered("receipts")] == [("charts", "2026", "11", "26")]
    assert [*registered("charts")] == [("2026", "11", "26")]


def test_all_days_of_a_lake_are_registered_by_one_command_and_once(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given a lake of two kinds whose catalog was declared anew
    for key in (KEY, replace(KEY, snapshot_date=date(2024, 2, 29)), CHART):
        table = "charts" if key is CHART else "songs"
        for output in (key.parquet(table), key.receipt(table), key.quarantine(table)):
            cloud.s3.put_object(Bucket=BUCKET, Key=output, Body=b"")
    console = console_cloud()
    monkeypatch.setattr(ConsoleCloud, "client", lambda _, name: SESSION.client(name))

    # when its days are registered, twice
    registered_now = [catalogs.register(console) for _ in range(2)]

    # then each table has its own
    assert registered_now == [9, 0]
    assert {*registered("songs")} == {("2024", "02", "29"), SONGS.values}
    assert {*registered("charts")} == {("2026", "11", "26")}
    assert {*registered("receipts")} == {
        ("spotify", "2024", "02", "29"),
        ("spotify", *SONGS.values),
        ("charts", "2026", "11", "26"),
    }
    assert registered("rejected_values") == {}
