"""What is known of a playlist's tracks beyond the playlist itself. A failed enrichment never fails the playlist."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from contracts.broken import Broken
from contracts.elements import Elements
from contracts.operations.log_events import LogEvent
from contracts.spotify import Entry, Track, credited, kind_of, sound
from services.extractor.capabilities import is_lasting
from services.extractor.earlier import EarlierArtist, EarlierArtists
from services.extractor.spotify import SpotifyClient
from shared.observability import log
from shared.web import JsonObject, RefusedError, WebError

Known: TypeAlias = dict[str, JsonObject | None]
"""Full objects by id; None for one that Spotify does not know."""


@dataclass(frozen=True, slots=True)
class Enrichment:
    """What came of one kind of enrichment.

    Attributes:
        finding: `ok`, `one by one`, `none needed`, or the fault that ended it, for the snapshot's `capabilities`.
        earlier: Artists that were not asked for now, as they were told on an earlier day.
        open: The ids that neither this nor an earlier run has an answer for.
        cause: What ended it, if it was a fault.
    """

    items: list[JsonObject]
    finding: str
    earlier: list[EarlierArtist] = field(default_factory=list)
    open: Collection[str] = ()
    cause: WebError | None = None

    @property
    def is_worth_another_run(self) -> bool:
        """Whether something is missing that Spotify does not refuse to the application."""
        return bool(self.open) and not (isinstance(self.cause, RefusedError) and is_lasting(self.cause))


class Catalogue:
    """The artists and albums that a run has fetched so far, so that no playlist asks for what another one brought."""

    def __init__(self, spotify: SpotifyClient) -> None:
        self._spotify = spotify
        self._artists: Known = {}
        self._albums: Known = {}
        self._calls_one_by_one = 0

    def artists(self, ids: Sequence[str], earlier: Callable[[], EarlierArtists] = dict) -> Enrichment:
        """Full artists, and those that are still open as they were told earlier.

        Where Spotify gives no batches they come one by one, for the genres are worth it; that takes at most half of the
        call budget, goes to those that nobody knows, and then to those that were told longest ago, if they are due.
        """
        if not ids:
            return Enrichment([], "none needed")
        if self._spotify.capabilities.refused("batch_lookup"):
            found = _gather(
                "artists", self._most_wanted(ids, earlier()), self._artists, self._one_by_one, given="one by one"
            )
        else:
            found = _gather("artists", ids, self._artists, self._spotify.artists)
            if self._spotify.capabilities.refused("batch_lookup"):
                return self.artists(ids, earlier)
        left = [each for each in ids if each not in self._artists]
        known = earlier() if left else {}
        return replace(
            found,
            earlier=[known[each] for each in left if each in known],
            open=[each for each in left if each not in known],
        )

    def albums(self, ids: Sequence[str]) -> Enrichment:
        """Full albums, which add too little to what tracks tell of them to be fetched one by one."""
        return _gather("albums", ids, self._albums, self._spotify.albums) if ids else Enrichment([], "none needed")

    def _most_wanted(self, ids: Sequence[str], earlier: EarlierArtists) -> list[str]:
        new = [each for each in ids if each in self._artists or each not in earlier]
        due = [each for each in ids if each not in self._artists and each in earlier and earlier[each].is_due]
        return new + sorted(due, key=lambda each: earlier[each].as_of)

    def _one_by_one(self, ids: Sequence[str]) -> Iterator[Known]:
        for artist_id in ids:
            if self._calls_one_by_one >= self._spotify.call_budget // 2:
                raise WebError(
                    "half of the call budget is spent on single artists, and the next run asks for others",
                    "one by one, incomplete",
                )
            calls = self._spotify.calls
            try:
                yield {artist_id: self._spotify.artist(artist_id)}
            finally:
                self._calls_one_by_one += self._spotify.calls - calls


def _gather(
    kind: str, ids: Sequence[str], known: Known, fetch: Callable[[Sequence[str]], Iterable[Known]], *, given: str = "ok"
) -> Enrichment:
    """Takes all that is known or can be fetched of some ids; a fault ends it and costs nothing that came before."""
    cause = None
    try:
        for batch in fetch([each for each in ids if each not in known]):
            known.update(batch)
    except WebError as fault:
        log.warning(LogEvent.ENRICHMENT_INCOMPLETE, "enrichment is incomplete", kind=kind, sentence=str(fault))
        cause = fault
    return Enrichment(
        [found for each in ids if (found := known.get(each))],
        cause.finding if cause else given,
        open=[each for each in ids if each not in known],
        cause=cause,
    )


def distinct_tracks(entries: Sequence[Any]) -> list[Track]:
    """The tracks among a playlist's entries that Spotify knows by an id, each once, in order."""
    tracks: dict[str, Track] = {}
    for entry in Elements("", entries, Entry):
        track = None if isinstance(entry, Broken) else entry.item or entry.track
        track_id = track and sound(track.id)
        if track and track_id and kind_of(track) in ("track", None):
            tracks.setdefault(track_id, track)
    return list(tracks.values())


def artist_ids(tracks: Iterable[Track]) -> list[str]:
    """The distinct artists that tracks credit, in order."""
    return distinct(sound(artist.id) for track in tracks for artist in credited(track))


def album_ids(tracks: Iterable[Track]) -> list[str]:
    """The distinct albums of tracks, in order."""
    return distinct(sound(album.id) for track in tracks if (album := sound(track.album)))


def distinct(ids: Iterable[str | None]) -> list[str]:
    """Each id once, in order, without those that are missing."""
    return [each for each in dict.fromkeys(ids) if each]
