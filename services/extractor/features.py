"""Who measures how a track sounds."""

from collections.abc import Sequence
from typing import Protocol

from contracts.spotify import Track
from services.extractor.enrichment import Enrichment, gather
from services.extractor.spotify import SpotifyClient


class FeatureProvider(Protocol):
    """A source of audio features.

    Attributes:
        source: Its name in the snapshot and in each row that is made of it.
    """

    source: str

    def measure(self, tracks: Sequence[Track]) -> Enrichment:
        """The features of those tracks that it knows, as it sends them."""


class SpotifyFeatures:
    """Spotify's own audio features, which only applications of before 27 November 2024 are given.

    Source: https://developer.spotify.com/blog/2024-11-27-changes-to-the-web-api
    """

    source = "spotify"

    def __init__(self, spotify: SpotifyClient) -> None:
        self._spotify = spotify

    def measure(self, tracks: Sequence[Track]) -> Enrichment:
        """The features of those tracks that Spotify measured."""
        ids = [track_id for track in tracks if (track_id := track.get("id"))]
        return gather("audio_features", ids, self._spotify.audio_features)
