"""polars, lists kept as lists, without validation."""

from io import BytesIO
from pathlib import Path

import polars as pl

from tests.benchmarks.contenders.tables import DAY, PLAYLIST, TABLES

_TYPES = {
    str: pl.String,
    int: pl.Int64,
    float: pl.Float64,
    bool: pl.Boolean,
    "timestamp": pl.Datetime("us"),
    "day": pl.Date,
}
_LISTS = frozenset({"artist_ids", "artist_names"})

_LINK = pl.Struct({"spotify": pl.String})
_ARTIST = pl.Struct({"id": pl.String, "name": pl.String, "external_urls": _LINK})
_ALBUM = pl.Struct(
    {
        "id": pl.String,
        "name": pl.String,
        "album_type": pl.String,
        "artists": pl.List(_ARTIST),
        "release_date": pl.String,
        "release_date_precision": pl.String,
        "total_tracks": pl.Int64,
        "external_urls": _LINK,
        "images": pl.List(pl.Struct({"url": pl.String})),
    }
)
_TRACK = pl.Struct(
    {
        "id": pl.String,
        "name": pl.String,
        "artists": pl.List(_ARTIST),
        "album": _ALBUM,
        "popularity": pl.Int64,
        "duration_ms": pl.Int64,
        "explicit": pl.Boolean,
        "disc_number": pl.Int64,
        "track_number": pl.Int64,
        "external_ids": pl.Struct({"isrc": pl.String}),
        "external_urls": _LINK,
    }
)
_ENTRY = pl.Struct(
    {"added_at": pl.String, "added_by": pl.Struct({"id": pl.String}), "is_local": pl.Boolean, "track": _TRACK}
)
_PLAYLIST = pl.Schema(
    {
        "name": pl.String,
        "description": pl.String,
        "owner": pl.Struct({"id": pl.String, "display_name": pl.String}),
        "public": pl.Boolean,
        "collaborative": pl.Boolean,
        "followers": pl.Struct({"total": pl.Int64}),
        "snapshot_id": pl.String,
        "simulated": pl.Boolean,
        "external_urls": _LINK,
        "tracks": pl.Struct({"items": pl.List(_ENTRY), "total": pl.Int64}),
    }
)
"""What it reads: without a schema it would infer one from every field."""


def write(body: bytes, folder: Path) -> None:
    """All five tables."""
    playlist = pl.read_json(BytesIO(body), schema=_PLAYLIST)
    items = playlist.select(pl.col("tracks").struct.field("items")).explode("items").unnest("items")
    items = items.with_row_index("position", offset=1).with_columns(
        pl.col("track").struct.field("artists"), pl.col("track").struct.field("album")
    )
    tables = {
        "songs": _songs(items),
        "artists": _artists(items),
        "albums": _albums(items),
        "track_features": pl.DataFrame(),
        "playlist_metadata": _metadata(playlist, items),
    }
    origin = {"snapshot_date": pl.lit(DAY), "playlist_id": pl.lit(PLAYLIST)}
    for name, frame in tables.items():
        known = frame.with_columns(**origin) if frame.width else frame
        columns = [_column(column, _TYPES[kind], known) for column, kind in TABLES[name].items()]
        (known.select(columns) if frame.width else pl.DataFrame(schema=_schema(name))).write_parquet(
            folder / f"{name}.parquet"
        )


def _schema(table: str) -> dict[str, pl.DataType]:
    return {column: _TYPES[kind] for column, kind in TABLES[table].items()}


def _column(name: str, type_: pl.DataType, frame: pl.DataFrame) -> pl.Expr:
    if name not in frame.columns:
        return pl.lit(None, dtype=type_).alias(name)
    return pl.col(name) if name in _LISTS else pl.col(name).cast(type_)


def _of(struct: str, *fields: str) -> pl.Expr:
    expression = pl.col(struct)
    for field in fields:
        expression = expression.struct.field(field)
    return expression


def _each(list_: str, field: str) -> pl.Expr:
    return pl.col(list_).list.eval(pl.element().struct.field(field))


def _songs(items: pl.DataFrame) -> pl.DataFrame:
    first = pl.col("artists").list.first().struct
    return items.select(
        "position",
        "is_local",
        track_id=_of("track", "id"),
        isrc=_of("track", "external_ids", "isrc"),
        track_name=_of("track", "name"),
        artist_id=first.field("id"),
        artist_name=first.field("name"),
        artist_ids=_each("artists", "id"),
        artist_names=_each("artists", "name"),
        album_id=_of("album", "id"),
        album_name=_of("album", "name"),
        popularity=_of("track", "popularity"),
        popularity_measured=pl.lit(value=True),
        duration_ms=_of("track", "duration_ms"),
        duration_min=_of("track", "duration_ms") / 60_000,
        explicit=_of("track", "explicit"),
        disc_number=_of("track", "disc_number"),
        track_number=_of("track", "track_number"),
        added_at=pl.col("added_at").str.to_datetime("%Y-%m-%dT%H:%M:%SZ"),
        added_by=_of("added_by", "id").replace("", None),
        track_url=_of("track", "external_urls", "spotify"),
    )


def _artists(items: pl.DataFrame) -> pl.DataFrame:
    artists = items.select("position", "artists").explode("artists").unnest("artists")
    return (
        artists.group_by("id", maintain_order=True)
        .agg(
            artist_name=pl.col("name").first(),
            tracks_in_playlist=pl.col("position").n_unique(),
            best_position=pl.col("position").min(),
            artist_url=pl.col("external_urls").first().struct.field("spotify"),
        )
        .rename({"id": "artist_id"})
    )


def _albums(items: pl.DataFrame) -> pl.DataFrame:
    albums = items.select("album").unnest("album")
    distinct = albums.group_by("id", maintain_order=True).agg(pl.all().first(), tracks_in_playlist=pl.len())
    return distinct.select(
        "album_type",
        "release_date",
        "release_date_precision",
        "total_tracks",
        "tracks_in_playlist",
        album_id=pl.col("id"),
        album_name=pl.col("name"),
        artist_ids=_each("artists", "id"),
        artist_names=_each("artists", "name"),
        release_on=(pl.col("release_date") + "-01-01").str.slice(0, 10).str.to_date("%Y-%m-%d"),
        release_year=pl.col("release_date").str.slice(0, 4).cast(pl.Int64),
        album_url=_of("external_urls", "spotify"),
        image_url=pl.col("images").list.first().struct.field("url"),
    )


def _metadata(playlist: pl.DataFrame, items: pl.DataFrame) -> pl.DataFrame:
    return playlist.select(
        "description",
        "simulated",
        playlist_name=pl.col("name"),
        owner_id=_of("owner", "id"),
        owner_name=_of("owner", "display_name"),
        is_public=pl.col("public"),
        is_collaborative=pl.col("collaborative"),
        followers=_of("followers", "total"),
        spotify_snapshot_id=pl.col("snapshot_id"),
        total_entries=_of("tracks", "total"),
        track_entries=pl.lit(items.height),
        episode_entries=pl.lit(0),
        null_entries=pl.lit(0),
        unknown_entries=pl.lit(0),
        rejected_entries=pl.lit(0),
        unexplained_entries=pl.lit(0),
        features_coverage=pl.lit(0.0),
        popularity_coverage=pl.lit(1.0),
        genres_coverage=pl.lit(0.0),
        outcome=pl.lit("ok"),
        playlist_url=_of("external_urls", "spotify"),
        drift=pl.lit("[]"),
    )
