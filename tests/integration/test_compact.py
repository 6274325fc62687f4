"""A compacted month holds the rows of all files that the lake holds of it, whatever happens meanwhile."""

from collections.abc import Iterator
from datetime import date
from io import BytesIO
from typing import Any

import boto3
import pyarrow.parquet as pq
import pytest
from moto import mock_aws

from contracts.columns import columns
from contracts.rows import Rows
from contracts.tables import TABLES
from infra.cli.cloud import Cloud
from infra.cli.compact import Compacted, month_of
from infra.cli.screen import ConsoleError
from shared.lake import SnapshotKey
from shared.parquet import encode
from tests.integration.cloud import BUCKET, console_cloud, make_cloud
from tests.integration.tables import declare_tables
from tests.rows import row_of

SONGS = TABLES["songs"]
FIRST, LAST = date(2026, 11, 2), date(2026, 11, 30)
COMPACTED = "compacted/spotify/songs/year=2026/month=11/rows.parquet"

pytestmark = pytest.mark.slow


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    with mock_aws():
        declare_tables()
        make_cloud()
        yield console_cloud()


def put(cloud: Cloud, day: date, playlist: str, *names: str) -> None:
    rows = [
        {**row_of(SONGS), "snapshot_date": f"{day}", "playlist_id": playlist, "position": place, "track_name": name}
        for place, name in enumerate(names, start=1)
    ]
    put_rows(cloud, SnapshotKey(day, playlist), rows)


def put_rows(cloud: Cloud, key: SnapshotKey, rows: list[Any]) -> None:
    body = encode(SONGS, Rows.of(SONGS, rows))
    cloud.client("s3").put_object(Bucket=BUCKET, Key=key.parquet("songs"), Body=body)


def compact(cloud: Cloud) -> Compacted:
    return month_of(cloud, SONGS, 2026, 11)


def compacted(cloud: Cloud) -> list[dict[str, Any]]:
    body = cloud.client("s3").get_object(Bucket=BUCKET, Key=COMPACTED)["Body"].read()
    return pq.read_table(BytesIO(body)).to_pylist()  # type: ignore[no-any-return]  # pyarrow is untyped


def test_every_row_of_the_month_and_no_other_is_in_one_file_by_day_and_key(cloud: Cloud) -> None:
    put(cloud, LAST, "a", "fourth")
    put(cloud, FIRST, "b", "third")
    put(cloud, FIRST, "a", "first", "second")
    put(cloud, date(2026, 12, 1), "a", "of another month")

    done = compact(cloud)

    assert (done.files, done.is_new) == (3, True)
    rows = compacted(cloud)
    assert [row["track_name"] for row in rows] == ["first", "second", "third", "fourth"]
    assert [row["day"] for row in rows] == ["02", "02", "02", "30"]


def test_values_and_types_are_those_of_the_lake(cloud: Cloud) -> None:
    put(cloud, FIRST, "a", "Sång 🎵")
    nulls = {**row_of(SONGS, nulls=True), "playlist_id": "b"}
    put_rows(cloud, SnapshotKey(FIRST, "b"), [nulls])

    compact(cloud)

    full, empty = compacted(cloud)
    assert full == {
        **row_of(SONGS),
        "snapshot_date": "2026-11-02",
        "playlist_id": "a",
        "track_name": "Sång 🎵",
        "day": "02",
    }
    assert empty == {**nulls, "day": "02"}


def test_the_catalog_has_the_same_columns_with_the_day_among_them(cloud: Cloud) -> None:
    put(cloud, FIRST, "a", "song")

    compact(cloud)
    compact(cloud)

    told = cloud.client("glue").get_table(DatabaseName="earworm_dev", Name="songs_compacted")["Table"]
    assert [column["Name"] for column in told["StorageDescriptor"]["Columns"]] == [
        *(column.name for column in columns(SONGS.row)),
        "day",
    ]
    assert [key["Name"] for key in told["PartitionKeys"]] == ["year", "month"]
    assert told["StorageDescriptor"]["Location"] == "s3://lake/compacted/spotify/songs/"
    found = cloud.client("glue").get_partitions(DatabaseName="earworm_dev", TableName="songs_compacted")
    (month,) = found["Partitions"]
    assert month["Values"] == ["2026", "11"]
    assert month["StorageDescriptor"] == {
        **told["StorageDescriptor"],
        "Location": "s3://lake/compacted/spotify/songs/year=2026/month=11/",
    }


def test_compacting_again_writes_only_what_changed_since(cloud: Cloud) -> None:
    put(cloud, FIRST, "a", "song")
    compact(cloud)

    unchanged = compact(cloud)
    put(cloud, FIRST, "a", "song as it was replayed")
    changed = compact(cloud)

    assert (unchanged.is_new, changed.is_new) == (False, True)
    assert [row["track_name"] for row in compacted(cloud)] == ["song as it was replayed"]


def test_a_month_without_files_is_not_compacted_any_more(cloud: Cloud) -> None:
    put(cloud, FIRST, "a", "song")
    compact(cloud)
    cloud.client("s3").delete_object(Bucket=BUCKET, Key=SnapshotKey(FIRST, "a").parquet("songs"))

    done = compact(cloud)

    assert (done.files, done.size) == (0, 0)
    assert not cloud.client("s3").list_objects_v2(Bucket=BUCKET, Prefix="compacted/").get("Contents")


def test_a_file_that_changes_while_the_month_is_read_and_back_again_is_not_mistaken_for_itself(cloud: Cloud) -> None:
    put(cloud, FIRST, "a", "song")
    changes = iter(["song as it was for a moment"])

    def change(**_: object) -> None:
        for name in changes:
            put(cloud, FIRST, "a", name)

    cloud.session.register("before-call.s3.GetObject", change)
    compact(cloud)
    seen = compacted(cloud)
    put(cloud, FIRST, "a", "song")

    compact(cloud)

    assert [row["track_name"] for row in seen] == ["song as it was for a moment"]
    assert [row["track_name"] for row in compacted(cloud)] == ["song"]


@pytest.mark.parametrize("is_first", [True, False])
def test_a_compaction_that_another_one_overtook_takes_up_what_that_one_did(cloud: Cloud, *, is_first: bool) -> None:
    put(cloud, FIRST, "a", "song")
    if not is_first:
        compact(cloud)
        put(cloud, FIRST, "a", "song as it is since")
    others = iter(["song that the other one saw"])

    def overtake(**event: Any) -> None:
        if event["params"]["url_path"].endswith("/rows.parquet"):
            for name in others:
                put(cloud, FIRST, "a", name)
                compact(cloud)

    cloud.session.register("before-call.s3.PutObject", overtake)

    compact(cloud)

    assert [row["track_name"] for row in compacted(cloud)] == ["song that the other one saw"]


@pytest.mark.parametrize("is_first", [True, False])
def test_a_compaction_does_not_undo_one_that_saw_a_snapshot_come_after_it_had_listed_the_month(
    cloud: Cloud, *, is_first: bool
) -> None:
    if not is_first:
        put(cloud, FIRST, "a", "song")
        compact(cloud)
        put(cloud, FIRST, "a", "song as it is since")
    others = iter(["song that came since"])

    def overtake(**_: object) -> None:
        for name in others:
            put(cloud, LAST, "a", name)
            compact(cloud)

    cloud.session.register("after-call.s3.ListObjectsV2", overtake)

    compact(cloud)

    names = [row["track_name"] for row in compacted(cloud)]
    assert names == [*([] if is_first else ["song as it is since"]), "song that came since"]


def test_a_damaged_file_is_a_sentence_and_leaves_what_stands(cloud: Cloud) -> None:
    put(cloud, FIRST, "a", "song")
    compact(cloud)
    boto3.client("s3").put_object(Bucket=BUCKET, Key=SnapshotKey(LAST, "a").parquet("songs"), Body=b"PAR1damagedPAR1")

    with pytest.raises(ConsoleError, match=r"songs/year=2026/month=11/ cannot be merged: .*`earworm audit`"):
        compact(cloud)

    assert [row["track_name"] for row in compacted(cloud)] == ["song"]


def test_a_table_that_the_catalog_lacks_is_told(cloud: Cloud) -> None:
    cloud.client("glue").delete_table(DatabaseName="earworm_dev", Name="albums")

    with pytest.raises(ConsoleError, match="no table albums in earworm_dev: run `earworm audit --repair`"):
        month_of(cloud, TABLES["albums"], 2026, 11)
