from typing import Annotated

from pydantic import Field

from contracts.fields import Count, Day, JsonText, Ordinal, Percent, Text
from contracts.tables.table import Row, Table


class Artist(Row):
    """A distinct artist of the snapshot."""

    artist_id: Annotated[Text, Field(description="Spotify id")]
    artist_name: Annotated[Text, Field(description="Name")]
    genres: Annotated[JsonText | None, Field(description="Genres, a JSON list; null if Spotify does not say")]
    primary_genre: Annotated[Text | None, Field(description="First of the genres; null if there is none")]
    genres_as_of: Annotated[
        Day | None, Field(description="Day of the genres, which may be an earlier one; null if unknown")
    ]
    popularity: Annotated[Percent | None, Field(description="0 to 100; null if Spotify does not say")]
    followers: Annotated[Count | None, Field(description="Followers; null if Spotify does not say")]
    tracks_in_playlist: Annotated[Ordinal, Field(description="Entries of the playlist that credit the artist")]
    best_position: Annotated[Ordinal, Field(description="Best position of these entries; 1 is the top")]
    artist_url: Annotated[Text | None, Field(description="Link to the artist on open.spotify.com")]
    image_url: Annotated[Text | None, Field(description="Largest image; the link expires within a day")]


ARTISTS = Table(
    name="artists",
    row=Artist,
    key=("playlist_id", "snapshot_date", "artist_id"),
    version=1,
    description="One row for each distinct artist of the snapshot",
)
