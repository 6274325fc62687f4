"""A simulator of ReccoBeats, which measures what Spotify tells no longer: audio features, without a key.

It knows four fifths of the catalogue by Spotify's ids, and more by ISRC alone, then as another track than Spotify's.

Sources: https://reccobeats.com/docs/apis/get-audio-features and
https://reccobeats.com/docs/documentation/request-and-response; the body of its errors is documented nowhere.
"""

import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from functools import cached_property
from typing import Final

from starlette.exceptions import HTTPException

from infra.local.spotify import seeded
from infra.local.spotify.catalogue import Catalogue, Track
from infra.local.spotify.documents import JsonObject

MOST_IDS: Final = 40
_KNOWN: Final = 0.8
_KNOWN_BY_ISRC: Final = 0.5
_WITHOUT_KEY: Final = 0.05
_UNKNOWN_KEY: Final = -1


class ReccoBeats:
    """What ReccoBeats knows of one catalogue; a function of the ids, so the same in every run."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    @cached_property
    def _tracks_by_isrc(self) -> Mapping[str, list[Track]]:
        tracks: dict[str, list[Track]] = defaultdict(list)
        for track in self._catalogue.tracks.values():
            tracks[track.isrc].append(track)
        return tracks

    def audio_features(self, queries: Iterable[str]) -> JsonObject:
        """Return rows for those of the ids that are known, in an order of its own.

        Args:
            queries: Values of the parameter `ids`: Spotify ids or ISRCs, by commas.

        Raises:
            HTTPException: There is no id, or there are more than 40 (400).
        """
        ids = [id_ for query in queries for id_ in query.split(",") if id_]
        if not ids:
            raise HTTPException(400, "Parameter ids is required")
        if len(ids) > MOST_IDS:
            raise HTTPException(400, f"Parameter ids takes at most {MOST_IDS} values")
        rows = {row["id"]: row for id_ in ids for row in self._rows(id_)}
        return {"content": [rows[id_] for id_ in sorted(rows)]}

    def _rows(self, id_: str) -> list[JsonObject]:
        if track := self._catalogue.tracks.get(id_):
            return [_row(track, id_)] if _knows(id_) else []
        tracks = self._tracks_by_isrc.get(id_, [])
        known = [_row(track, track.id) for track in tracks if _knows(track.id)]
        if known or not tracks or _share("isrc", id_) >= _KNOWN_BY_ISRC:
            return known
        return [_row(tracks[0], seeded.spotify_id("reccobeats", id_))]


def _knows(track_id: str) -> bool:
    return _share("track", track_id) < _KNOWN


def _row(track: Track, spotify_id: str) -> JsonObject:
    features = asdict(track.features)
    del features["time_signature"]
    if _share("key", spotify_id) < _WITHOUT_KEY:
        features["key"] = _UNKNOWN_KEY
    return {
        "id": str(uuid.UUID(bytes=seeded.digest("reccobeats", spotify_id, size=16), version=4)),
        "href": f"https://open.spotify.com/track/{spotify_id}",
        "isrc": track.isrc,
        **dict(sorted(features.items())),
    }


def _share(*key: str) -> float:
    (share,) = seeded.fractions("reccobeats", *key, count=1)
    return share
