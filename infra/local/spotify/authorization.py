"""Spotify's token service: client credentials for the application, and an authorization code flow for its user.

Sources: https://developer.spotify.com/documentation/web-api/tutorials/client-credentials-flow,
https://developer.spotify.com/documentation/web-api/tutorials/code-flow and
https://developer.spotify.com/documentation/web-api/tutorials/refreshing-tokens
"""

import base64
import binascii
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Final
from urllib.parse import urlencode

from starlette.exceptions import HTTPException

from infra.local.spotify.trending import SIMULATOR

SECONDS_OF_A_TOKEN: Final = 3600
LIFE_OF_A_CONSENT: Final = timedelta(days=183)
"""Six months: refreshing does not extend them."""


@dataclass(frozen=True, slots=True)
class Application:
    """A registered application."""

    client_id: str
    client_secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Caller:
    """Whom an access token speaks for; without a user it is the application alone."""

    user_id: str | None


class TokenError(Exception):
    """The token was refused; `error` and `description` are the fields of OAuth's error answer (RFC 6749, 5.2)."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(f"{error}: {description}")
        self.error = error
        self.description = description


@dataclass(frozen=True, slots=True)
class _Consent:
    """What the user agreed to."""

    redirect_uri: str
    scope: str


@dataclass(frozen=True, slots=True)
class _AccessToken:
    caller: Caller
    expiry: float


class Authorization:
    """Gives out tokens to one application and recognises them. Its user agrees to everything.

    Args:
        application: The one that may ask.
        seconds: The clock by which access tokens expire.
        today: The calendar by which consents expire.
    """

    def __init__(self, application: Application, *, seconds: Callable[[], float], today: Callable[[], date]) -> None:
        self._application = application
        self._seconds = seconds
        self._today = today
        self._consents: dict[str, _Consent] = {}
        self._refresh_tokens: dict[str, tuple[_Consent, date]] = {}
        self._access_tokens: dict[str, _AccessToken] = {}

    def consent(self, query: Mapping[str, str]) -> str:
        """Return the address that a user who agrees is sent to, with a code for one use.

        Raises:
            HTTPException: The request is none that Spotify would ask its user about (400).
        """
        if query.get("client_id") != self._application.client_id:
            raise HTTPException(400, "INVALID_CLIENT: Invalid client")
        if query.get("response_type") != "code":
            raise HTTPException(400, "response_type must be code")
        redirect_uri = query.get("redirect_uri", "")
        if not redirect_uri.startswith(("https://", "http://127.0.0.1", "http://[::1]", "http://localhost")):
            raise HTTPException(400, "INVALID_CLIENT: Insecure redirect URI")
        code = secrets.token_urlsafe(64)
        self._consents[code] = _Consent(redirect_uri, query.get("scope", ""))
        answer = {"code": code} | ({"state": query["state"]} if "state" in query else {})
        return f"{redirect_uri}{'&' if '?' in redirect_uri else '?'}{urlencode(answer)}"

    def issue(self, *, authorization: str | None, form: Mapping[str, str]) -> dict[str, Any]:
        """Return the answer to a request for a token.

        Raises:
            TokenError: The credentials are not the application's, the grant is unknown, or what it rests on is not
                valid (any more).
        """
        if not self._knows(authorization):
            raise TokenError("invalid_client", "Invalid client")
        match form.get("grant_type"):
            case "client_credentials":
                return self._answer(Caller(None))
            case "authorization_code":
                return self._exchange(form)
            case "refresh_token":
                return self._refresh(form)
        raise TokenError(
            "unsupported_grant_type",
            "grant_type must be client_credentials, authorization_code or refresh_token",
        )

    def caller(self, authorization: str | None) -> Caller:
        """Return whom a request's Authorization header speaks for.

        Raises:
            HTTPException: There is no token in it (401, or 400 for another scheme), or none that is valid (401).
        """
        if not authorization:
            raise HTTPException(401, "No token provided")
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer":
            raise HTTPException(400, "Only valid bearer authentication supported")
        if token not in self._access_tokens:
            raise HTTPException(401, "Invalid access token")
        if self._seconds() >= self._access_tokens[token].expiry:
            raise HTTPException(401, "The access token expired")
        return self._access_tokens[token].caller

    def expire_access_tokens(self) -> None:
        """Let every access token that was given out so far expire at once."""
        now = self._seconds()
        self._access_tokens = {
            token: _AccessToken(access.caller, min(access.expiry, now)) for token, access in self._access_tokens.items()
        }

    def date_consents(self, day: date) -> None:
        """Let the user have consented on a day to every refresh token that was given out so far."""
        self._refresh_tokens = {token: (consent, day) for token, (consent, _) in self._refresh_tokens.items()}

    def _exchange(self, form: Mapping[str, str]) -> dict[str, Any]:
        consent = self._consents.pop(form.get("code", ""), None)
        if consent is None:
            raise TokenError("invalid_grant", "Invalid authorization code")
        if form.get("redirect_uri") != consent.redirect_uri:
            raise TokenError("invalid_grant", "Invalid redirect URI")
        refresh_token = secrets.token_urlsafe(96)
        self._refresh_tokens[refresh_token] = (consent, self._today())
        return self._answer(Caller(SIMULATOR.id), refresh_token=refresh_token, scope=consent.scope)

    def _refresh(self, form: Mapping[str, str]) -> dict[str, Any]:
        consent, consented_on = self._refresh_tokens.get(form.get("refresh_token", ""), (None, None))
        if consent is None or consented_on is None:
            raise TokenError("invalid_grant", "Invalid refresh token")
        if self._today() >= consented_on + LIFE_OF_A_CONSENT:
            raise TokenError("invalid_grant", "Refresh token expired")
        return self._answer(Caller(SIMULATOR.id), scope=consent.scope)

    def _answer(self, caller: Caller, **more: str) -> dict[str, Any]:
        token = secrets.token_urlsafe(64)
        self._access_tokens[token] = _AccessToken(caller, self._seconds() + SECONDS_OF_A_TOKEN)
        return {"access_token": token, "token_type": "Bearer", "expires_in": SECONDS_OF_A_TOKEN, **more}

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
