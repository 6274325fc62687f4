"""Calls of web services that answer in JSON, with faults told apart and every retry in one place."""

import time
from collections.abc import Callable, Mapping
from io import BytesIO
from typing import Any, Final, TypeAlias

import requests
import urllib3
from tenacity import RetryCallState, Retrying, retry_if_exception, wait_random_exponential

from contracts.operations.log_events import LogEvent
from shared.errors import TransientError
from shared.observability import log

JsonObject: TypeAlias = dict[str, Any]
Fetch: TypeAlias = Callable[[str, Mapping[str, str]], JsonObject]
"""Gets the JSON object at an address, asked with a query; raises a WebError once repeating does not help."""

TIMEOUT_SECONDS: Final = 10.0
"""How long a call waits for a connection, and then for each part of the answer."""

_LONGEST_ANSWER_SECONDS: Final = 30.0
_LONGEST_PAUSE_SECONDS: Final = 60.0
"""Limits on the rate of calls pass within a minute: one that lasts longer is a quota that is spent."""

_WAITS: Final = ("Retry-After", "X-RateLimit-Reset-In")
"""The headers of an answer that tell how many seconds to wait; the second is ListenBrainz's.

Source: https://listenbrainz.readthedocs.io/en/latest/users/api/index.html#rate-limiting
"""
_ATTEMPTS: Final = 5
_BACKOFF: Final = wait_random_exponential(multiplier=1, max=20)
_PART_BYTES: Final = 2**16


class WebError(Exception):
    """A web service did not give what it was asked for.

    Attributes:
        finding: The fault as a snapshot's `capabilities` record it, such as `refused:403`.
    """

    def __init__(self, sentence: str, finding: str) -> None:
        super().__init__(sentence)
        self.finding = finding


class RefusedError(WebError):
    """The service will not give this, however often it is asked."""

    def __init__(self, endpoint: str, status: int, message: str) -> None:
        super().__init__(f"{endpoint} was refused with {status}: {message}", f"refused:{status}")
        self.endpoint = endpoint
        self.status = status
        self.message = message


class NotFoundError(RefusedError):
    """There is no such thing, or none that the application may know of."""

    def __init__(self, endpoint: str, message: str) -> None:
        super().__init__(endpoint, requests.codes.not_found, message)


class RateLimitedError(WebError, TransientError):
    """Too many calls for now.

    Attributes:
        retry_after: Seconds to wait, if the service told.
    """

    def __init__(self, endpoint: str, message: str, retry_after: float | None, *, finding: str = "failed:429") -> None:
        told = f", to wait for {retry_after:.0f} s" if retry_after else ""
        super().__init__(f"{endpoint} is limited{told}: {message}", finding)
        self.retry_after = retry_after


class QuotaError(RateLimitedError):
    """No more calls in this run: a limit that outlasts it, or what it may spend of calls or time is spent."""

    def __init__(self, endpoint: str, message: str, retry_after: float | None) -> None:
        super().__init__(endpoint, message, retry_after, finding="quota")


class NoContentError(WebError, TransientError):
    """The service has nothing to give yet, which it says with 204: to repeat the call at once brings nothing."""

    def __init__(self, endpoint: str) -> None:
        super().__init__(f"{endpoint} has no content yet ({requests.codes.no_content})", "failed:204")


class UnavailableError(WebError, TransientError):
    """No usable answer this time.

    Args:
        endpoint: What was asked.
        cause: A status, or a word for what came in place of an answer.
        detail: More of it.
    """

    def __init__(self, endpoint: str, cause: int | str, detail: str) -> None:
        super().__init__(f"{endpoint} did not answer: {detail} ({cause})", f"failed:{cause}")


class WebSession(requests.Session):
    """A session that repeats nothing, counts and limits its calls, and lets only JSON objects through.

    Every call raises a WebError in place of an answer that is none. After a QuotaError it asks nothing any more and
    raises the same again.

    Attributes:
        calls: How many calls were made, those that failed included.
        spent: What ended the calls of this session.
    """

    def __init__(self, seconds_left: Callable[[], float], call_budget: Callable[[], int]) -> None:
        super().__init__()
        self.calls = 0
        self.spent: QuotaError | None = None
        self._seconds_left = seconds_left
        self._call_budget = call_budget

    def request(self, method: Any, url: Any, *args: Any, **kwargs: Any) -> requests.Response:
        """Makes one call.

        Raises:
            WebError: There is no answer that is a JSON object.
        """
        endpoint = f"{method} {url.partition('?')[0]}"
        try:
            self._check_what_is_left(endpoint)
            answer = self._answer(endpoint, method, url, *args, **kwargs)
            _judge(endpoint, answer, self._seconds_left())
        except QuotaError as fault:
            self.spent = fault
            raise
        return answer

    def _check_what_is_left(self, endpoint: str) -> None:
        if self.spent:
            raise self.spent.with_traceback(None)
        if self._seconds_left() <= 0:
            raise QuotaError(endpoint, "the run has used up its time", 0)
        if self.calls >= (budget := self._call_budget()):
            raise QuotaError(endpoint, f"the run has spent its budget of {budget:,} calls", None)

    def _answer(self, endpoint: str, method: str, url: str, *args: Any, **kwargs: Any) -> requests.Response:
        self.calls += 1
        timeout = min(TIMEOUT_SECONDS, self._seconds_left())
        try:
            answer = super().request(method, url, *args, **{**kwargs, "timeout": timeout, "stream": True})
            answer.raw = self._body(answer)
        except (requests.Timeout, urllib3.exceptions.TimeoutError) as fault:
            raise UnavailableError(endpoint, "timeout", "the answer did not come in time") from fault
        except (requests.RequestException, urllib3.exceptions.HTTPError) as fault:
            raise UnavailableError(endpoint, "connection", type(fault).__name__) from fault
        return answer

    def _body(self, answer: requests.Response) -> BytesIO:
        """All of an answer that comes in time: a time-out bounds each part alone."""
        body = BytesIO()
        until = time.monotonic() + _LONGEST_ANSWER_SECONDS
        with answer:
            answer.raw.decode_content = True
            while part := answer.raw.read1(_PART_BYTES):
                body.write(part)
                if self._seconds_left() <= 0 or time.monotonic() > until:
                    raise requests.Timeout
        body.seek(0)
        return body


def retrying(seconds_left: Callable[[], float], sleep: Callable[[float], None] = time.sleep) -> Retrying:
    """The one policy of repetition.

    Short limits, faults of a server and lost connections are repeated, five attempts in all, as long as the pause
    before the next one ends within the time that is left. Refusals never are.

    Args:
        seconds_left: How much time there is still for calls and pauses.
        sleep: Spends a pause.
    """
    return Retrying(
        retry=retry_if_exception(_may_soon_succeed),
        wait=_pause,
        stop=lambda state: state.attempt_number >= _ATTEMPTS or state.upcoming_sleep >= seconds_left(),
        sleep=sleep,
        before_sleep=_log_repetition,
        reraise=True,
    )


def fetcher(session: WebSession, retrying: Retrying) -> Fetch:
    """What gets JSON objects through a session, with every retry."""

    def get(url: str, query: Mapping[str, str]) -> JsonObject:
        answer: JsonObject = session.get(url, params=query).json()
        return answer

    return lambda url, query: retrying(get, url, query)


def _judge(endpoint: str, answer: requests.Response, seconds_left: float) -> None:
    if answer.status_code == requests.codes.no_content:
        raise NoContentError(endpoint)
    if answer.ok:
        if not isinstance(_json(answer), dict):
            raise UnavailableError(endpoint, "unreadable", "the answer is no JSON object")
        return
    status, message = answer.status_code, _message(answer)
    if status == requests.codes.too_many_requests:
        raise _limit(endpoint, message, _reason(answer), _retry_after(answer), seconds_left)
    if status >= requests.codes.server_error or status == requests.codes.request_timeout:
        raise UnavailableError(endpoint, status, message)
    if status == requests.codes.not_found:
        raise NotFoundError(endpoint, message)
    raise RefusedError(endpoint, status, message)


def _limit(
    endpoint: str, message: str, reason: str | None, retry_after: float | None, seconds_left: float
) -> RateLimitedError:
    is_long = retry_after is not None and retry_after >= min(_LONGEST_PAUSE_SECONDS + 1, seconds_left)
    kind = QuotaError if is_long or reason == "QUOTA_EXCEEDED" else RateLimitedError
    return kind(endpoint, message, retry_after)


def _json(answer: requests.Response) -> Any:
    try:
        return answer.json()
    except (requests.JSONDecodeError, RecursionError):
        return None


def _reason(answer: requests.Response) -> str | None:
    match _json(answer):
        case {"error": {"reason": str(reason)}} | {"reason": str(reason)}:
            return reason
    return None


def _message(answer: requests.Response) -> str:
    """What an error's body says: an object from Spotify's Web API, words from token services and ListenBrainz.

    Source: https://developer.spotify.com/documentation/web-api/concepts/api-calls#response-error
    """
    match _json(answer):
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
    waits = (answer.headers.get(name, "") for name in _WAITS)
    return next((float(seconds) for seconds in waits if seconds.isdecimal()), None)


def _may_soon_succeed(fault: BaseException) -> bool:
    return isinstance(fault, RateLimitedError | UnavailableError) and not isinstance(fault, QuotaError)


def _fault(state: RetryCallState) -> BaseException | None:
    return state.outcome.exception() if state.outcome else None


def _pause(state: RetryCallState) -> float:
    match _fault(state):
        case RateLimitedError(retry_after=float(seconds)):
            return seconds
        case _:
            return _BACKOFF(state)


def _log_repetition(state: RetryCallState) -> None:
    log.warning(
        LogEvent.CALL_REPEATED,
        "call is repeated",
        sentence=str(_fault(state)),
        in_seconds=round(state.upcoming_sleep, 1),
    )
