"""A ReccoBeats in memory, as unhelpful as the real one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

from shared.web import JsonObject, WebError

API_URL = "https://api.reccobeats.test/v1/"
MEASURES = (
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


def recording(spotify_id: str, isrc: str | None, number: int = 0, **fields: Any) -> JsonObject:
    """A row of ReccoBeats', of a track whose key and mode it could not tell; the number makes its own id."""
    return {
        "id": f"{number:08x}-5911-48a0-b177-24923ef2329a",
        "href": f"https://open.spotify.com/track/{spotify_id}",
        "isrc": isrc,
        **dict.fromkeys(MEASURES, 0.5),
        "key": -1,
        "mode": None,
        **fields,
    }


def without_features(row: JsonObject) -> JsonObject:
    """The same recording, of which ReccoBeats knows that it exists."""
    return row | dict.fromkeys(MEASURES)


@dataclass
class FakeReccoBeats:
    """Answers what it knows, shuffled, and leaves out the rest.

    Attributes:
        recordings: All that it knows.
        asked: The names in each call, in order.
        answers: What comes in place of the next answers, once each.
        seed: Of the order of the answers.
    """

    recordings: list[JsonObject] = field(default_factory=list)
    asked: list[list[str]] = field(default_factory=list)
    answers: list[JsonObject | WebError] = field(default_factory=list)
    seed: int = 0

    def fetch(self, url: str, query: Mapping[str, str]) -> JsonObject:
        assert url == f"{API_URL}audio-features"
        names = query["ids"].split(",")
        assert query.keys() == {"ids"}
        assert 0 < len(names) == len(set(names)) <= 40
        self.asked.append(names)
        if self.answers:
            answer = self.answers.pop(0)
            if isinstance(answer, WebError):
                raise answer
            return answer
        known = [row for row in self.recordings if {row["href"].rsplit("/")[-1], row["isrc"]} & set(names)]
        Random(self.seed + len(self.asked)).shuffle(known)
        return {"content": known}
