"""Small lakes in the memory of this process, asked as Athena is asked."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache
from typing import Any

import pytest
from ministack.services import glue, s3

from analytics.athena import Answer
from analytics.sql import queries, views
from contracts.columns import columns
from contracts.rows import Rows
from contracts.tables import OPERATIONS, TABLES, Table
from contracts.watch_list import watch_entry, write_watch_list
from infra.catalog import declared_tables
from infra.deploying.stacks import CATALOG, template
from infra.local.emulator import athena, trino
from shared import parquet
from shared.lake import CHARTS, PLAYLISTS, WATCH_LIST, Partition, SnapshotKey, table_prefix
from tests.once import once
from tests.rows import row_of

encode = once(parquet.encode)

DATABASE = "label"
BUCKET = "lake"
TODAY = date(2026, 11, 25)
NOTHING_ELSE = dict.fromkeys(("episode_entries", "null_entries", "unknown_entries", "rejected_entries"), 0)
"""Of a snapshot whose entries are all tracks."""


@dataclass
class Lake:
    """A lake with all tables and views and no rows."""

    read: list[str] = field(default_factory=list)
    """The keys that queries have read."""

    def __post_init__(self) -> None:
        s3._create_bucket(BUCKET, b"", {})
        for name, declared in _catalog().items():
            glue._tables[name] = declared

    def put(self, table: str, day: str, playlist: str, *rows: Mapping[str, Any]) -> None:
        """Rows of a snapshot; what they leave out is NULL, or anything where it must not be."""
        kind = CHARTS if table == "charts" else PLAYLISTS
        key = SnapshotKey(date.fromisoformat(day), playlist, kind)
        known: dict[str, Any] = {"snapshot_date": day, "playlist_id": playlist}
        if table == "playlist_metadata":
            known |= NOTHING_ELSE
        if table in TABLES:
            contract = TABLES[table]
            body = encode(
                contract, Rows.of(contract, (row_of(contract, nulls=True) | known | dict(row) for row in rows))
            )
            self._store(key.parquet(table), body)
        else:
            lines = [json.dumps(known | dict(row)) for row in rows]
            self._store(key.quarantine(rows[0]["table_name"]), "\n".join(lines).encode())

    def chart(
        self,
        day: str,
        playlist: str,
        tracks: str,
        *,
        outcome: str = "ok",
        metadata: Mapping[str, Any] | None = None,
        isrcs: Mapping[str, str] | None = None,
        **of_all: Any,
    ) -> None:
        """A snapshot of tracks that are named by letters, the top first; each is by the artist of the same letter.

        In place of a letter, `-` is a null entry and `x` one that songs rejected.
        """
        entries = list(enumerate(tracks.split(), 1))
        nulls = [place for place, track in entries if track == "-"]
        told = {"outcome": outcome, "track_entries": len(entries) - len(nulls), "null_entries": len(nulls)}
        self.put("playlist_metadata", day, playlist, told | {"playlist_name": playlist.title(), **(metadata or {})})
        self.put(
            "songs",
            day,
            playlist,
            *(song(track, at, isrc=(isrcs or {}).get(track)) | of_all for at, track in entries if track.isupper()),
        )

    def ranking(self, last_day: str, region: str, tracks: str, **fields: Any) -> None:
        """A weekly Spotify chart of tracks that are named by letters, the top first; `-` is a rank that it leaves out.

        A number after a letter is how many thousand times it was streamed: `A9 B7 - C1`.
        """
        told = {
            "source": "spotify_charts",
            "chart_id": f"regional-{region.lower()}-weekly",
            "region": region,
            "frequency": "weekly",
            "period_start": date.fromisoformat(last_day) - timedelta(days=6),
            "period_end": date.fromisoformat(last_day),
            "metric_name": "streams",
        } | fields
        entries = [(at, entry[0], entry[1:]) for at, entry in enumerate(tracks.split(), 1) if entry != "-"]
        rows = [
            {
                "position": position,
                "spotify_track_id": track,
                "title": f"Song {track}",
                "artist_credit": f"{track}, The Artist",
                "metric_value": 1000 * int(thousands) if thousands else None,
            }
            | told
            for position, track, thousands in entries
        ]
        self.put("charts", last_day, f"{told['source']}-{told['chart_id']}", *rows)

    def watch(self, **values: Iterable[str]) -> None:
        """Values by the type of their entries, which take the place of the watch list."""
        entries = [watch_entry(type_, value) for type_, of_type in values.items() for value in of_type]
        self._store(WATCH_LIST, write_watch_list(entries))

    def ask(self, query: str, **given: str) -> list[tuple[Any, ...]]:
        """The answer of a named query, with numbers and days as such."""
        found = queries()[query]
        return self.select(found.text, found.execution_parameters(given, TODAY))

    def select(self, sql: str, parameters: Sequence[str] = ()) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in self.answer(sql, parameters).values()]

    def answer(self, sql: str, parameters: Sequence[str] = ()) -> Answer:
        """What Athena answers."""
        result, _ = athena.run_query(trino.bind(sql, parameters), DATABASE)
        rows = tuple(tuple(row) for row in result["rows"])
        return Answer(tuple(result["columns"]), tuple(result["column_types"]), rows)

    def _store(self, key: str, body: bytes) -> None:
        s3._put_object(BUCKET, key, body, {"content-length": str(len(body))})
        if partition := Partition.of(key):
            stored = {"Location": f"s3://{BUCKET}/{partition.folder}"}
            created = {"Values": [*partition.values], "StorageDescriptor": stored}
            glue._batch_create_partition(
                {"DatabaseName": DATABASE, "TableName": partition.table, "PartitionInputList": [created]}
            )


@contextmanager
def lake_that_tells_what_is_read() -> Iterator[Lake]:
    """A lake that nobody has asked yet. There is one at a time."""
    lake = Lake()
    plain = s3._read_body

    def counted(bucket: str, key: str, record: Mapping[str, Any]) -> bytes:
        lake.read.append(key)
        body: bytes = plain(bucket, key, record)
        return body

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(s3, "_read_body", counted)
        patch.setattr(athena, "rows", athena.row_store())
        yield lake
    glue.reset()
    s3.reset()


@cache
def _catalog() -> Mapping[str, Any]:
    """All tables and views as the catalog keeps them: to create them takes as long as ten queries."""
    glue._create_database({"DatabaseInput": {"Name": DATABASE}})
    for table in (*TABLES.values(), *OPERATIONS.values()):
        glue._create_table({"DatabaseName": DATABASE, "TableInput": _declared(table)})
    declared = declared_tables(template(CATALOG).read_text(), {"Bucket": BUCKET})["watchlist"]
    glue._create_table({"DatabaseName": DATABASE, "TableInput": declared})
    for view in views():
        athena.run_query(f"CREATE VIEW {view.name} AS {view.text}", DATABASE)
    return dict(glue._tables.items())


def _declared(table: Table[Any]) -> dict[str, Any]:
    """A table of the contracts as the catalog has it."""
    return {
        "Name": table.name,
        "TableType": "EXTERNAL_TABLE",
        "Parameters": {"classification": "parquet" if table.name in TABLES else "json"},
        "PartitionKeys": [{"Name": key, "Type": "string"} for key in table.partition_keys],
        "StorageDescriptor": {
            "Location": f"s3://{BUCKET}/{table_prefix(table)}",
            "Columns": [{"Name": column.name, "Type": column.glue_type} for column in columns(table.row)],
        },
    }


def song(track: str, position: int, artists: Iterable[str] = (), **rest: Any) -> dict[str, Any]:
    """An entry: the track's id is its name, and so are the artists'."""
    credited = list(artists) or [track.lower()]
    return {
        "position": position,
        "track_id": track,
        "track_name": f"Song {track}",
        "artist_id": credited[0],
        "artist_name": credited[0].title(),
        "artist_ids": json.dumps(credited),
        "artist_names": json.dumps([artist.title() for artist in credited]),
        "album_id": track,
        **rest,
    }
