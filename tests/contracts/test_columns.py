"""From one row model come columns, catalog and JSON schema."""

import json
from pathlib import Path
from typing import Annotated, Any

import pytest
from pydantic import Field

from contracts.columns import Column, ColumnType, columns
from contracts.fields import Count, Text
from contracts.json_schema import (
    BreakingChangeError,
    breaking_changes,
    json_schema,
    schema_path,
    write_schemas,
)
from contracts.tables import OPERATIONS, TABLES, Row, Table

ALL = [*TABLES.values(), *OPERATIONS.values()]


class Model(Row):
    plays: Annotated[Count | None, Field(description="How often")]


def test_a_field_becomes_a_column_with_type_nullability_and_comment() -> None:
    assert columns(Model)[-1] == Column("plays", ColumnType.INTEGER, nullable=True, comment="How often")


def test_every_row_begins_with_where_it_comes_from() -> None:
    for table in ALL:
        names = [column.name for column in columns(table.row)]
        of_playlist = [] if table.kind == "charts" else ["playlist_id"]
        assert names[: 3 + len(of_playlist)] == ["snapshot_date", *of_playlist, "run_id", "extracted_at"]
        assert {*table.key, *table.snapshot} <= {*names}


def test_a_field_without_description_or_of_another_type_is_refused() -> None:
    class Undescribed(Row):
        plays: Count

    class Listed(Row):
        plays: Annotated[list[Text], Field(description="A list")]

    with pytest.raises(TypeError, match="plays has no description"):
        columns(Undescribed)
    with pytest.raises(TypeError, match="use one of"):
        columns(Listed)


@pytest.mark.parametrize("table", ALL, ids=lambda table: table.name)
def test_the_committed_schema_is_that_of_the_model(table: Table[Any]) -> None:
    committed = json.loads(schema_path(table).read_text("utf-8"))

    assert breaking_changes(committed, json_schema(table)) == []
    assert committed == json_schema(table), "run `make generate`"


def test_a_change_that_breaks_readers_is_refused_unless_the_version_says_so(tmp_path: Path) -> None:
    # given a committed schema with a column that the model lacks and one of another type
    songs = TABLES["songs"]
    committed = json_schema(songs)
    committed["properties"]["mood"] = {"type": "string", "x-glue-type": "string"}
    committed["properties"]["popularity"]["x-glue-type"] = "double"
    path = tmp_path / schema_path(songs).name
    path.write_text(json.dumps(committed))

    # when the schemas are written
    with pytest.raises(BreakingChangeError) as refusal:
        write_schemas(tmp_path)

    # then nothing is overwritten, and the refusal names both and the way out
    assert "column mood was dropped or renamed" in str(refusal.value)
    assert "column popularity was retyped from double to bigint" in str(refusal.value)
    assert "raise the version in contracts/tables/songs.py to 2" in str(refusal.value)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_a_new_column_breaks_nobody(tmp_path: Path) -> None:
    songs = TABLES["songs"]
    committed = json_schema(songs)
    del committed["properties"]["popularity"]
    (tmp_path / schema_path(songs).name).write_text(json.dumps(committed))

    write_schemas(tmp_path)

    assert json.loads((tmp_path / schema_path(songs).name).read_text("utf-8")) == json_schema(songs)
