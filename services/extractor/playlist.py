"""A playlist with all of its entries, in the generation of the Web API that it came in."""

from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

from services.extractor.spotify import JsonObject, SpotifyClient, SpotifyError

Outcome: TypeAlias = Literal["ok", "partial", "metadata_only"]

_CONTAINERS: Final = ("items", "tracks")


@dataclass(frozen=True, slots=True)
class CompletePlaylist:
    """What could be read of a playlist.

    Attributes:
        document: The playlist as Spotify sent it, with the entries of all pages in place of the first page's.
            The other fields of the page (`next`, `offset`, `limit`) stay as they came with the first one.
        entries: Those entries.
        fault: What ended the reading before Spotify's `total` was reached, if it was a fault.
    """

    document: JsonObject
    entries: list[Any]
    outcome: Outcome
    fault: SpotifyError | None = None

    @property
    def finding(self) -> str:
        """What became of the entries, for the snapshot's `capabilities`."""
        if self.fault:
            return self.fault.finding
        return "absent" if self.outcome == "metadata_only" else "ok"


def read_playlist(spotify: SpotifyClient, playlist_id: str) -> CompletePlaylist:
    """Reads a playlist and the pages that its document does not hold yet.

    Pages are asked for by offset, for `next` may name a route or a host that the application cannot use. A document of
    both generations at once holds the entries twice: `items` is completed, and `tracks` is kept only if it is complete
    by itself, so that no reader takes a first page for the whole.

    Raises:
        SpotifyError: The playlist itself cannot be read. A fault while paging costs no entry that was read before.
    """
    document = spotify.playlist(playlist_id)
    name = _container(document)
    if name is None:
        return CompletePlaylist(document, [], "metadata_only")
    first: JsonObject = document[name]
    entries, fault = _all_entries(spotify, playlist_id, first)
    if not entries and _listed(first) is None:
        return CompletePlaylist(document, [], "metadata_only", fault)
    is_short = fault is not None or len(entries) < (_total(first) or 0)
    return CompletePlaylist(_completed(document, name, entries), entries, "partial" if is_short else "ok", fault)


def _container(document: JsonObject) -> str | None:
    there = [name for name in _CONTAINERS if isinstance(document.get(name), dict)]
    filled = (name for name in there if _listed(document[name]) is not None)
    return next(filled, there[0] if there else None)


def _all_entries(spotify: SpotifyClient, playlist_id: str, first: JsonObject) -> tuple[list[Any], SpotifyError | None]:
    entries = list(_listed(first) or ())
    total = _total(first)
    try:
        while total is None or len(entries) < total:
            more = _listed(spotify.playlist_page(playlist_id, offset=len(entries)))
            if not more:
                break
            entries += more
    except SpotifyError as fault:
        return entries, fault
    return entries, None


def _total(page: JsonObject) -> int | None:
    total = page.get("total")
    return total if isinstance(total, int) else None


def _listed(page: Any) -> list[Any] | None:
    entries = page.get("items") if isinstance(page, dict) else None
    return entries if isinstance(entries, list) else None


def _completed(document: JsonObject, name: str, entries: list[Any]) -> JsonObject:
    completed = {**document, name: {**document[name], "items": entries}}
    if name == "items" and len(_listed(document.get("tracks")) or ()) < len(entries):
        completed.pop("tracks", None)
    return completed
