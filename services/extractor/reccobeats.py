"""ReccoBeats, which gives audio features away where Spotify no longer does."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from contracts.spotify import Track
from services.extractor.features import FeatureBlock, Inquiry, isrcs, spotify_ids, unmeasured
from shared.web import Fetch, UnavailableError

_TRACKS_A_CALL: Final = 40
_MEASURES: Final = (
    "acousticness",
    "danceability",
    "energy",
    "instrumentalness",
    "liveness",
    "loudness",
    "speechiness",
    "tempo",
    "valence",
)
"""Without `key` and `mode`, which alone say nothing of how a track sounds."""


class ReccoBeats:
    """ReccoBeats' audio features, by the id at Spotify and, where that is unknown to it, by the ISRC.

    It answers in an order of its own, leaves out what it does not know, and may answer one ISRC with several
    recordings, some of them without features.

    Source: https://reccobeats.com/docs/apis/get-audio-features
    """

    source = "reccobeats"

    def __init__(self, fetch: Fetch, api_url: str) -> None:
        """Makes a provider; nothing is called yet.

        Args:
            fetch: Gets an answer, with every retry.
            api_url: Base address, with a slash at its end.
        """
        self._fetch = fetch
        self._url = f"{api_url}audio-features"
        self._inquiry = Inquiry(self.source)

    def measure(self, tracks: Sequence[Track]) -> tuple[list[FeatureBlock], str]:
        """The features of those tracks that ReccoBeats knows; never raises a WebError."""
        ids = spotify_ids(tracks)
        by_id = self._inquiry.blocks("id", ids, self._ask)
        codes = isrcs(unmeasured(tracks, by_id))
        by_isrc = self._inquiry.blocks("isrc", codes, self._ask)
        return by_id + by_isrc, self._inquiry.finding([*ids, *codes])

    def _ask(self, names: Sequence[str]) -> Iterator[list[Any]]:
        for start in range(0, len(names), _TRACKS_A_CALL):
            answer = self._fetch(self._url, {"ids": ",".join(names[start : start + _TRACKS_A_CALL])})
            rows = answer.get("content")
            if not isinstance(rows, list):
                raise UnavailableError(f"GET {self._url}", "unreadable", "the answer holds no list `content`")
            yield sorted(filter(_has_features, rows), key=_recording)


def _has_features(row: Any) -> bool:
    return isinstance(row, dict) and any(row.get(measure) is not None for measure in _MEASURES)


def _recording(row: dict[str, Any]) -> str:
    """ReccoBeats' own id, so that the same recording is first whatever the order of the answer."""
    return str(row.get("id"))
