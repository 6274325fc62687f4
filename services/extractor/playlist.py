"""A playlist with all of its entries, in the generation of the Web API that it came in."""

from dataclasses import dataclass, replace
from typing import Any, Final, Literal, TypeAlias

import requests

from contracts.documents import container, listed
from contracts.fields import integer
from services.extractor.spotify import SpotifyClient
from services.extractor.web import JsonObject, NotFoundError, QuotaError, RefusedError, WebError
from shared.observability import step

Stored: TypeAlias = Literal["ok", "partial", "metadata_only"]
NotStored: TypeAlias = Literal["forbidden", "not_found_or_editorial", "quota", "failed"]

_READINGS: Final = 3

_MAY_BE_OWNED: Final = (
    "Authorise its owner or a collaborator with `earworm authorize`, or apply for extended quota at "
    "https://developer.spotify.com/documentation/web-api/concepts/quota-modes"
)
_ADVICE: Final[dict[NotStored, str]] = {
    "forbidden": _MAY_BE_OWNED,
    "not_found_or_editorial": (
        "Check the id. If it is right, the list is private or Spotify's own (37i9...), which only applications with "
        "extended quota of before 27 November 2024 may read: take a copy of it in its place"
    ),
    "quota": "The run is over, and the rest is deferred",
    "failed": "Run again later, unless the fault names what to mend",
}


@dataclass(frozen=True, slots=True)
class CompletePlaylist:
    """What could be read of a playlist.

    Attributes:
        document: The playlist as Spotify sent it, with the entries of all pages in place of the first page's.
            The other fields of the page (`next`, `offset`, `limit`) stay as they came with the first one.
        entries: Those entries.
        finding: What became of the entries, for the snapshot's `capabilities`: `ok`, `absent`, `moved` if the playlist
            was edited in each reading, `unchecked` if that could not be told, or a fault's finding.
        fault: What ended the reading before Spotify's `total` was reached, if it was a fault.
    """

    document: JsonObject
    entries: list[Any]
    outcome: Stored
    finding: str = "ok"
    fault: WebError | None = None

    @property
    def sentence(self) -> str | None:
        """What is missing and what to do, unless nothing is."""
        match self.outcome:
            case "ok":
                return None
            case "partial":
                cause = f": {self.fault}" if self.fault else ", fewer than Spotify counts"
                return f"{len(self.entries)} entries came{cause}. Run again later"
            case "metadata_only":
                cause = f" ({self.fault})" if self.fault else ""
                return f"Spotify gave the playlist without its entries{cause}. {_MAY_BE_OWNED}"


def outcome_of(fault: Exception) -> tuple[NotStored, str]:
    """What a playlist without a snapshot has come to, and a sentence that says why and what to do."""
    outcome: NotStored
    match fault:
        case QuotaError():
            outcome = "quota"
        case NotFoundError():
            outcome = "not_found_or_editorial"
        case RefusedError(status=requests.codes.forbidden):
            outcome = "forbidden"
        case _:
            outcome = "failed"
    return outcome, f"{fault}. {_ADVICE[outcome]}"


def read_playlist(spotify: SpotifyClient, playlist_id: str) -> CompletePlaylist:
    """Reads a playlist and the pages that its document does not hold yet.

    Pages are asked for by offset, for `next` may name a route or a host that the application cannot use. If a playlist
    has another `snapshot_id` after its pages were read than before, it was edited between them, and is read again, at
    most twice.

    A document of both generations at once holds the entries twice: `items` is completed, and `tracks` is kept only if
    it is complete by itself, so that no reader takes a first page for the whole.

    Raises:
        QuotaError: The run is over, and the playlist was not read to its end.
        WebError: The playlist itself cannot be read. Another fault while paging costs no entry that was read before.
    """
    with step("probe"):
        document = spotify.playlist(playlist_id)
    earlier: CompletePlaylist | None = None
    for _ in range(_READINGS):
        calls = spotify.calls
        try:
            playlist = _read(spotify, playlist_id, document)
        except QuotaError:
            if earlier:
                break
            raise
        if earlier and playlist.outcome != "ok":
            break
        if playlist.fault or spotify.calls == calls:
            return playlist
        try:
            after = spotify.playlist(playlist_id)
        except WebError:
            return replace(playlist, finding="unchecked")
        if after.get("snapshot_id") == document.get("snapshot_id"):
            return playlist
        document, earlier = after, playlist
    assert earlier
    return replace(earlier, finding="moved")


def _read(spotify: SpotifyClient, playlist_id: str, document: JsonObject) -> CompletePlaylist:
    name = container(document.get)
    if name is None or not isinstance(document[name], dict):
        return CompletePlaylist(document, [], "metadata_only", "absent")
    first: JsonObject = document[name]
    entries, fault = _all_entries(spotify, playlist_id, first)
    finding = fault.finding if fault else "ok"
    if not entries and listed(first) is None:
        return CompletePlaylist(document, [], "metadata_only", finding if fault else "absent", fault)
    outcome: Stored = "partial" if fault or len(entries) < (integer(first.get("total")) or 0) else "ok"
    return CompletePlaylist(_completed(document, name, entries), entries, outcome, finding, fault)


def _all_entries(spotify: SpotifyClient, playlist_id: str, first: JsonObject) -> tuple[list[Any], WebError | None]:
    entries = list(listed(first) or ())
    total = integer(first.get("total"))
    try:
        while total is None or len(entries) < total:
            with step("page") as work:
                work.note(offset=len(entries))
                more = listed(spotify.playlist_page(playlist_id, offset=len(entries)))
            if not more:
                break
            entries += more
    except QuotaError:
        raise
    except WebError as fault:
        return entries, fault
    return entries, None


def _completed(document: JsonObject, name: str, entries: list[Any]) -> JsonObject:
    completed = {**document, name: {**document[name], "items": entries}}
    if name == "items" and len(listed(document.get("tracks")) or ()) < len(entries):
        completed.pop("tracks", None)
    return completed
