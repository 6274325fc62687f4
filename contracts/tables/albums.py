from typing import Annotated

from pydantic import Field

from contracts.fields import Count, Day, JsonText, Ordinal, Percent, Text
from contracts.tables.table import Row, Table


class Album(Row):
    """A distinct album of the snapshot."""

    album_id: Annotated[Text, Field(description="Spotify id")]
    album_name: Annotated[Text, Field(description="Title")]
    album_type: Annotated[Text | None, Field(description="album, single or compilation")]
    artist_ids: Annotated[JsonText | None, Field(description="Spotify ids of its artists, a JSON list in order")]
    artist_names: Annotated[JsonText | None, Field(description="Names of its artists, a JSON list in order")]
    release_date: Annotated[
        Text | None, Field(description="Release date as Spotify sends it: YYYY, YYYY-MM, YYYY-MM-DD")
    ]
    release_date_precision: Annotated[Text | None, Field(description="year, month or day")]
    release_on: Annotated[Day | None, Field(description="Release padded to the first day it can mean; null if unknown")]
    release_year: Annotated[Count | None, Field(description="Year of the release; null if unknown")]
    total_tracks: Annotated[Count | None, Field(description="Tracks on the album")]
    label: Annotated[Text | None, Field(description="Label; null if Spotify does not say")]
    upc: Annotated[Text | None, Field(description="Universal Product Code; null if Spotify does not say")]
    popularity: Annotated[Percent | None, Field(description="0 to 100; null if Spotify does not say")]
    tracks_in_playlist: Annotated[Ordinal, Field(description="Entries of the playlist from the album")]
    album_url: Annotated[Text | None, Field(description="Link to the album on open.spotify.com")]
    image_url: Annotated[Text | None, Field(description="Largest cover; the link expires within a day")]


ALBUMS = Table(
    name="albums",
    row=Album,
    key=("playlist_id", "snapshot_date", "album_id"),
    version=1,
    description="One row for each distinct album of the snapshot",
)
