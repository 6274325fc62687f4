"""The Spotify Web API through spotipy, with faults told apart and every retry in one place.

spotipy turns an unreadable answer into None, a refused token into an error without a status, and an error body that
is plain text into an AttributeError. Answers are therefore judged in the session, before spotipy sees them.
"""

import logging
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, TypeAlias
from urllib.parse import urlsplit

import requests
from spotipy import Spotify, SpotifyClientCredentials, SpotifyException
from spotipy.cache_handler import CacheHandler
from tenacity import RetryCallState, Retrying, retry_if_exception, wait_random_exponential

from services.extractor.credentials import Credentials
from shared.errors import TransientError
from shared.observability import logger

JsonObject: TypeAlias = dict[str, Any]

TIMEOUT_SECONDS: Final = 10.0
"""How long one call waits for a connection, and then for each part of the answer."""

_ATTEMPTS: Final = 5
_LONGEST_PAUSE_SECONDS: Final = 60.0
"""Spotify counts calls over 30 s: a limit that lasts much longer is a quota that is spent."""

_ENTRIES_A_CALL: Final = 50
_ARTISTS_A_CALL: Final = 50
_ALBUMS_A_CALL: Final = 20
_TRACKS_A_CALL: Final = 100
_KINDS_OF_ENTRY: Final = ("track", "episode")
_BACKOFF: Final = wait_random_exponential(multiplier=1, max=20)


class SpotifyError(Exception):
    """Spotify did not give what it was asked for.

    Attributes:
        finding: The fault as a snapshot's `capabilities` record it, such as `refused:403`.
    """

    def __init__(self, sentence: str, finding: str) -> None:
        super().__init__(sentence)
        self.finding = finding


class RefusedError(SpotifyError):
    """Spotify will not give this to the application, however often it asks."""

    def __init__(self, endpoint: str, status: int, message: str) -> None:
        super().__init__(f"Spotify refused {endpoint} with {status}: {message}", f"refused:{status}")
        self.endpoint = endpoint
        self.status = status
        self.message = message


class NotFoundError(RefusedError):
    """There is no such thing, or it is a list of Spotify's own that the application may not read."""

    def __init__(self, endpoint: str, message: str) -> None:
        super().__init__(
            endpoint,
            404,
            f"{message}. Check the id; Spotify's own lists (37i9...) answer so where the application may not read them",
        )


class UnauthorisedError(SpotifyError):
    """Spotify does not accept the application's credentials."""

    def __init__(self, refusal: RefusedError) -> None:
        super().__init__(
            f"Spotify gave no access token, {refusal.status}: {refusal.message}. Compare client_id and client_secret "
            "with those at https://developer.spotify.com/dashboard",
            f"unauthorised:{refusal.status}",
        )


class RateLimitedError(SpotifyError, TransientError):
    """Too many calls for now.

    Attributes:
        retry_after: Seconds to wait, if Spotify told.
    """

    def __init__(self, endpoint: str, message: str, retry_after: float | None) -> None:
        told = "told no time to wait" if retry_after is None else f"asks to wait {retry_after:.0f} s"
        super().__init__(f"Spotify limits {endpoint} and {told}: {message}. Run again later", "failed:429")
        self.retry_after = retry_after


class UnavailableError(SpotifyError, TransientError):
    """No usable answer this time.

    Args:
        endpoint: What was asked.
        cause: A status, or a word for what came in place of an answer.
        detail: More of it.
    """

    def __init__(self, endpoint: str, cause: int | str, detail: str) -> None:
        super().__init__(f"Spotify did not answer {endpoint}: {detail} ({cause}). Run again later", f"failed:{cause}")


class SpotifyClient:
    """What the extractor reads of the Web API, as Spotify's own documents.

    Refusals are never repeated. Short limits, faults of the server and lost connections are, within a number of
    attempts and the time that is left. Every method raises a SpotifyError where that did not help. As spotipy itself,
    a client is for one thread.
    """

    def __init__(
        self,
        *,
        credentials: Credentials,
        tokens: CacheHandler,
        market: str,
        api_url: str,
        token_url: str,
        seconds_left: Callable[[], float],
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Makes a client; nothing is called yet.

        Args:
            credentials: The application's.
            tokens: Keeps the access token, beyond this client if need be.
            market: The country whose view of the catalogue is taken, ISO 3166-1 alpha-2.
            api_url: Base address of the Web API.
            token_url: Address that hands out access tokens.
            seconds_left: How much time there is still for calls and pauses.
            sleep: Spends a pause.
        """
        _keep_spotipy_from_logging_secrets()
        self._session = _Session(seconds_left)
        self._tokens = tokens
        self._market = market
        self._authorisation = SpotifyClientCredentials(
            client_id=credentials.client_id,
            client_secret=credentials.client_secret.get_secret_value(),
            requests_session=self._session,
            requests_timeout=TIMEOUT_SECONDS,
            cache_handler=tokens,
        )
        self._authorisation.OAUTH_TOKEN_URL = token_url
        self._spotify = Spotify(
            auth_manager=self._authorisation, requests_session=self._session, requests_timeout=TIMEOUT_SECONDS
        )
        self._spotify.prefix = api_url
        self._retrying = Retrying(
            retry=retry_if_exception(_may_soon_succeed),
            wait=_pause,
            stop=lambda state: state.attempt_number >= _ATTEMPTS or state.upcoming_sleep >= seconds_left(),
            sleep=sleep,
            before_sleep=_log_repetition,
            reraise=True,
        )

    @property
    def calls(self) -> int:
        """How many calls were made, those for tokens and those that failed included."""
        return self._session.calls

    def playlist(self, playlist_id: str) -> JsonObject:
        """A playlist with its first entries, as far as the application may see them."""
        playlist: JsonObject = self._call(
            self._spotify.playlist, playlist_id, market=self._market, additional_types=_KINDS_OF_ENTRY
        )
        return playlist

    def playlist_page(self, playlist_id: str, *, offset: int) -> JsonObject:
        """At most 50 entries of a playlist, from an offset on."""
        page: JsonObject = self._call(
            self._spotify.playlist_items,
            playlist_id,
            limit=_ENTRIES_A_CALL,
            offset=offset,
            market=self._market,
            additional_types=_KINDS_OF_ENTRY,
        )
        return page

    def artists(self, ids: Sequence[str]) -> Iterator[list[JsonObject]]:
        """Full artists, call by call; ids that Spotify does not know are left out."""
        for batch in _batches(ids, _ARTISTS_A_CALL):
            yield _known("artists", self._call(self._spotify.artists, batch).get("artists"))

    def albums(self, ids: Sequence[str]) -> Iterator[list[JsonObject]]:
        """Full albums, likewise."""
        for batch in _batches(ids, _ALBUMS_A_CALL):
            yield _known("albums", self._call(self._spotify.albums, batch, market=self._market).get("albums"))

    def audio_features(self, ids: Sequence[str]) -> Iterator[list[JsonObject]]:
        """Audio features of tracks, likewise."""
        for batch in _batches(ids, _TRACKS_A_CALL):
            yield _known("audio features", self._call(self._deprecated_audio_features, batch))

    def _deprecated_audio_features(self, ids: Sequence[str]) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            return self._spotify.audio_features(ids)

    def _call(self, request: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        return self._retrying(self._attempt, request, *args, **kwargs)

    def _attempt(self, request: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        try:
            self._authorisation.get_access_token(as_dict=False)
        except RefusedError as fault:
            raise UnauthorisedError(fault) from None
        try:
            return request(*args, **kwargs)
        except SpotifyException as fault:
            raise RefusedError(str(fault.msg), fault.http_status, "spotipy takes it for no id of Spotify's") from None
        except RefusedError as fault:
            if fault.status != requests.codes.unauthorized:
                raise
            self._tokens.save_token_to_cache(None)
            raise UnavailableError(fault.endpoint, fault.status, "the access token is no longer valid") from None


class _Session(requests.Session):
    """A session without retries that counts its calls and lets only JSON objects through."""

    def __init__(self, seconds_left: Callable[[], float]) -> None:
        super().__init__()
        self.calls = 0
        self._seconds_left = seconds_left

    def request(self, method: Any, url: Any, *args: Any, **kwargs: Any) -> requests.Response:
        endpoint = f"{method} {urlsplit(url).path}"
        if self._seconds_left() <= 0:
            raise UnavailableError(endpoint, "out_of_time", "the run has used up its time")
        self.calls += 1
        try:
            answer = super().request(method, url, *args, **kwargs)
        except requests.Timeout as fault:
            raise UnavailableError(endpoint, "timeout", f"nothing came for {TIMEOUT_SECONDS:.0f} s") from fault
        except requests.RequestException as fault:
            raise UnavailableError(endpoint, "connection", type(fault).__name__) from fault
        _judge(endpoint, answer)
        return answer


def _judge(endpoint: str, answer: requests.Response) -> None:
    if answer.ok:
        if not isinstance(_json(answer), dict):
            raise UnavailableError(endpoint, "unreadable", "the answer is no JSON object")
        return
    status, message = answer.status_code, _message(answer)
    if status == requests.codes.too_many_requests:
        raise RateLimitedError(endpoint, message, _retry_after(answer))
    if status >= requests.codes.server_error or status == requests.codes.request_timeout:
        raise UnavailableError(endpoint, status, message)
    if status == requests.codes.not_found:
        raise NotFoundError(endpoint, message)
    raise RefusedError(endpoint, status, message)


def _json(answer: requests.Response) -> Any:
    try:
        return answer.json()
    except requests.JSONDecodeError:
        return None


def _message(answer: requests.Response) -> str:
    """What an error's body says: an object from the Web API, words from the token service, anything from a proxy.

    Source: https://developer.spotify.com/documentation/web-api/concepts/api-calls#response-error
    """
    body = _json(answer)
    match body:
        case {"error": {"message": str(message), "reason": str(reason)}}:
            return f"{message} ({reason})"
        case {"error": {"message": str(message)}}:
            return message
        case {"error": str(error), "error_description": str(description)}:
            return f"{error}: {description}"
        case {"error": str(error)}:
            return error
    return answer.text[:200] or answer.reason or "no message"


def _retry_after(answer: requests.Response) -> float | None:
    text = answer.headers.get("Retry-After", "")
    return float(text) if text.isdecimal() else None


def _may_soon_succeed(fault: BaseException) -> bool:
    match fault:
        case RateLimitedError(retry_after=seconds):
            return seconds is None or seconds <= _LONGEST_PAUSE_SECONDS
        case _:
            return isinstance(fault, UnavailableError)


def _fault(state: RetryCallState) -> BaseException | None:
    return state.outcome.exception() if state.outcome else None


def _pause(state: RetryCallState) -> float:
    match _fault(state):
        case RateLimitedError(retry_after=float(seconds)):
            return seconds
        case _:
            return _BACKOFF(state)


def _log_repetition(state: RetryCallState) -> None:
    logger.warning("call is repeated", sentence=str(_fault(state)), in_seconds=round(state.upcoming_sleep, 1))


def _known(name: str, answer: Any) -> list[JsonObject]:
    if not isinstance(answer, list):
        raise UnavailableError(name, "unreadable", "the answer holds no list of them")
    return [each for each in answer if each is not None]


def _batches(ids: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    return (ids[start : start + size] for start in range(0, len(ids), size))


def _keep_spotipy_from_logging_secrets() -> None:
    """At DEBUG spotipy logs the access token and the client's secret."""
    log = logging.getLogger("spotipy")
    log.setLevel(max(logging.INFO, log.level))
