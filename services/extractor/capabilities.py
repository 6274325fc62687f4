"""Finds out what Spotify grants this application: it is not documented, so the first call of each kind tells.

Source: https://developer.spotify.com/documentation/web-api/concepts/quota-modes
"""

from collections.abc import Callable
from typing import Final, Literal, ParamSpec, TypeAlias, TypeVar

import requests

from shared.web import RefusedError

Capability: TypeAlias = Literal["playlist_items", "playlist_tracks", "batch_lookup", "artist_lookup", "audio_features"]
RequestP = ParamSpec("RequestP")
AnswerT = TypeVar("AnswerT")

_LASTING: Final = frozenset({requests.codes.forbidden, requests.codes.not_found, requests.codes.gone})


class Capabilities:
    """The capabilities found in a run. A refused one is not requested again in that run."""

    def __init__(self) -> None:
        self._refusals: dict[Capability, RefusedError] = {}
        self._given: set[Capability] = set()

    @property
    def findings(self) -> dict[str, str]:
        """The finding for each capability that was tried: `ok`, or a refusal such as `refused:403`."""
        findings: dict[str, str] = dict.fromkeys(sorted(self._given), "ok")
        return findings | {name: refusal.finding for name, refusal in sorted(self._refusals.items())}

    def refused(self, capability: Capability) -> RefusedError | None:
        """Returns Spotify's refusal of a capability, if any."""
        return self._refusals.get(capability)

    def use(
        self,
        capability: Capability,
        request: Callable[RequestP, AnswerT],
        *args: RequestP.args,
        **kwargs: RequestP.kwargs,
    ) -> AnswerT:
        """Makes a request that needs a capability.

        Raises:
            RefusedError: Spotify refuses, or did so before; then no request is made.
            WebError: The request raised it.
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
        """Remembers a refusal, unless it concerns the request alone."""
        if is_lasting(refusal):
            self._refusals[capability] = refusal


def is_lasting(refusal: RefusedError) -> bool:
    """Returns whether the application is refused, rather than a malformed request."""
    return refusal.status in _LASTING
