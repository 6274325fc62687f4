"""A playlist with all of its entries, in the generation of the Web API that it came in."""

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
"""Spotify lets no playlist hold more: beyond, a count without entries is not believed."""

_ENTRIES_THAT_PAY_A_CALL: Final = 10
"""A call fetches 50 entries or artists, 20 albums or 100 features: ten distinct tracks cost one call in all."""

_MAY_BE_OWNED: Final = (
    "Own the list, authorise its owner or a collaborator with `earworm authorize`, or apply for extended quota at "
    "https://developer.spotify.com/documentation/web-api/concepts/quota-modes"
)
_IS_NOT_FOUND: Final = (
    "Check the id. If it is right, the list is private or Spotify's own (37i9...), which only applications with "
    "extended quota of before 27 November 2024 may read: take a copy of it in its place"
)
_MEND_IT: Final = "Mend what the fault names: no repetition will"
RUN_AGAIN: Final = "Run again later"


@dataclass(frozen=True, slots=True)
class CompletePlaylist:
    """What could be read of a playlist.

    Attributes:
        document: The playlist as Spotify sent it, with the entries of all pages in place of the first page's.
            The other fields of the page (`next`, `offset`, `limit`) stay as they came with the first one.
        entries: Those entries. Where a page was shorter than asked, nulls keep the places of the pages after it.
        finding: What became of the entries, for the snapshot's `capabilities`: `ok`, `absent`, `moved` if the playlist
            was edited in each reading, `unchecked` if that could not be told, or a fault's finding.
        fault: What ended the reading before Spotify's `total` was reached, if it was a fault.
        gaps: How many of the entries are such nulls.
        missing: How many entries fewer came than Spotify counts.
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
        """How many entries came, those included whose track Spotify no longer has."""
        return len(self.entries) - self.gaps

    @property
    def sentence(self) -> str | None:
        """What is missing and what to do, unless nothing is."""
        match self.outcome:
            case "ok" if self.finding == "moved":
                return (
                    "The playlist was edited each time that it was read: an entry may be there twice or not at all. "
                    f"{RUN_AGAIN}"
                )
            case "ok":
                return None
            case "partial":
                of = f" of {self.came + self.missing:,}" if self.missing else ""
                cause = self.fault or "Spotify's pages hold fewer than it counts"
                return f"{self.came:,}{of} entries came: {cause}. {_advice(self.fault) if self.fault else RUN_AGAIN}"
            case "metadata_only":
                cause = f" ({self.fault})" if self.fault else ""
                advice = _advice(self.fault) if self.fault else _MAY_BE_OWNED
                return f"Spotify gave the playlist without its entries{cause}. {advice}"


def outcome_of(fault: Exception) -> tuple[NotStored, str]:
    """What a playlist without a snapshot has come to, and a sentence that says why and what to do."""
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
    """What to do about a fault of a playlist that is there."""
    match fault:
        case RefusedError() if is_lasting(fault):
            return _MAY_BE_OWNED
        case WebError() if not isinstance(fault, TransientError):
            return _MEND_IT
        case WebError():
            return RUN_AGAIN
        case _:
            return f"{RUN_AGAIN}, unless the fault names what to mend"


def read_playlist(spotify: SpotifyClient, playlist_id: str) -> CompletePlaylist:
    """Reads a playlist and the pages that its document does not hold yet.

    Pages are asked for by offset, for `next` may name a route or a host that the application cannot use. If a playlist
    has another `snapshot_id` after its pages were read than before, it may have been edited between them, and is read
    again, at most twice, unless the same entries come again.

    The run may make a call more for every ten entries that Spotify counts, so that a long list is read to its end.

    A document of both generations at once holds the entries twice: `items` is completed, and `tracks` is kept only if
    it is complete by itself, so that no reader takes a first page for the whole.

    Raises:
        QuotaError: The run is over, and the playlist was not read to its end.
        WebError: The playlist itself cannot be read. Another fault while paging costs no entry that was read before.
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
    """The entries of a playlist, page after page.

    A page takes the places from its offset on that were asked for. If fewer entries come, the next page is asked for
    behind those places: the entries after the ones that came stand there, and would come twice.

    Attributes:
        entries: What came, with null in the places before other entries that nothing came for.
        gaps: How many places these are.
    """

    def __init__(self, first: JsonObject) -> None:
        self.entries: list[Any] = list(listed(first) or ())
        self._total = integer(first.get("total"))
        self.gaps = 0
        # Which places a page holds that nobody asked for, and that is shorter than it says, cannot be told.
        is_short = len(self.entries) < min(integer(first.get("limit")) or 0, self._total or 0)
        self._offset = 0 if is_short else len(self.entries)

    @property
    def missing(self) -> int:
        """How many entries fewer came than Spotify counts."""
        return max(0, (self._total or 0) - (len(self.entries) - self.gaps))

    def complete(self, spotify: SpotifyClient, playlist_id: str) -> WebError | None:
        """Asks for the pages that are not there yet; returns the fault that ended that, if one did.

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
        """Whether there is no total, or one that more entries than it counts belie: then an empty page is the end."""
        return self._total is None or len(self.entries) > self._total

    def _add(self, page: JsonObject) -> None:
        entries: list[Any] = page["items"]
        if entries:
            del self.entries[self._offset :]
            gap = self._offset - len(self.entries)
            self.entries += [None] * gap + entries
            self.gaps += gap
        self._total = self._total if (told := integer(page.get("total"))) is None else told
        asked = min(integer(page.get("limit")) or ENTRIES_A_CALL, ENTRIES_A_CALL)
        self._offset += max(asked, len(entries), 1)


def _total_of(document: JsonObject) -> int:
    name = container(document.get)
    page = document[name] if name else None
    return max(0, integer(page.get("total")) or 0) if isinstance(page, dict) else 0


def _completed(document: JsonObject, name: str, entries: list[Any]) -> JsonObject:
    completed = {**document, name: {**document[name], "items": entries}}
    if name == "items" and len(listed(document.get("tracks")) or ()) < len(entries):
        completed.pop("tracks", None)
    return completed
