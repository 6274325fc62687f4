"""Reads a playlist with all its entries, in either generation of the Web API."""

from dataclasses import dataclass, replace
from typing import Any, Final

import requests

from contracts.documents import container, listed
from contracts.fields import integer
from contracts.operations.extraction import NotStored, Stored
from services.extractor.capabilities import is_lasting
from services.extractor.spotify import ENTRIES_A_CALL, SpotifyClient
from shared.errors import TransientError
from shared.observability import step
from shared.web import JsonObject, NotFoundError, QuotaError, RefusedError, WebError

_READINGS: Final = 3

_MOST_ENTRIES: Final = 10_000
"""The most entries that Spotify allows in a playlist: a larger count without entries is not trusted."""

_ENTRIES_THAT_PAY_A_CALL: Final = 10
"""A call fetches 50 entries or artists, 20 albums or 100 features: ten distinct tracks cost one call in all."""

_MAY_BE_OWNED: Final = (
    "Own the list, or authorize its owner or a collaborator with `earworm authorize`; for what can be collected "
    "without, see What you can collect, lawfully, today in the README"
)
_IS_NOT_FOUND: Final = (
    "Check the id. If it is right, the list is private or Spotify's own (37i9...), which only applications with "
    "extended quota from before 27 November 2024 may read: use a copy of it instead"
)
_MEND_IT: Final = "Correct what the error names: running again will not help"
RUN_AGAIN: Final = "Run again later"


@dataclass(frozen=True, slots=True)
class CompletePlaylist:
    """A playlist as far as it could be read.

    Attributes:
        document: The playlist as Spotify sent it, with the entries of all pages in place of the first page's.
            The other fields of the page (`next`, `offset`, `limit`) are those of the first one.
        entries: Those entries. If a page was shorter than requested, nulls keep the positions of the entries after it.
        finding: The outcome for the entries, for the snapshot's `capabilities`: `ok`, `absent`, `moved` if the playlist
            was edited during each reading, `unchecked` if that is unknown, or a fault's finding.
        fault: The fault that ended the reading before Spotify's `total` was reached, if any.
        gaps: How many of the entries are such nulls.
        missing: How many entries that Spotify counts were not received.
    """

    document: JsonObject
    entries: list[Any]
    outcome: Stored
    finding: str = "ok"
    fault: WebError | None = None
    gaps: int = 0
    missing: int = 0

    @property
    def came(self) -> int:
        """How many entries were received, including those whose track Spotify no longer has."""
        return len(self.entries) - self.gaps

    @property
    def sentence(self) -> str | None:
        """What is missing and what to do; None if nothing is."""
        match self.outcome:
            case "ok" if self.finding == "moved":
                return (
                    f"The playlist was edited during each reading: an entry may be duplicated or missing. {RUN_AGAIN}"
                )
            case "ok":
                return None
            case "partial":
                of = f" of {self.came + self.missing:,}" if self.missing else ""
                cause = self.fault or "Spotify's pages contain fewer than it counts"
                return (
                    f"{self.came:,}{of} entries received: {cause}. {_advice(self.fault) if self.fault else RUN_AGAIN}"
                )
            case "metadata_only":
                cause = f" ({self.fault})" if self.fault else ""
                advice = _advice(self.fault) if self.fault else _MAY_BE_OWNED
                return f"Spotify returned the playlist without its entries{cause}. {advice}"


def outcome_of(fault: Exception) -> tuple[NotStored, str]:
    """Returns the outcome of a playlist without a snapshot, and a sentence that says why and what to do."""
    outcome: NotStored
    match fault:
        case QuotaError():
            outcome, advice = "quota", "The run is over, and the rest is deferred"
        case NotFoundError():
            outcome, advice = "not_found_or_editorial", _IS_NOT_FOUND
        case RefusedError(status=requests.codes.forbidden):
            outcome, advice = "forbidden", _MAY_BE_OWNED
        case _:
            outcome, advice = "failed", _advice(fault)
    return outcome, f"{fault}. {advice}"


def _advice(fault: Exception) -> str:
    """Says what to do about a fault with a playlist that exists."""
    match fault:
        case RefusedError() if is_lasting(fault):
            return _MAY_BE_OWNED
        case WebError() if not isinstance(fault, TransientError):
            return _MEND_IT
        case WebError():
            return RUN_AGAIN
        case _:
            return f"{RUN_AGAIN}, unless the error names what to correct"


def read_playlist(spotify: SpotifyClient, playlist_id: str) -> CompletePlaylist:
    """Reads a playlist and the pages beyond the first.

    Pages are requested by offset, as `next` may name a route or a host that the application cannot use. If
    `snapshot_id` changed while the pages were read, the playlist may have been edited between them, and is read again,
    at most twice, unless the same entries are received again.

    The run may make one more call for every ten entries that Spotify counts, so that a long list is read to its end.

    A document of both generations holds the entries twice: `items` is completed, and `tracks` is kept only if it is
    complete by itself, so that no reader mistakes a first page for all entries.

    Raises:
        QuotaError: The run is over, and the playlist was not read to its end.
        WebError: The playlist itself cannot be read. A later fault while paging keeps the entries already read.
    """
    with step("probe"):
        document = spotify.playlist(playlist_id)
    spotify.call_budget += min(_total_of(document), _MOST_ENTRIES) // _ENTRIES_THAT_PAY_A_CALL
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
        if playlist.fault or spotify.calls == calls or (earlier and playlist.entries == earlier.entries):
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
    contents = _Contents(document[name])
    fault = contents.complete(spotify, playlist_id)
    finding = fault.finding if fault else "ok"
    if not contents.entries and listed(document[name]) is None:
        return CompletePlaylist(document, [], "metadata_only", finding if fault else "absent", fault)
    return CompletePlaylist(
        _completed(document, name, contents.entries),
        contents.entries,
        "partial" if fault or contents.missing else "ok",
        finding,
        fault,
        contents.gaps,
        contents.missing,
    )


class _Contents:
    """The entries of a playlist, page by page.

    A page covers the positions that were requested. If it returns fewer entries, the next page is still requested after
    those positions: an earlier offset would return entries twice.

    Attributes:
        entries: The entries received, with null at missing positions before others.
        gaps: The number of these nulls.
    """

    def __init__(self, first: JsonObject) -> None:
        self.entries: list[Any] = list(listed(first) or ())
        self._total = integer(first.get("total"))
        self.gaps = 0
        # The positions of an unrequested page that is shorter than it says are unknown.
        is_short = len(self.entries) < min(integer(first.get("limit")) or 0, self._total or 0)
        self._offset = 0 if is_short else len(self.entries)

    @property
    def missing(self) -> int:
        """How many entries that Spotify counts were not received."""
        return max(0, (self._total or 0) - (len(self.entries) - self.gaps))

    def complete(self, spotify: SpotifyClient, playlist_id: str) -> WebError | None:
        """Requests the remaining pages; returns the fault that ended that, if any.

        Raises:
            QuotaError: The run is over.
        """
        try:
            while self._may_go_on:
                with step("page") as work:
                    work.note(offset=self._offset)
                    page = spotify.playlist_page(playlist_id, offset=self._offset)
                if not page["items"] and (self._counts_nothing or self._offset >= _MOST_ENTRIES):
                    break
                self._add(page)
        except QuotaError:
            raise
        except WebError as fault:
            return fault
        return None

    @property
    def _may_go_on(self) -> bool:
        return self._counts_nothing or self._offset < (self._total or 0)

    @property
    def _counts_nothing(self) -> bool:
        """Whether there is no total, or more entries than it counts: then an empty page is the end."""
        return self._total is None or len(self.entries) > self._total

    def _add(self, page: JsonObject) -> None:
        entries: list[Any] = page["items"]
        if entries:
            del self.entries[self._offset :]
            gap = self._offset - len(self.entries)
            self.entries += [None] * gap + entries
            self.gaps += gap
        self._total = self._total if (total := integer(page.get("total"))) is None else total
        limit = min(integer(page.get("limit")) or ENTRIES_A_CALL, ENTRIES_A_CALL)
        self._offset += max(limit, len(entries), 1)


def _total_of(document: JsonObject) -> int:
    name = container(document.get)
    page = document[name] if name else None
    return max(0, integer(page.get("total")) or 0) if isinstance(page, dict) else 0


def _completed(document: JsonObject, name: str, entries: list[Any]) -> JsonObject:
    completed = {**document, name: {**document[name], "items": entries}}
    if name == "items" and len(listed(document.get("tracks")) or ()) < len(entries):
        completed.pop("tracks", None)
    return completed
