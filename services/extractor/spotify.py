"""Reads the Spotify Web API through spotipy.

spotipy turns an unreadable answer into None, a refused token into an error without a status, and an error body that
is plain text into an AttributeError. Answers are therefore checked in the session, before spotipy sees them.
"""

import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import requests
from spotipy import Spotify, SpotifyException
from spotipy.cache_handler import CacheHandler

from contracts.fields import integer
from services.extractor.authorization import authorization
from services.extractor.capabilities import Capabilities, is_lasting
from services.extractor.credentials import Credentials
from shared.batches import batches
from shared.errors import TransientError
from shared.web import (
    JsonObject,
    NotFoundError,
    QuotaError,
    RefusedError,
    UnavailableError,
    WebError,
    WebSession,
    retrying,
)

ENTRIES_A_CALL: Final = 50
_ARTISTS_A_CALL: Final = 50
_ALBUMS_A_CALL: Final = 20
_TRACKS_A_CALL: Final = 100
_KINDS_OF_ENTRY: Final = ("track", "episode")


class SpotifyClient:
    """The Web API's operations that the extractor needs; they return Spotify's own documents.

    A refused capability is not requested again; other calls are retried as in `web.retrying`. Every method raises a
    WebError if retries do not help. Like spotipy itself, a client is for one thread, and for one run.

    Attributes:
        capabilities: The capabilities that were found.
        call_budget: How many calls the run may make. It grows with the playlists that the run reads.
    """

    def __init__(
        self,
        *,
        credentials: Credentials,
        tokens: CacheHandler,
        market: str,
        api_url: str,
        token_url: str,
        call_budget: int,
        seconds_left: Callable[[], float],
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Makes a client.

        Args:
            credentials: The application's, and a user's consent if there is one.
            tokens: Caches the access token, across clients if need be.
            market: The market of all requests, ISO 3166-1 alpha-2.
            api_url: Base address of the Web API.
            token_url: Address of the token endpoint.
            call_budget: How many calls may be made at first, including those for tokens.
            seconds_left: Returns the time left for calls and pauses.
            sleep: Waits for some seconds.
        """
        self.capabilities = Capabilities()
        self.call_budget = call_budget
        self._session = WebSession(seconds_left, lambda: self.call_budget)
        self._market = market
        self._authorization = authorization(credentials, session=self._session, tokens=tokens, token_url=token_url)
        self._unauthorized: WebError | None = None
        self._spotify = Spotify(auth_manager=self._authorization, requests_session=self._session)
        self._spotify.prefix = api_url
        self._retrying = retrying(seconds_left, sleep)

    @property
    def calls(self) -> int:
        """How many calls were made, including those for tokens and those that failed."""
        return self._session.calls

    @property
    def spent(self) -> QuotaError | None:
        """The error that ended the calls of this run; every later call raises it and makes no request."""
        return self._session.spent

    def playlist(self, playlist_id: str) -> JsonObject:
        """Returns a playlist with its first entries, as far as the application may read them."""
        playlist: JsonObject = self._call(
            self._spotify.playlist, playlist_id, market=self._market, additional_types=_KINDS_OF_ENTRY
        )
        return playlist

    def playlist_page(self, playlist_id: str, *, offset: int) -> JsonObject:
        """Returns a page of at most 50 entries of a playlist, from an offset on; its `items` are a list.

        If the route of 2026 is refused and the earlier one is not, the run stays with the earlier one. If both are, it
        is the playlist that is refused.
        """
        if not self.capabilities.refused("playlist_items"):
            try:
                return self._items(playlist_id, offset)
            except RefusedError as refusal:
                if not is_lasting(refusal):
                    raise
                page = self._tracks(playlist_id, offset, instead_of=refusal)
                self.capabilities.refuse("playlist_items", refusal)
                return page
        return self._tracks(playlist_id, offset)

    def artists(self, ids: Sequence[str]) -> Iterator[dict[str, JsonObject | None]]:
        """Yields full artists by id, call by call; None for one unknown to Spotify."""
        for batch in batches(ids, _ARTISTS_A_CALL):
            answer = self.capabilities.use("batch_lookup", self._call, self._spotify.artists, batch)
            yield dict(zip(batch, _listed("artists", answer.get("artists")), strict=False))

    def artist(self, artist_id: str) -> JsonObject | None:
        """Returns a full artist, from the endpoint for a single one; None if unknown to Spotify."""

        def look_up() -> JsonObject | None:
            try:
                artist: JsonObject = self._call(self._spotify.artist, artist_id)
            except NotFoundError:
                return None
            return artist

        return self.capabilities.use("artist_lookup", look_up)

    def albums(self, ids: Sequence[str]) -> Iterator[dict[str, JsonObject | None]]:
        """Yields full albums by id, call by call; None for one unknown to Spotify."""
        for batch in batches(ids, _ALBUMS_A_CALL):
            answer = self.capabilities.use("batch_lookup", self._call, self._spotify.albums, batch, market=self._market)
            yield dict(zip(batch, _listed("albums", answer.get("albums")), strict=False))

    def audio_features(self, ids: Sequence[str]) -> Iterator[list[JsonObject]]:
        """Yields audio features of tracks, call by call, without tracks that Spotify did not measure."""
        for batch in batches(ids, _TRACKS_A_CALL):
            answer = self.capabilities.use("audio_features", self._call, self._deprecated_audio_features, batch)
            yield [each for each in _listed("audio features", answer) if each is not None]

    def _items(self, playlist_id: str, offset: int) -> JsonObject:
        def page() -> JsonObject:
            answer = self._spotify.playlist_items(
                playlist_id,
                limit=ENTRIES_A_CALL,
                offset=offset,
                market=self._market,
                additional_types=_KINDS_OF_ENTRY,
            )
            return _checked_page(answer, f"playlists/{playlist_id}/items", offset)

        answer: JsonObject = self._call(page)
        return answer

    def _tracks(self, playlist_id: str, offset: int, *, instead_of: RefusedError | None = None) -> JsonObject:
        """Returns a page by the route that spotipy no longer supports."""
        route = f"playlists/{playlist_id}/tracks"

        def page() -> JsonObject:
            answer = self._spotify._get(  # noqa: SLF001
                route,
                limit=ENTRIES_A_CALL,
                offset=offset,
                market=self._market,
                additional_types=",".join(_KINDS_OF_ENTRY),
            )
            return _checked_page(answer, route, offset)

        try:
            answer: JsonObject = self.capabilities.use("playlist_tracks", self._call, page)
        except RefusedError as refusal:
            raise instead_of or refusal from None
        return answer

    def _deprecated_audio_features(self, ids: Sequence[str]) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            return self._spotify.audio_features(ids)

    def _call(self, request: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        return self._retrying(self._attempt, request, *args, **kwargs)

    def _attempt(self, request: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        self._authorize()
        try:
            return request(*args, **kwargs)
        except SpotifyException as fault:
            raise RefusedError(str(fault.msg), fault.http_status, "spotipy does not take it as a Spotify id") from None
        except RefusedError as fault:
            if fault.status != requests.codes.unauthorized:
                raise
            self._authorization.forget_access_token()
            raise UnavailableError(fault.endpoint, fault.status, "the access token is no longer valid") from None

    def _authorize(self) -> None:
        if self._unauthorized:
            raise self._unauthorized.with_traceback(None)
        try:
            self._authorization.get_access_token(as_dict=False)
        except WebError as fault:
            if not isinstance(fault, TransientError):
                self._unauthorized = fault
            raise


def _checked_page(page: JsonObject, route: str, offset: int) -> JsonObject:
    """Returns the page if it holds a list and has the requested offset."""
    _listed(route, page.get("items"))
    if (found := integer(page.get("offset"))) not in (None, offset):
        raise UnavailableError(route, "unreadable", f"the page of offset {found} instead of that of {offset}")
    return page


def _listed(name: str, answer: Any) -> list[Any]:
    if not isinstance(answer, list):
        raise UnavailableError(name, "unreadable", "the answer contains no list of them")
    return answer
