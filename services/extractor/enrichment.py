"""What is known of a playlist's tracks beyond the playlist itself. None of it is worth the playlist."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from contracts.elements import Elements
from contracts.fields import Broken
from contracts.spotify import Entry, Track, credited, sound
from services.extractor.spotify import SpotifyClient
from services.extractor.web import JsonObject, WebError
from shared.observability import logger

Known: TypeAlias = dict[str, JsonObject | None]
"""Full objects by id; None for one that Spotify does not know."""


@dataclass(frozen=True, slots=True)
class Enrichment:
    """What came of one kind of enrichment.

    Attributes:
        finding: `ok`, `one by one`, `none needed`, or the fault that ended it, for the snapshot's `capabilities`.
    """

    items: list[JsonObject]
    finding: str


class Catalogue:
    """The artists and albums that a run has fetched so far, so that no playlist asks for what another one brought."""

    def __init__(self, spotify: SpotifyClient) -> None:
        self._spotify = spotify
        self._artists: Known = {}
        self._albums: Known = {}
        self._calls_left_one_by_one = spotify.call_budget // 2

    def artists(self, ids: Sequence[str]) -> Enrichment:
        """Full artists; one by one where Spotify gives no batches, for the genres are worth it.

        That takes at most half of the call budget.
        """
        if self._spotify.capabilities.refused("batch_lookup"):
            return _gather("artists", ids, self._artists, self._one_by_one, given="one by one")
        found = _gather("artists", ids, self._artists, self._spotify.artists)
        return self.artists(ids) if self._spotify.capabilities.refused("batch_lookup") else found

    def albums(self, ids: Sequence[str]) -> Enrichment:
        """Full albums, which add too little to what tracks tell of them to be fetched one by one."""
        return _gather("albums", ids, self._albums, self._spotify.albums)

    def _one_by_one(self, ids: Sequence[str]) -> Iterator[Known]:
        for artist_id in ids:
            if self._calls_left_one_by_one <= 0:
                raise WebError("half of the call budget is spent on single artists", "one by one, incomplete")
            calls = self._spotify.calls
            try:
                yield {artist_id: self._spotify.artist(artist_id)}
            finally:
                self._calls_left_one_by_one -= self._spotify.calls - calls


def _gather(
    kind: str, ids: Sequence[str], known: Known, fetch: Callable[[Sequence[str]], Iterable[Known]], *, given: str = "ok"
) -> Enrichment:
    """Takes all that is known or can be fetched of some ids; a fault ends it and costs nothing that came before."""
    if not ids:
        return Enrichment([], "none needed")
    finding = given
    try:
        for batch in fetch([each for each in ids if each not in known]):
            known.update(batch)
    except WebError as fault:
        logger.warning("enrichment is incomplete", kind=kind, sentence=str(fault))
        finding = fault.finding
    return Enrichment([found for each in ids if (found := known.get(each))], finding)


def distinct_tracks(entries: Sequence[Any]) -> list[Track]:
    """The tracks among a playlist's entries that Spotify knows by an id, each once, in order."""
    tracks: dict[str, Track] = {}
    for entry in Elements("", entries, Entry):
        track = None if isinstance(entry, Broken) else entry.item or entry.track
        track_id = track and sound(track.id)
        if track and track_id and track.type in ("track", None):
            tracks.setdefault(track_id, track)
    return list(tracks.values())


def artist_ids(tracks: Iterable[Track]) -> list[str]:
    """The distinct artists that tracks credit, in order."""
    return _distinct(sound(artist.id) for track in tracks for artist in credited(track))


def album_ids(tracks: Iterable[Track]) -> list[str]:
    """The distinct albums of tracks, in order."""
    return _distinct(sound(album.id) for track in tracks if (album := sound(track.album)))


def _distinct(ids: Iterable[str | None]) -> list[str]:
    return [each for each in dict.fromkeys(ids) if each]
