"""Models of the tables' rows with the bounds of the contracts, in pydantic as most write it."""

from datetime import date, datetime
from typing import Annotated

from pydantic import BaseModel, Field

Percent = Annotated[int, Field(ge=0, le=100)]
Count = Annotated[int, Field(ge=0)]
Ordinal = Annotated[int, Field(ge=1)]
Share = Annotated[float, Field(ge=0, le=1)]


class _Row(BaseModel):
    snapshot_date: Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")]
    playlist_id: str
    run_id: str | None
    extracted_at: datetime | None


class Song(_Row):
    position: Ordinal
    track_id: str | None
    linked_from_id: str | None
    isrc: str | None
    track_name: str
    artist_id: str | None
    artist_name: str | None
    artist_ids: str
    artist_names: str
    album_id: str | None
    album_name: str | None
    popularity: Percent | None
    popularity_measured: bool | None
    duration_ms: Count | None
    duration_min: float | None
    explicit: bool | None
    is_local: bool | None
    is_playable: bool | None
    disc_number: Count | None
    track_number: Count | None
    added_at: datetime | None
    added_by: str | None
    track_url: str | None


class Artist(_Row):
    artist_id: str
    artist_name: str
    genres: str | None
    primary_genre: str | None
    genres_as_of: date | None
    popularity: Percent | None
    followers: Count | None
    tracks_in_playlist: Ordinal
    best_position: Ordinal
    artist_url: str | None
    image_url: str | None


class Album(_Row):
    album_id: str
    album_name: str
    album_type: str | None
    artist_ids: str
    artist_names: str
    release_date: str | None
    release_date_precision: str | None
    release_on: date | None
    release_year: Count | None
    total_tracks: Count | None
    label: str | None
    upc: str | None
    popularity: Percent | None
    tracks_in_playlist: Ordinal
    album_url: str | None
    image_url: str | None


class TrackFeatures(_Row):
    track_id: str
    isrc: str | None
    feature_source: str
    danceability: Share | None
    energy: Share | None
    key: Annotated[int, Field(ge=0, le=11)] | None
    loudness_db: float | None
    mode: Annotated[int, Field(ge=0, le=1)] | None
    speechiness: Share | None
    acousticness: Share | None
    instrumentalness: Share | None
    liveness: Share | None
    valence: Share | None
    tempo_bpm: float | None
    time_signature: Count | None
    duration_ms: Count | None


class PlaylistMetadata(_Row):
    playlist_name: str | None
    description: str | None
    owner_id: str | None
    owner_name: str | None
    is_public: bool | None
    is_collaborative: bool | None
    followers: Count | None
    spotify_snapshot_id: str | None
    total_entries: Count | None
    track_entries: Count
    episode_entries: Count
    null_entries: Count
    unknown_entries: Count
    rejected_entries: Count
    unexplained_entries: Count | None
    features_coverage: Share | None
    popularity_coverage: Share | None
    genres_coverage: Share | None
    feature_source: str | None
    market: str | None
    outcome: str
    simulated: bool | None
    playlist_url: str | None
    drift: str


MODELS: dict[str, type[_Row]] = {
    "songs": Song,
    "artists": Artist,
    "albums": Album,
    "track_features": TrackFeatures,
    "playlist_metadata": PlaylistMetadata,
}
