"""ListenBrainz, as far as the collector asks it.

Sources: https://listenbrainz.readthedocs.io/en/latest/users/api/statistics.html,
https://listenbrainz.readthedocs.io/en/latest/users/api/metadata.html
"""

from collections.abc import Callable, Sequence
from typing import Final

import requests
from msgspec import DecodeError, Raw
from msgspec.json import decode
from tenacity import Retrying

from contracts.layouts.listenbrainz import MOST_ROWS, RANGE
from services.listenbrainz.week import NotAWeekError, Statistics, read_statistics
from shared.web import UnavailableError, WebSession

CALL_BUDGET: Final = 10
"""Two calls, each with every retry."""


def session(seconds_left: Callable[[], float], *, version: str, contact: str, token: str | None = None) -> WebSession:
    """A session that says who is calling.

    Args:
        seconds_left: How much time there is still for calls.
        version: The service's.
        contact: Whom ListenBrainz asks about these calls.
        token: A user's; without one nobody is named.
    """
    calls = WebSession(seconds_left, lambda: CALL_BUDGET)
    calls.headers["User-Agent"] = f"earworm/{version} ({contact})"
    if token:
        calls.headers["Authorization"] = f"Token {token}"
    return calls


class ListenBrainz:
    """The two calls of a run. Each raises a WebError once repeating does not help.

    Args:
        session: Makes the calls.
        retrying: Repeats them.
        api_url: Base address, with a slash at its end.
    """

    def __init__(self, session: WebSession, retrying: Retrying, api_url: str) -> None:
        self._session = session
        self._retrying = retrying
        self._api_url = api_url

    @property
    def calls(self) -> int:
        """How many calls were made, those that failed included."""
        return self._session.calls

    def sitewide_recordings(self) -> Statistics:
        """The recordings of the last week that ListenBrainz has calculated, whichever that is.

        Raises:
            NoContentError: It has calculated none.
            WebError: There is no usable answer.
        """
        query = {"range": RANGE, "count": str(MOST_ROWS), "offset": "0"}

        def ask() -> Statistics:
            answer = self._session.get(f"{self._api_url}stats/sitewide/recordings", params=query)
            try:
                return read_statistics(answer.content)
            except NotAWeekError as fault:
                raise _unreadable(answer, str(fault)) from None

        return self._retrying(ask)

    def recording_metadata(self, mbids: Sequence[str]) -> Raw:
        """What MusicBrainz knows of recordings, by their MBIDs, in one answer; unknown ones are left out.

        Raises:
            WebError: There is no usable answer.
        """
        asked = {"recording_mbids": list(mbids), "inc": "artist release"}

        def ask() -> Raw:
            answer = self._session.post(f"{self._api_url}metadata/recording/", json=asked)
            try:
                decode(answer.content, type=dict[str, Raw])
            except (DecodeError, RecursionError) as fault:
                raise _unreadable(answer, str(fault)) from None
            return Raw(answer.content)

        return self._retrying(ask)


def _unreadable(answer: requests.Response, problem: str) -> UnavailableError:
    endpoint = f"{answer.request.method} {answer.url.partition('?')[0]}"
    return UnavailableError(endpoint, "unreadable", problem)
