"""What is known of a playlist's tracks beyond the playlist itself. None of it is worth the playlist."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final

from pydantic import Field, TypeAdapter

from contracts.spotify import Broken, Entry, OrBroken, Track, credited
from services.extractor.spotify import JsonObject, SpotifyError
from shared.observability import logger

_ENTRIES: Final[TypeAdapter[list[Any]]] = TypeAdapter(
    list[Annotated[Entry | OrBroken, Field(union_mode="left_to_right")]]
)


@dataclass(frozen=True, slots=True)
class Enrichment:
    """What came of one kind of enrichment.

    Attributes:
        finding: `ok`, `none needed`, or the fault that ended it, for the snapshot's `capabilities`.
    """

    items: list[JsonObject]
    finding: str


def gather(kind: str, ids: Sequence[str], fetch: Callable[[Sequence[str]], Iterable[list[JsonObject]]]) -> Enrichment:
    """Takes all that can be fetched of some ids; a fault ends it and costs nothing that came before."""
    items: list[JsonObject] = []
    if not ids:
        return Enrichment(items, "none needed")
    try:
        for batch in fetch(ids):
            items += batch
    except SpotifyError as fault:
        logger.warning("enrichment is incomplete", kind=kind, items=len(items), sentence=str(fault))
        return Enrichment(items, fault.finding)
    return Enrichment(items, "ok")


def distinct_tracks(entries: Sequence[Any]) -> list[Track]:
    """The tracks among a playlist's entries that Spotify knows by an id, each once, in order."""
    tracks: dict[str, Track] = {}
    for entry in _ENTRIES.validate_python(entries):
        track: Track | None = None if isinstance(entry, Broken) else entry.get("item") or entry.get("track")
        if not track:
            continue
        track_id = track.get("id")
        if track_id and track.get("type") in ("track", None):
            tracks.setdefault(track_id, track)
    return list(tracks.values())


def artist_ids(tracks: Iterable[Track]) -> list[str]:
    """The distinct artists that tracks credit, in order."""
    return _distinct(artist.get("id") for track in tracks for artist in credited(track))


def album_ids(tracks: Iterable[Track]) -> list[str]:
    """The distinct albums of tracks, in order."""
    return _distinct((track.get("album") or {}).get("id") for track in tracks)


def _distinct(ids: Iterable[str | None]) -> list[str]:
    return [each for each in dict.fromkeys(ids) if each]
