from typing import Annotated

from pydantic import Field

from contracts.fields import Count, Flag, JsonText, Share, Text
from contracts.tables.table import Row, Table


class PlaylistMetadata(Row):
    """The snapshot itself: the playlist's metadata, and how much of it is known."""

    playlist_name: Annotated[Text | None, Field(description="Name")]
    description: Annotated[Text | None, Field(description="Description without markup")]
    owner_id: Annotated[Text | None, Field(description="Spotify id of the owner")]
    owner_name: Annotated[Text | None, Field(description="Display name of the owner")]
    is_public: Annotated[Flag | None, Field(description="Whether it is on its owner's profile; null if not relevant")]
    is_collaborative: Annotated[Flag | None, Field(description="Whether others may change it")]
    followers: Annotated[Count | None, Field(description="Followers; null if Spotify does not say")]
    spotify_snapshot_id: Annotated[Text | None, Field(description="Spotify's version of the playlist; a hint, no key")]
    total_entries: Annotated[Count | None, Field(description="Entries that Spotify counts, null ones included")]
    track_entries: Annotated[Count, Field(description="Entries of the snapshot that are tracks")]
    episode_entries: Annotated[Count, Field(description="Entries of the snapshot that are podcast episodes")]
    null_entries: Annotated[Count, Field(description="Entries of the snapshot whose track is gone")]
    unknown_entries: Annotated[Count, Field(description="Entries of the snapshot of an unknown type")]
    rejected_entries: Annotated[
        Count, Field(description="Entries of the snapshot too broken to identify, in rejected_rows of songs")
    ]
    unexplained_entries: Annotated[
        Count | None, Field(description="Entries that the source counts and the snapshot lacks; null if it counts none")
    ]
    features_coverage: Annotated[
        Share | None, Field(description="Share of distinct tracks with audio features, 0 to 1; null without tracks")
    ]
    popularity_coverage: Annotated[
        Share | None,
        Field(description="Share of track entries with a measured popularity, 0 to 1; null without tracks"),
    ]
    genres_coverage: Annotated[
        Share | None, Field(description="Share of distinct artists with a genre, 0 to 1; null without artists")
    ]
    feature_source: Annotated[
        Text | None, Field(description="Sources of the audio features, separated by commas; null if there are none")
    ]
    market: Annotated[Text | None, Field(description="Market of the request, ISO 3166-1 alpha-2")]
    outcome: Annotated[
        Text,
        Field(description="ok; partial: fewer entries than Spotify counts; metadata_only: Spotify gave no entries"),
    ]
    simulated: Annotated[
        Flag | None, Field(description="True if the document says that a simulator made it up; null if it does not say")
    ]
    playlist_url: Annotated[Text | None, Field(description="Link to the playlist on open.spotify.com")]
    drift: Annotated[
        JsonText, Field(description="Fields and types unknown to the contract, a JSON list of path, what and count")
    ]


PLAYLIST_METADATA = Table(
    name="playlist_metadata",
    row=PlaylistMetadata,
    key=("playlist_id", "snapshot_date"),
    version=1,
    description="One row for each snapshot",
    watched={"features_coverage": 0.5, "popularity_coverage": 0, "genres_coverage": 0.5},
)
