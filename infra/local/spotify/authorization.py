"""Spotify's client credentials flow: applications, their tokens, and what a tier makes of an answer.

Source: https://developer.spotify.com/documentation/web-api/tutorials/client-credentials-flow
"""

import base64
import binascii
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Literal

from starlette.exceptions import HTTPException

from infra.local.spotify.documents import PlaylistShape

CLIENT_ID: Final = "earworm-simulator"
CLIENT_SECRET: Final = "not-a-secret"  # noqa: S105 - opens nothing but the simulator
SECONDS_OF_A_TOKEN: Final = 3600

Generation = Literal["2025", "2026", "both"]

_SHAPES: Final[dict[Generation, PlaylistShape]] = {
    "2025": PlaylistShape(pages=("tracks",), tracks=("track",)),
    "2026": PlaylistShape(pages=("items",), tracks=("item",)),
    "both": PlaylistShape(pages=("tracks", "items"), tracks=("track", "item")),
}


@dataclass(frozen=True, slots=True)
class Tier:
    """What Spotify grants an application.

    Attributes:
        generation: The names that playlists use: those of before February 2026, the ones since, or both at once.
    """

    generation: Generation

    @property
    def playlist_shape(self) -> PlaylistShape:
        """The names that playlists use in this tier."""
        return _SHAPES[self.generation]


@dataclass(frozen=True, slots=True)
class Application:
    """A registered application and its tier."""

    client_id: str
    client_secret: str = field(repr=False)
    tier: Tier


class TokenError(Exception):
    """The token was refused; `error` and `description` are the fields of OAuth's error answer (RFC 6749, 5.2)."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(f"{error}: {description}")
        self.error = error
        self.description = description


class Authorization:
    """Gives out tokens to one application and recognises them."""

    def __init__(self, application: Application, *, seconds: Callable[[], float]) -> None:
        self._application = application
        self._seconds = seconds
        self._expiry: dict[str, float] = {}

    def issue(self, *, authorization: str | None, grant_type: str | None) -> str:
        """Return a new token for a request's Authorization header and grant type.

        Raises:
            TokenError: The credentials are not the application's, or another grant than client credentials is asked.
        """
        if not self._knows(authorization):
            raise TokenError("invalid_client", "Invalid client")
        if grant_type != "client_credentials":
            raise TokenError("unsupported_grant_type", "grant_type must be client_credentials")
        token = secrets.token_urlsafe(64)
        self._expiry[token] = self._seconds() + SECONDS_OF_A_TOKEN
        return token

    def application(self, authorization: str | None) -> Application:
        """Return the application that a request's Authorization header speaks for.

        Raises:
            HTTPException: There is no token in it (401, or 400 for another scheme), or none that is valid (401).
        """
        if not authorization:
            raise HTTPException(401, "No token provided")
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer":
            raise HTTPException(400, "Only valid bearer authentication supported")
        if token not in self._expiry:
            raise HTTPException(401, "Invalid access token")
        if self._seconds() >= self._expiry[token]:
            raise HTTPException(401, "The access token expired")
        return self._application

    def _knows(self, authorization: str | None) -> bool:
        scheme, _, encoded = (authorization or "").partition(" ")
        if scheme.lower() != "basic":
            return False
        try:
            credentials = base64.b64decode(encoded, validate=True)
        except binascii.Error:
            return False
        expected = f"{self._application.client_id}:{self._application.client_secret}"
        return secrets.compare_digest(credentials, expected.encode())
