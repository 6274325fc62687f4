from typing import Annotated

from pydantic import Field

from contracts.fields import Count, Flag, JsonText, KnownTimestamp, Number, Ordinal, Percent, Text
from contracts.tables.table import Row, Table


class Song(Row):
    """An entry of the playlist that is a track."""

    position: Annotated[Ordinal, Field(description="Position in the playlist; 1 is the top")]
    track_id: Annotated[Text | None, Field(description="Spotify id; null for a local file or a removed track")]
    linked_from_id: Annotated[
        Text | None, Field(description="Spotify id that the owner added, if Spotify plays this track instead")
    ]
    isrc: Annotated[
        Text | None, Field(description="International Standard Recording Code in capitals, without hyphens")
    ]
    track_name: Annotated[Text, Field(description="Title")]
    artist_id: Annotated[Text | None, Field(description="Spotify id of the first artist")]
    artist_name: Annotated[Text | None, Field(description="Name of the first artist")]
    artist_ids: Annotated[JsonText | None, Field(description="Spotify ids of all artists, a JSON list in order")]
    artist_names: Annotated[JsonText | None, Field(description="Names of all artists, a JSON list in order")]
    album_id: Annotated[Text | None, Field(description="Spotify id of the album")]
    album_name: Annotated[Text | None, Field(description="Title of the album")]
    popularity: Annotated[
        Percent | None, Field(description="0 to 100 on the snapshot's day; null if Spotify does not say")
    ]
    popularity_measured: Annotated[
        Flag | None,
        Field(
            description="Whether the popularity can be a measurement: not a 0 of a track in no market, not playable, "
            "or released within the two weeks before; null without a popularity"
        ),
    ]
    duration_ms: Annotated[Count | None, Field(description="Length in milliseconds")]
    duration_min: Annotated[Number | None, Field(description="Length in minutes")]
    explicit: Annotated[Flag | None, Field(description="Whether the lyrics are explicit; null if unknown")]
    is_local: Annotated[Flag | None, Field(description="Whether the entry is the owner's local file, not on Spotify")]
    is_playable: Annotated[Flag | None, Field(description="Whether it is playable in the snapshot's market")]
    disc_number: Annotated[Count | None, Field(description="Disc of the album; 1 unless it has several")]
    track_number: Annotated[Count | None, Field(description="Number on its disc")]
    added_at: Annotated[
        KnownTimestamp | None, Field(description="When it was added to the playlist, UTC; null if unknown")
    ]
    added_by: Annotated[Text | None, Field(description="Spotify id of the user who added it")]
    track_url: Annotated[Text | None, Field(description="Link to the track on open.spotify.com")]


SONGS = Table(
    name="songs",
    row=Song,
    key=("playlist_id", "snapshot_date", "position"),
    version=1,
    description="One row for each entry of the playlist that is a track",
)
