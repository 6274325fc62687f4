from typing import Annotated

from pydantic import Field

from contracts.fields import Count, Number, Share, Text
from contracts.tables.table import Row, Table


class TrackFeatures(Row):
    """The audio features of a distinct track, as its source measured them."""

    track_id: Annotated[Text, Field(description="Spotify id of the track")]
    isrc: Annotated[
        Text | None, Field(description="International Standard Recording Code in capitals, without hyphens")
    ]
    feature_source: Annotated[Text, Field(description="Source of the features: spotify or reccobeats")]
    danceability: Annotated[Share | None, Field(description="0 to 1: how danceable it is")]
    energy: Annotated[Share | None, Field(description="0 to 1: intensity and activity")]
    key: Annotated[
        Annotated[int, Field(strict=True, ge=0, le=11)] | None,
        Field(description="Pitch class, 0 is C; null if not detected"),
    ]
    loudness_db: Annotated[Number | None, Field(description="Average loudness in decibels")]
    mode: Annotated[Annotated[int, Field(strict=True, ge=0, le=1)] | None, Field(description="1 is major, 0 is minor")]
    speechiness: Annotated[Share | None, Field(description="0 to 1: presence of spoken words")]
    acousticness: Annotated[Share | None, Field(description="0 to 1: confidence that it is acoustic")]
    instrumentalness: Annotated[Share | None, Field(description="0 to 1: confidence that it has no vocals")]
    liveness: Annotated[Share | None, Field(description="0 to 1: presence of an audience")]
    valence: Annotated[Share | None, Field(description="0 to 1: musical positiveness")]
    tempo_bpm: Annotated[Number | None, Field(ge=0, description="Beats per minute")]
    time_signature: Annotated[Count | None, Field(description="Beats per bar; null if the source does not say")]
    duration_ms: Annotated[Count | None, Field(description="Measured length in milliseconds")]


TRACK_FEATURES = Table(
    name="track_features",
    row=TrackFeatures,
    key=("playlist_id", "snapshot_date", "track_id"),
    version=1,
    description="One row for each distinct track with audio features",
)
