"""ReccoBeats, a free source of audio features where Spotify no longer offers them."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from contracts.spotify import Track
from services.extractor.features import FeatureBlock, Inquiry, JoinedBy, isrcs, spotify_ids, unmeasured
from shared.batches import batches
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
"""Without `key` and `mode`, which are useless alone."""


class ReccoBeats:
    """ReccoBeats' audio features, by Spotify id or, if that is unknown to it, by ISRC.

    It answers in any order, leaves out unknown tracks, and may return several recordings for one ISRC, some of them
    without features.

    Source: https://reccobeats.com/docs/apis/get-audio-features
    """

    source = "reccobeats"

    def __init__(self, fetch: Fetch, api_url: str, asked_by: JoinedBy = "id") -> None:
        """Makes a provider.

        Args:
            fetch: Gets an answer, with retries.
            api_url: Base address, with a trailing slash.
            asked_by: `id`, and then by ISRC for what is left; `isrc`, and it is never sent an id of Spotify's.
        """
        self._fetch = fetch
        self._asked_by = asked_by
        self._url = f"{api_url}audio-features"
        self._inquiry = Inquiry(self.source)

    def measure(self, tracks: Sequence[Track]) -> tuple[list[FeatureBlock], str]:
        """Returns the features of those tracks that ReccoBeats knows; never raises a WebError."""
        ids = spotify_ids(tracks) if self._asked_by == "id" else []
        by_id = self._inquiry.blocks("id", ids, self._ask)
        codes = isrcs(unmeasured(tracks, by_id))
        by_isrc = self._inquiry.blocks("isrc", codes, self._ask)
        return by_id + by_isrc, self._inquiry.finding([*ids, *codes])

    def _ask(self, names: Sequence[str]) -> Iterator[list[Any]]:
        for batch in batches(names, _TRACKS_A_CALL):
            answer = self._fetch(self._url, {"ids": ",".join(batch)})
            rows = answer.get("content")
            if not isinstance(rows, list):
                raise UnavailableError(f"GET {self._url}", "unreadable", "the answer contains no list `content`")
            yield sorted(filter(_has_features, rows), key=_recording)


def _has_features(row: Any) -> bool:
    return isinstance(row, dict) and any(row.get(measure) is not None for measure in _MEASURES)


def _recording(row: dict[str, Any]) -> str:
    """Returns ReccoBeats' own id: sorting by it makes the choice independent of the answer's order."""
    return str(row.get("id"))
