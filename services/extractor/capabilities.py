"""What Spotify gives to this application: no document tells, so the first call of each kind finds out.

Source: https://developer.spotify.com/documentation/web-api/concepts/quota-modes
"""

from collections.abc import Callable
from typing import Final, Literal, ParamSpec, TypeAlias, TypeVar

import requests

from shared.web import RefusedError

Capability: TypeAlias = Literal["playlist_items", "playlist_tracks", "batch_lookup", "artist_lookup", "audio_features"]
P = ParamSpec("P")
T = TypeVar("T")

_LASTING: Final = frozenset({requests.codes.forbidden, requests.codes.not_found, requests.codes.gone})


class Capabilities:
    """What was found in a run. What was refused once is not asked for again in that run."""

    def __init__(self) -> None:
        self._refusals: dict[Capability, RefusedError] = {}
        self._given: set[Capability] = set()

    @property
    def findings(self) -> dict[str, str]:
        """Each capability that was tried: `ok`, or how it was refused, such as `refused:403`."""
        findings: dict[str, str] = dict.fromkeys(sorted(self._given), "ok")
        return findings | {name: refusal.finding for name, refusal in sorted(self._refusals.items())}

    def refused(self, capability: Capability) -> RefusedError | None:
        """How Spotify refused it, if it did."""
        return self._refusals.get(capability)

    def use(self, capability: Capability, request: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Makes a request that needs a capability.

        Raises:
            RefusedError: Spotify refuses, or did so before, and then nothing is asked.
            WebError: As the request does.
        """
        if refusal := self._refusals.get(capability):
            raise refusal.with_traceback(None)
        try:
            answer = request(*args, **kwargs)
        except RefusedError as refusal:
            self.refuse(capability, refusal)
            raise
        self._given.add(capability)
        return answer

    def refuse(self, capability: Capability, refusal: RefusedError) -> None:
        """Remembers a refusal, unless it is one of the request alone."""
        if is_lasting(refusal):
            self._refusals[capability] = refusal


def is_lasting(refusal: RefusedError) -> bool:
    """Whether the application is refused, rather than a malformed request."""
    return refusal.status in _LASTING
