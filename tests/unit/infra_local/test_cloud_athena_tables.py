"""Tables of the local Athena: the catalog decides about columns and types, not the files."""

import base64
import io
import json
from collections.abc import Callable, Iterator
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet
import pytest
from ministack.services import glue, iam, s3

from infra.local.emulator import crawler
from infra.local.emulator.athena import run_query
from infra.local.emulator.trino import UnsupportedSqlError

BUCKET = "lake"
PARTITION_KEYS = [{"Name": key, "Type": "string"} for key in ("year", "month", "day")]


@pytest.fixture(autouse=True)
def _lake() -> Iterator[None]:
    s3._create_bucket(BUCKET, b"", {})
    glue._create_database({"DatabaseInput": {"Name": "music"}})
    yield
    glue.reset()
    s3.reset()


def put(key: str, data: bytes, *, registered: bool = True) -> int:
    """Writes an object; registers its day where there is a table of its folder."""
    s3._put_object(BUCKET, key, data, {"content-length": str(len(data))})
    folder = key.rpartition("/")[0]
    values = [part.partition("=")[2] for part in folder.split("/") if "=" in part]
    table = folder.partition("/year=")[0].rpartition("/")[2]
    if registered and values and f"music/{table}" in glue._tables:
        register(table, *values, location=folder)
    return len(data)


def put_parquet(key: str, *, registered: bool = True, **columns: Any) -> int:
    buffer = io.BytesIO()
    pyarrow.parquet.write_table(pa.table(columns), buffer)
    return put(key, buffer.getvalue(), registered=registered)


def register(table: str, *values: str, location: str) -> None:
    described = {**glue._tables[f"music/{table}"]["StorageDescriptor"], "Location": f"s3://{BUCKET}/{location}/"}
    partition = {"Values": [*values], "StorageDescriptor": described}
    glue._batch_create_partition({"DatabaseName": "music", "TableName": table, "PartitionInputList": [partition]})


def create_table(name: str, columns: dict[str, str], *, classification: str = "parquet", **parts: Any) -> None:
    table = {
        "Name": name,
        "PartitionKeys": PARTITION_KEYS,
        "Parameters": {"classification": classification},
        "StorageDescriptor": {
            "Columns": [{"Name": n, "Type": t} for n, t in columns.items()],
            "Location": f"s3://{BUCKET}/processed/{name}/",
        },
    } | parts
    status, _, body = glue._create_table({"DatabaseName": "music", "TableInput": table})
    assert status == 200, body


def rows(sql: str) -> list[list[str | None]]:
    result, _ = run_query(sql, "music")
    found: list[list[str | None]] = result["rows"]
    return found


def day(table: str, number: int) -> str:
    return f"processed/{table}/year=2026/month=11/day={number:02}/list.parquet"


def test_an_empty_table_has_its_columns() -> None:
    create_table("songs", {"position": "bigint", "track_name": "string"})
    result, scanned = run_query("SELECT * FROM songs", "music")
    assert result["columns"] == ["position", "track_name", "year", "month", "day"]
    assert result["column_types"] == ["bigint", "varchar", "varchar", "varchar", "varchar"]
    assert result["rows"] == []
    assert scanned == 0


def test_a_column_that_a_file_lacks_is_null_and_one_that_the_table_lacks_is_not_there() -> None:
    create_table("songs", {"position": "bigint", "isrc": "string"})
    put_parquet(day("songs", 15), position=[1], surprise=["x"])
    put_parquet(day("songs", 22), position=[2], isrc=["GB"])
    assert rows("SELECT * FROM songs ORDER BY position") == [
        ["1", None, "2026", "11", "15"],
        ["2", "GB", "2026", "11", "22"],
    ]
    with pytest.raises(UnsupportedSqlError, match="surprise"):
        rows("SELECT surprise FROM songs")


def test_values_have_the_types_of_the_table() -> None:
    create_table(
        "songs", {"position": "bigint", "extracted_at": "timestamp", "release_on": "date", "loudness": "double"}
    )
    put_parquet(
        day("songs", 22),
        position=pa.array([1], pa.int32()),
        extracted_at=pa.array([1_795_330_800_123_456], pa.timestamp("us")),
        release_on=pa.array([20_000], pa.date32()),
        loudness=pa.array([-5], pa.int64()),
    )
    result, _ = run_query("SELECT position, extracted_at, release_on, loudness FROM songs", "music")
    assert result["column_types"] == ["bigint", "timestamp", "date", "double"]
    assert result["rows"] == [["1", "2026-11-22 07:00:00.123", "2024-10-04", "-5.0"]]


def test_partition_keys_are_text_as_the_catalog_has_it() -> None:
    create_table("songs", {"position": "bigint"})
    put_parquet("processed/songs/year=2026/month=01/day=05/list.parquet", position=[1])
    assert rows("SELECT month || '-' || day FROM songs") == [["01-05"]]
    with pytest.raises(UnsupportedSqlError, match="TYPE_MISMATCH"):
        rows("SELECT * FROM songs WHERE month = 1")


def test_the_partitions_of_the_catalog_are_read_where_they_lie_and_nothing_else_is() -> None:
    create_table("receipts", {"entries": "bigint"}, classification="json")
    glue._tables["music/receipts"]["PartitionKeys"] = [{"Name": "kind", "Type": "string"}, *PARTITION_KEYS]
    for entries, kind in enumerate(("spotify", "charts", "elsewhere")):
        folder = f"processed/receipts/{kind}/year=2026/month=11/day=22"
        put(f"{folder}/a.json", json.dumps({"entries": entries}).encode(), registered=False)
        if kind != "elsewhere":
            register("receipts", kind, "2026", "11", "22", location=folder)
    register("receipts", "charts", "2026", "11", "29", location="processed/receipts/charts/a-day-without-objects")

    assert rows("SELECT entries, kind, day FROM receipts ORDER BY entries") == [
        ["0", "spotify", "22"],
        ["1", "charts", "22"],
    ]
    assert rows("SELECT entries FROM receipts WHERE kind = 'charts'") == [["1"]]


def test_projected_partitions_are_refused_with_what_to_do() -> None:
    create_table("songs", {"position": "bigint"}, Parameters={"projection.enabled": "true"})

    with pytest.raises(UnsupportedSqlError, match="NOT_SUPPORTED: partition projection, as of songs; register part"):
        rows("SELECT * FROM songs")


def test_json_lines_are_read_with_the_types_of_the_table() -> None:
    create_table(
        "receipts",
        {"isrc": "string", "entries": "bigint", "skipped": "string", "at": "timestamp"},
        classification="json",
    )
    lines = [
        {"isrc": "000123", "entries": 3, "skipped": {"episode": 1}, "at": "2026-11-22T07:00:00Z"},
        {"isrc": None, "entries": 4},
    ]
    put("processed/receipts/year=2026/month=11/day=22/a.json", "\n".join(map(json.dumps, lines)).encode())
    assert rows("SELECT isrc, entries, skipped, at FROM receipts ORDER BY entries") == [
        ["000123", "3", '{"episode":1}', "2026-11-22 07:00:00.000"],
        [None, "4", None, None],
    ]


@pytest.mark.parametrize(
    "where",
    [
        "day = '15'",
        "s.day >= '15' AND s.month = '11' AND s.day < '22'",
        "day IN ('15', '16') AND position > 0",
        "day BETWEEN '10' AND '20'",
        "NOT (day = '8' OR day = '22' OR day < '10')",
        "concat(year, '-', month, '-', day) = date_format(date_add('day', -7, DATE '2026-11-22'), '%Y-%m-%d')",
    ],
)
def test_only_the_partitions_that_the_query_asks_for_are_read(where: str) -> None:
    create_table("songs", {"position": "bigint"})
    sizes = {number: put_parquet(day("songs", number), position=[number]) for number in (8, 15, 22)}
    result, scanned = run_query(f"SELECT position FROM songs s WHERE {where}", "music")
    assert result["rows"] == [["15"]]
    assert scanned == sizes[15]


@pytest.mark.parametrize(
    "where", ["position = 15", "day = '15' OR position = 15", "day = (SELECT min(day) FROM songs)"]
)
def test_all_partitions_are_read_when_the_keys_alone_do_not_decide(where: str) -> None:
    create_table("songs", {"position": "bigint"})
    sizes = [put_parquet(day("songs", number), position=[number]) for number in (15, 22)]
    result, scanned = run_query(f"SELECT position FROM songs WHERE {where}", "music")
    assert result["rows"] == [["15"]]
    assert scanned == sum(sizes)


def test_pruning_keeps_what_another_reference_to_the_table_needs() -> None:
    create_table("songs", {"position": "bigint"})
    for number in (15, 22):
        put_parquet(day("songs", number), position=[number])
    joined = (
        "SELECT a.position, b.position FROM songs a JOIN songs b ON a.year = b.year WHERE a.day = '15' AND b.day = '22'"
    )
    assert rows(joined) == [["15", "22"]]
    assert rows("SELECT (SELECT count(*) FROM songs) FROM songs WHERE day = '15'") == [["2"]]


def test_pruning_never_changes_an_outer_join() -> None:
    create_table("songs", {"position": "bigint"})
    create_table("albums", {"position": "bigint"})
    put_parquet(day("songs", 15), position=[1])
    put_parquet(day("albums", 22), position=[1])
    assert rows("SELECT s.position FROM songs s LEFT JOIN albums a ON s.position = a.position WHERE a.day = '15'") == []
    assert rows("SELECT s.position FROM songs s LEFT JOIN albums a ON s.position = a.position AND a.day = '15'") == [
        ["1"]
    ]


@pytest.fixture
def two_days() -> dict[int, int]:
    """Songs and albums of the days 15 and 22, position as the day; the bytes of both tables by day."""
    create_table("songs", {"position": "bigint"})
    create_table("albums", {"position": "bigint"})
    return {d: sum(put_parquet(day(table, d), position=[d]) for table in ("songs", "albums")) for d in (15, 22)}


ON = "s.year = a.year AND s.month = a.month AND s.day = a.day"


@pytest.mark.parametrize(
    "sql",
    [
        f"SELECT s.position FROM songs s JOIN albums a ON {ON} WHERE s.day = '15'",
        f"SELECT s.position FROM songs s JOIN albums a ON {ON} AND a.day = '15'",
        f"SELECT s.position FROM songs s LEFT JOIN albums a ON {ON} WHERE s.day = '15'",
        (
            f"WITH both AS (SELECT s.position, s.day FROM songs s JOIN albums a ON {ON}) "
            "SELECT position FROM both WHERE day = '15'"
        ),
        (
            f"SELECT max(position) FROM (SELECT s.position, concat('d', s.day) d FROM songs s JOIN albums a ON {ON}) "
            "WHERE d = 'd15'"
        ),
        (
            f"SELECT n FROM (SELECT s.day, max(s.position) n FROM songs s JOIN albums a ON {ON} GROUP BY s.day) "
            "WHERE day = '15'"
        ),
        (
            f"SELECT p FROM (SELECT s.day, max(s.position) OVER (PARTITION BY s.day) AS p FROM songs s "
            f"JOIN albums a ON {ON}) WHERE day = '15'"
        ),
    ],
)
def test_partitions_are_pruned_through_joins_queries_groups_and_windows(two_days: dict[int, int], sql: str) -> None:
    result, scanned = run_query(sql, "music")
    assert result["rows"] == [["15"]]
    assert scanned == two_days[15]


@pytest.mark.parametrize(
    ("column", "where"),
    [
        ("CAST(day AS integer) - 1", "40 - told > 25"),
        ("day < '10' OR day < '20'", "told IS NOT NULL AND told"),
        ("day > '20' OR day < '10'", "told = false"),
        ("NOT day = '15'", "told = false"),
    ],
)
def test_a_column_that_is_computed_from_the_keys_is_pushed_down_as_a_whole(
    two_days: dict[int, int], column: str, where: str
) -> None:
    result, scanned = run_query(f"SELECT position FROM (SELECT *, {column} AS told FROM songs) WHERE {where}", "music")
    assert result["rows"] == [["15"]]
    assert scanned < two_days[15]


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        (
            f"SELECT n FROM (SELECT s.day, count(*) OVER () AS n FROM songs s JOIN albums a ON {ON}) WHERE day = '15'",
            "2",
        ),
        (
            f"SELECT day FROM (SELECT max(s.day) AS day FROM songs s JOIN albums a ON {ON}) WHERE day > '15'",
            "22",
        ),
        (
            (
                f"SELECT day FROM (SELECT s.day FROM songs s JOIN albums a ON {ON} ORDER BY 1 DESC LIMIT 1) "
                "WHERE day > '15'"
            ),
            "22",
        ),
        (f"SELECT s.day FROM songs s LEFT JOIN albums a ON {ON} WHERE coalesce(a.day, '-') = '22'", "22"),
        (f"SELECT max(s.day) FROM songs s FULL JOIN albums a ON {ON} WHERE s.day > '15'", "22"),
    ],
)
def test_all_partitions_are_read_where_a_term_may_not_be_pushed_down(
    two_days: dict[int, int], sql: str, expected: str
) -> None:
    result, scanned = run_query(sql, "music")
    assert result["rows"] == [[expected]]
    assert scanned == sum(two_days.values())


def test_pruning_reaches_through_a_view() -> None:
    create_table("songs", {"position": "bigint"})
    sizes = {number: put_parquet(day("songs", number), position=[number]) for number in (15, 22)}
    run_query("CREATE VIEW dated AS SELECT position, try_cast(day AS integer) AS d FROM songs", "music")
    run_query("CREATE VIEW further AS SELECT * FROM dated", "music")
    result, scanned = run_query("SELECT position FROM further WHERE d BETWEEN 10 AND 20", "music")
    assert result["rows"] == [["15"]]
    assert scanned == sizes[15]


def test_a_query_that_was_asked_before_follows_the_catalog() -> None:
    # given a query through a view, which is translated once
    create_table("songs", {"position": "bigint"})
    put_parquet(day("songs", 15), position=[1], isrc=["GB"])
    run_query("CREATE VIEW listed AS SELECT * FROM songs WHERE day = '15'", "music")
    assert rows("SELECT * FROM listed") == [["1", "2026", "11", "15"]]

    # when the table gets a column, then the view has to be made anew
    glue._tables["music/songs"]["StorageDescriptor"]["Columns"].append({"Name": "isrc", "Type": "string"})
    with pytest.raises(UnsupportedSqlError, match=r"VIEW_IS_STALE: View 'listed' .* re-created"):
        rows("SELECT * FROM listed")
    run_query("CREATE OR REPLACE VIEW listed AS SELECT * FROM songs WHERE day = '15'", "music")
    assert rows("SELECT * FROM listed") == [["1", "GB", "2026", "11", "15"]]

    # when the view is replaced, then it is the new one
    run_query("CREATE OR REPLACE VIEW listed AS SELECT position + 1 AS next FROM songs", "music")
    assert rows("SELECT * FROM listed") == [["2"]]

    # when it is dropped, then it is gone
    run_query("DROP VIEW listed", "music")
    with pytest.raises(UnsupportedSqlError, match="TABLE_NOT_FOUND"):
        rows("SELECT * FROM listed")


def test_lists_are_unnested_side_by_side_and_numbered() -> None:
    unnested = "UNNEST(ARRAY['a', 'b'], ARRAY[7]) WITH ORDINALITY AS t (x, y, n)"
    assert rows(f"SELECT x, y, n FROM (VALUES 1) AS s (a) CROSS JOIN {unnested} ORDER BY n") == [
        ["a", "7", "1"],
        ["b", None, "2"],
    ]
    assert rows("SELECT x FROM (VALUES 1) s (a) CROSS JOIN UNNEST(ARRAY[1], ARRAY[2]) AS t (x, y)") == [["1"]]


def test_hidden_objects_are_not_read() -> None:
    create_table("songs", {"position": "bigint"})
    put_parquet(day("songs", 15), position=[1])
    put(f"{day('songs', 15).rpartition('/')[0]}/_temporary/rest.parquet", b"torn", registered=False)
    assert rows("SELECT position FROM songs") == [["1"]]


@pytest.mark.parametrize(
    "name", ["songs", "SONGS", "music.songs", 'awsdatacatalog.music."songs"', '"AwsDataCatalog"."music"."songs"']
)
def test_a_table_is_found_under_each_of_its_names(name: str) -> None:
    create_table("songs", {"position": "bigint"})
    put_parquet(day("songs", 15), position=[1])
    assert rows(f"SELECT count(*) FROM {name}") == [["1"]]


def test_a_view_keeps_its_query_and_is_told_apart_from_tables() -> None:
    create_table("artists", {"artist_id": "string", "genres": "string", "extracted_at": "timestamp"})
    put_parquet(
        day("artists", 22),
        artist_id=["a", "b"],
        genres=['["pop","rock"]', "[]"],
        extracted_at=pa.array([0, 0], pa.timestamp("us")),
    )
    rows(
        "CREATE OR REPLACE VIEW artist_genres AS SELECT artist_id, genre, extracted_at FROM artists "
        "CROSS JOIN UNNEST(CAST(json_parse(genres) AS array(varchar))) AS t(genre)"
    )
    assert rows("SELECT artist_id, genre FROM artist_genres ORDER BY genre") == [["a", "pop"], ["a", "rock"]]
    stored = glue._tables["music/artist_genres"]
    assert stored["TableType"] == "VIRTUAL_VIEW"
    assert stored["StorageDescriptor"]["Columns"] == [
        {"Name": "artist_id", "Type": "string"},
        {"Name": "genre", "Type": "string"},
        {"Name": "extracted_at", "Type": "timestamp"},
    ]
    with pytest.raises(UnsupportedSqlError, match="VIEW_NOT_FOUND"):
        rows("DROP VIEW artists")
    with pytest.raises(UnsupportedSqlError, match="MISSING_COLUMN_NAME: Column name not specified at position 2"):
        rows("CREATE VIEW counted AS SELECT genres, count(*) FROM artists GROUP BY genres")
    with pytest.raises(UnsupportedSqlError, match="is a table, no view"):
        rows("CREATE OR REPLACE VIEW artists AS SELECT 1 AS n")
    rows("DROP VIEW artist_genres")
    assert "music/artist_genres" not in glue._tables


def test_a_view_that_a_template_declared_is_read() -> None:
    create_table("songs", {"position": "bigint"})
    put_parquet(day("songs", 15), position=[1])
    definition = {
        "originalSql": "SELECT position + 1 AS next FROM songs",
        "catalog": "awsdatacatalog",
        "schema": "music",
        "columns": [],
    }
    text = f"/* Presto View: {base64.b64encode(json.dumps(definition).encode()).decode()} */"
    create_table(
        "following",
        {},
        TableType="VIRTUAL_VIEW",
        ViewOriginalText=text,
        PartitionKeys=[],
        StorageDescriptor={"Columns": [{"Name": "next", "Type": "bigint"}]},
    )
    assert rows("SELECT next FROM following") == [["2"]]


def test_queries_reach_no_other_file_of_the_machine() -> None:
    with pytest.raises(duckdb.PermissionException, match="disabled by configuration"):
        rows("SELECT content FROM read_text('/etc/hostname')")


@pytest.fixture
def rights() -> dict[str, Any]:
    """The statement that allows the crawler's role what it may do."""
    return {"Effect": "Allow", "Action": ["s3:*", "glue:*"], "Resource": "*"}


@pytest.fixture
def crawl(rights: dict[str, Any]) -> Iterator[Callable[[], None]]:
    settings = {
        "Name": "crawler",
        "Role": "arn:aws:iam::000000000000:role/crawler",
        "DatabaseName": "music",
        "TablePrefix": "",
        "Targets": {"S3Targets": [{"Path": f"s3://{BUCKET}/processed/"}]},
    }
    trust = {"Effect": "Allow", "Principal": {"Service": "glue.amazonaws.com"}, "Action": "sts:AssumeRole"}
    iam._roles["crawler"] = {
        "AssumeRolePolicyDocument": {"Statement": [trust]},
        "InlinePolicies": {"crawl": {"Statement": [rights]}},
    }
    yield lambda: crawler.crawl(settings)
    iam.reset()


@pytest.mark.parametrize(
    ("right", "lacks"),
    [
        ({"Action": "glue:*"}, f"s3:ListBucket on arn:aws:s3:::{BUCKET}"),
        ({"Condition": {"StringEquals": {"s3:prefix": "raw/"}}}, f"s3:ListBucket on arn:aws:s3:::{BUCKET}"),
        ({"Action": "s3:*"}, "glue:GetTables on arn:aws:glue:us-east-1:000000000000:catalog"),
    ],
)
def test_the_crawler_does_nothing_that_its_role_may_not(
    crawl: Callable[[], None], rights: dict[str, Any], right: dict[str, Any], lacks: str
) -> None:
    rights |= right
    create_table("songs", {"position": "bigint"})
    put_parquet(day("songs", 15), registered=False, position=[1])
    with pytest.raises(ValueError, match=f"role/crawler may not call {lacks}: allow it"):
        crawl()
    assert "music/songs" not in glue._partitions


def test_the_crawler_adds_partitions_to_a_known_table_and_leaves_its_columns(crawl: Callable[[], None]) -> None:
    create_table("songs", {"position": "bigint"})
    put_parquet(day("songs", 15), registered=False, position=["text"], surprise=["x"])
    put_parquet(day("songs", 22), registered=False, position=["text"])
    crawl()
    crawl()
    table = glue._tables["music/songs"]
    assert table["StorageDescriptor"]["Columns"] == [{"Name": "position", "Type": "bigint"}]
    partitions = glue._partitions["music/songs"]
    assert [p["Values"] for p in partitions] == [["2026", "11", "15"], ["2026", "11", "22"]]
    assert partitions[0]["StorageDescriptor"]["Location"] == f"s3://{BUCKET}/processed/songs/year=2026/month=11/day=15/"


def test_the_crawler_creates_an_unknown_table_from_its_files(crawl: Callable[[], None]) -> None:
    put_parquet(day("moods", 15), Track_Id=["a"], valence=[0.5], tags=[["x"]], at=pa.array([0], pa.timestamp("us")))
    put_parquet(day("moods", 22), Track_Id=["b"], valence=[0.7], score=pa.array([1], pa.int32()))
    crawl()
    table = glue._tables["music/moods"]
    assert table["PartitionKeys"] == PARTITION_KEYS
    assert table["StorageDescriptor"]["Columns"] == [
        {"Name": "track_id", "Type": "string"},
        {"Name": "valence", "Type": "double"},
        {"Name": "tags", "Type": "array<string>"},
        {"Name": "at", "Type": "timestamp"},
        {"Name": "score", "Type": "int"},
    ]
    assert rows("SELECT track_id, tags, score, day FROM moods ORDER BY day") == [
        ["a", "[x]", None, "15"],
        ["b", None, "1", "22"],
    ]


def test_csv_is_read_as_opencsvserde_does_by_the_places_of_its_columns() -> None:
    storage = {
        "Columns": [{"Name": name, "Type": "string"} for name in ("first", "second", "third")],
        "Location": f"s3://{BUCKET}/list/",
        "SerdeInfo": {"SerializationLibrary": "org.apache.hadoop.hive.serde2.OpenCSVSerde"},
    }
    parameters = {"classification": "csv", "skip.header.line.count": "1"}
    create_table("list", {}, PartitionKeys=[], Parameters=parameters, StorageDescriptor=storage)
    assert rows("SELECT * FROM list") == []

    put("list/list.csv", b'c,b,a\n"a ""b"", c",,d\ne,f\n')

    assert rows("SELECT * FROM list ORDER BY first") == [['a "b", c', "", "d"], ["e", "f", None]]


def test_csv_of_another_serde_is_refused() -> None:
    create_table("plain", {"a": "string"}, classification="csv")
    put(day("plain", 22), b"1\n")

    with pytest.raises(UnsupportedSqlError, match="by OpenCSVSerDe, csv"):
        rows("SELECT * FROM plain")
