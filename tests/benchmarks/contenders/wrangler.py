"""awswrangler and pandas' json_normalize, the way public Spotify pipelines do it, without the upload."""

import json
from pathlib import Path
from typing import Any

import awswrangler  # noqa: F401 - the handler of such a pipeline imports it
import pandas as pd

from tests.benchmarks.contenders.tables import DAY, PLAYLIST, TABLES


def write(body: bytes, folder: Path) -> None:
    """All five tables."""
    playlist = json.loads(body)[0]
    items = pd.json_normalize(playlist["tracks"]["items"])
    items["position"] = range(1, len(items) + 1)
    frames = {
        "songs": _songs(items),
        "artists": _artists(items),
        "albums": _albums(items),
        "track_features": pd.DataFrame({name: [] for name in TABLES["track_features"]}),
        "playlist_metadata": _metadata(playlist, items),
    }
    for name, frame in frames.items():
        whole = _with_origin(frame, name, DAY, PLAYLIST)
        whole.to_parquet(folder / f"{name}.parquet", engine="pyarrow", index=False)


def songs_of(playlist: dict[str, Any], day: str, playlist_id: str) -> pd.DataFrame:
    """The songs of a parsed playlist."""
    items = pd.json_normalize(playlist["tracks"]["items"])
    items["position"] = range(1, len(items) + 1)
    return _with_origin(_songs(items), "songs", day, playlist_id)


def _with_origin(frame: pd.DataFrame, table: str, day: str, playlist_id: str) -> pd.DataFrame:
    origin = {"snapshot_date": day, "playlist_id": playlist_id, "run_id": None, "extracted_at": None}
    return frame.assign(**origin).reindex(columns=list(TABLES[table]))


def _json(artists: "pd.Series[Any]", field: str) -> "pd.Series[Any]":
    return artists.map(lambda credited: json.dumps([artist[field] for artist in credited], ensure_ascii=False))


def _songs(items: pd.DataFrame) -> pd.DataFrame:
    songs = items.rename(
        columns={
            "track.id": "track_id",
            "track.external_ids.isrc": "isrc",
            "track.name": "track_name",
            "track.album.id": "album_id",
            "track.album.name": "album_name",
            "track.popularity": "popularity",
            "track.duration_ms": "duration_ms",
            "track.explicit": "explicit",
            "track.disc_number": "disc_number",
            "track.track_number": "track_number",
            "track.external_urls.spotify": "track_url",
        }
    )
    artists = items["track.artists"]
    songs["artist_id"] = artists.str[0].str["id"]
    songs["artist_name"] = artists.str[0].str["name"]
    songs["artist_ids"] = _json(artists, "id")
    songs["artist_names"] = _json(artists, "name")
    songs["popularity_measured"] = True
    songs["duration_min"] = songs["duration_ms"] / 60_000
    songs["added_at"] = pd.to_datetime(items["added_at"]).dt.tz_localize(None)
    songs["added_by"] = items["added_by.id"].replace("", None)
    return songs


def _artists(items: pd.DataFrame) -> pd.DataFrame:
    exploded = items[["position", "track.artists"]].explode("track.artists")
    artists = pd.json_normalize(exploded["track.artists"].to_list())
    artists["position"] = exploded["position"].to_numpy()
    distinct = artists.drop_duplicates("id").copy()
    by_artist = artists.groupby("id")["position"]
    distinct["tracks_in_playlist"] = distinct["id"].map(by_artist.nunique())
    distinct["best_position"] = distinct["id"].map(by_artist.min())
    return distinct.rename(columns={"id": "artist_id", "name": "artist_name", "external_urls.spotify": "artist_url"})


def _albums(items: pd.DataFrame) -> pd.DataFrame:
    prefix = "track.album."
    columns = [name for name in items if name.startswith(prefix)]
    albums = items[columns].rename(columns=lambda name: name.removeprefix(prefix))
    counts = albums["id"].value_counts()
    albums = albums.drop_duplicates("id").copy()
    albums["artist_ids"] = _json(albums["artists"], "id")
    albums["artist_names"] = _json(albums["artists"], "name")
    albums["release_on"] = pd.to_datetime(albums["release_date"], format="ISO8601").dt.date
    albums["release_year"] = albums["release_date"].str[:4].astype("int64")
    albums["tracks_in_playlist"] = albums["id"].map(counts)
    albums["image_url"] = albums["images"].str[0].str["url"]
    return albums.rename(columns={"id": "album_id", "name": "album_name", "external_urls.spotify": "album_url"})


def _metadata(playlist: dict[str, Any], items: pd.DataFrame) -> pd.DataFrame:
    told = {name: value for name, value in playlist.items() if name != "tracks"}
    metadata = pd.json_normalize(told).rename(
        columns={
            "name": "playlist_name",
            "owner.id": "owner_id",
            "owner.display_name": "owner_name",
            "public": "is_public",
            "collaborative": "is_collaborative",
            "followers.total": "followers",
            "snapshot_id": "spotify_snapshot_id",
            "external_urls.spotify": "playlist_url",
        }
    )
    return metadata.assign(
        total_entries=playlist["tracks"]["total"],
        track_entries=len(items),
        episode_entries=0,
        null_entries=0,
        unknown_entries=0,
        rejected_entries=0,
        unexplained_entries=0,
        features_coverage=0.0,
        popularity_coverage=items["track.popularity"].notna().mean(),
        genres_coverage=0.0,
        outcome="ok",
        simulated=playlist.get("simulated"),
        drift="[]",
    )
