"""Rows are read once for each version of an object, and are those of the objects whatever others do meanwhile."""

import json
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import duckdb
import pytest
from ministack.services import glue, s3

from infra.local.emulator import athena
from infra.local.emulator.rows import ObjectVersion, Query, Reading, RowStore

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
    monkeypatch.setattr(athena, "rows", athena.row_store())
    yield keys
    glue.reset()
    s3.reset()


def put(name: str, *numbers: int) -> None:
    put_lines(name, "\n".join(json.dumps({"n": number}) for number in numbers))


def put_lines(name: str, text: str) -> None:
    data = text.encode()
    s3._put_object(BUCKET, f"numbers/{name}.json", data, {"content-length": str(len(data))})


def remove(name: str) -> None:
    s3._delete_object(BUCKET, f"numbers/{name}.json", {})


def numbers() -> list[int | None]:
    result, _ = athena.run_query("SELECT n FROM numbers ORDER BY n", "music")
    return [row[0] and int(row[0]) for row in result["rows"]]


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
    assert numbers() == []

    put("b", 1)
    assert numbers() == [1]
    assert numbers() == [1]


def test_a_line_is_of_its_object_wherever_others_are_blank_or_have_no_end(read: list[str]) -> None:
    put_lines("a", '{"n": 1}\n\n  \n{"n": 2}')
    put_lines("b", "\n")
    put_lines("c", '\r\n{"n": 3}\r\n{"m": 0}\r\n')
    put_lines("d", '{"n": 4}\n{"n": 5}\n')
    assert numbers() == [1, 2, 3, 4, 5, None]

    remove("c")
    assert numbers() == [1, 2, 4, 5]
    put_lines("d", '{"n": 6}')
    assert numbers() == [1, 2, 6]


@pytest.mark.parametrize("line", ['{"n": 1', "1", "[]", '[{"n": 1}, {"n": 2}]', '{"n": 1} {"n": 2}', '{"n": 1},'])
def test_what_is_no_line_of_json_fails_the_query_and_shifts_no_other(read: list[str], line: str) -> None:
    put("a", 1)
    put_lines("b", f'{{"n": 2}}\n{line}\n{{"n": 3}}')
    put("c", 4)

    with pytest.raises(duckdb.InvalidInputException, match="JSON"):
        numbers()

    remove("b")
    assert numbers() == [1, 4]


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


def test_more_rows_than_are_kept_are_answered_all_the_same(read: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(athena, "rows", athena.row_store(most_rows=3))
    put("a", 1, 2)
    assert (numbers(), numbers()) == ([1, 2], [1, 2])
    assert read == ["numbers/a.json"]

    # what is too much is read again, and all of it at once
    put("b", 3, 4)
    assert numbers() == [1, 2, 3, 4]
    assert read == ["numbers/a.json", "numbers/b.json"]
    assert numbers() == [1, 2, 3, 4]
    assert read == ["numbers/a.json", "numbers/b.json"] * 2


def test_what_was_asked_for_longest_ago_goes_first_and_nothing_that_a_query_is_reading() -> None:
    store = RowStore(most_rows=2)
    asked: list[str] = []

    def rows(query: Query, columns: str) -> list[tuple[int]]:
        def read(numbers: Mapping[ObjectVersion, int]) -> Reading:
            asked.append(columns)
            return Reading({}, f'SELECT 1 AS {columns}, ?::BIGINT AS "$object" FROM range(2)', [*numbers.values()])

        objects = [ObjectVersion(BUCKET, "object", "1")]
        return query.session.sql(query.rows(f"SELECT 0 AS {columns} WHERE false", objects, read)).fetchall()

    with store.query() as query:
        assert rows(query, "a") == [(1,), (1,)]
        with store.query() as another:
            assert rows(another, "b") == [(1,), (1,)]
        assert rows(query, "a") == [(1,), (1,)]
    with store.query() as query:
        assert rows(query, "a") == [(1,), (1,)]
    assert asked == ["a", "b"]
    with store.query() as query:
        assert rows(query, "b") == [(1,), (1,)]
    assert asked == ["a", "b", "b"]


def test_rows_beyond_the_memory_are_on_the_disk() -> None:
    store = RowStore(10_000_000, most_memory="20MB")

    def read(numbers: Mapping[ObjectVersion, int]) -> Reading:
        select = 'SELECT random() AS n, ?::BIGINT AS "$object" FROM range(3_000_000)'
        return Reading({}, select, [*numbers.values()])

    with store.query() as query:
        select = query.rows("SELECT 0e0 AS n WHERE false", [ObjectVersion(BUCKET, "object", "1")], read)
        assert query.session.sql(f"SELECT count(*) FROM ({select}) WHERE n < 1").fetchall() == [(3_000_000,)]
