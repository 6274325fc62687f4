"""Rows are read once for each version of an object, and are those of the objects whatever others do meanwhile."""

import json
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import pyarrow as pa
import pytest
from ministack.services import glue, s3

from infra.local.emulator import athena
from infra.local.emulator.rows import ObjectVersion, RowCache

BUCKET = "lake"


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """A lake with a table of numbers; tells the keys of the objects that were read."""
    s3._create_bucket(BUCKET, b"", {})
    glue._create_database({"DatabaseInput": {"Name": "music"}})
    storage = {"Columns": [{"Name": "n", "Type": "bigint"}], "Location": f"s3://{BUCKET}/numbers/"}
    table = {"Name": "numbers", "Parameters": {"classification": "json"}, "StorageDescriptor": storage}
    glue._create_table({"DatabaseName": "music", "TableInput": table})
    keys: list[str] = []
    plain = s3._read_body

    def counted(bucket: str, key: str, record: Mapping[str, Any]) -> bytes:
        keys.append(key)
        body: bytes = plain(bucket, key, record)
        return body

    monkeypatch.setattr(s3, "_read_body", counted)
    monkeypatch.setattr(athena, "row_cache", RowCache(athena.MOST_ROW_BYTES))
    yield keys
    glue.reset()
    s3.reset()


def put(name: str, *numbers: int) -> None:
    data = "\n".join(json.dumps({"n": number}) for number in numbers).encode()
    s3._put_object(BUCKET, f"numbers/{name}.json", data, {"content-length": str(len(data))})


def remove(name: str) -> None:
    s3._delete_object(BUCKET, f"numbers/{name}.json", {})


def numbers() -> list[int]:
    result, _ = athena.run_query("SELECT n FROM numbers ORDER BY n", "music")
    return [int(row[0]) for row in result["rows"]]


def test_an_object_is_read_once_for_each_of_its_versions(read: list[str]) -> None:
    put("a", 1, 2)
    put("b", 3)
    assert numbers() == [1, 2, 3]
    assert numbers() == [1, 2, 3]
    assert read == ["numbers/a.json", "numbers/b.json"]

    put("b", 4)
    assert numbers() == [1, 2, 4]
    remove("a")
    assert numbers() == [4]
    put("a", 1, 2)
    assert numbers() == [1, 2, 4]
    assert read == ["numbers/a.json", "numbers/b.json", "numbers/b.json"]


def test_an_object_without_rows_has_none(read: list[str]) -> None:
    put("a")
    put("b", 1)

    assert numbers() == [1]
    assert numbers() == [1]


def test_another_column_in_the_catalog_is_read_anew(read: list[str]) -> None:
    put("a", 1)
    assert numbers() == [1]
    columns = [{"Name": "n", "Type": "string"}]
    storage = {"Columns": columns, "Location": f"s3://{BUCKET}/numbers/"}
    table = {"Name": "numbers", "Parameters": {"classification": "json"}, "StorageDescriptor": storage}
    glue._update_table({"DatabaseName": "music", "TableInput": table})

    result, _ = athena.run_query("SELECT n FROM numbers", "music")

    assert (result["column_types"], result["rows"]) == (["varchar"], [["1"]])


@pytest.mark.slow
def test_a_query_sees_the_lake_of_one_moment_while_others_write_and_remove(read: list[str]) -> None:
    # given two objects that are always replaced by ones that hold one number more than the other
    put("steady", -1)
    over = Event()

    def disturb(name: str) -> None:
        number = 0
        while not over.is_set():
            put(name, number, number)
            number += 1
            if not number % 7:
                remove(name)

    with ThreadPoolExecutor(6) as pool:
        disturbers = [pool.submit(disturb, name) for name in ("x", "y")]
        askers = [pool.submit(lambda: [numbers() for _ in range(10)]) for _ in range(3)]
        answers = [answer for asker in askers for answer in asker.result()]
        over.set()
        for each in disturbers:
            each.result()

    # then each answer has whole objects: what one holds stands twice, and what nobody touched is always there
    assert len(answers) == 30
    for answer in answers:
        assert answer[0] == -1
        pairs = answer[1:]
        assert len(pairs) in {0, 2, 4}
        assert pairs[::2] == pairs[1::2]


def test_rows_that_were_asked_for_longest_ago_go_when_there_are_too_many() -> None:
    table = pa.table({"n": range(1000)})
    cache = RowCache(most_bytes=2 * table.nbytes)
    asked: list[str] = []

    def rows(*names: str) -> list[pa.Table]:
        def read(missing: Sequence[ObjectVersion]) -> dict[ObjectVersion, pa.Table]:
            asked.extend(each.key for each in missing)
            return dict.fromkeys(missing, table)

        return cache.rows("n", [ObjectVersion(BUCKET, name, "1") for name in names], read)

    rows("a", "b")
    rows("a")
    rows("c")
    rows("a", "c")
    assert asked == ["a", "b", "c"]
    rows("b")
    assert asked == ["a", "b", "c", "b"]

    # and what is too much for it altogether is answered all the same
    assert len(rows("a", "b", "c", "d")) == 4
