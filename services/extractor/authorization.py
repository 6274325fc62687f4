"""Spotify's access tokens: for the application alone, or for a user who has consented.

Sources: https://developer.spotify.com/documentation/web-api/tutorials/client-credentials-flow and
https://developer.spotify.com/documentation/web-api/tutorials/refreshing-tokens
"""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any, Final

import requests
from spotipy import SpotifyClientCredentials, SpotifyOAuth
from spotipy.cache_handler import CacheHandler

from services.extractor.credentials import Credentials
from shared.web import TIMEOUT_SECONDS, RefusedError, UnavailableError, WebError

_NO_REDIRECT: Final = "unused:"
"""spotipy requires a redirect address, though a refresh does not use it."""


class UnauthorizedError(WebError):
    """Spotify does not accept the application's credentials."""

    def __init__(self, refusal: RefusedError) -> None:
        super().__init__(
            f"Spotify gave no access token, {refusal.status}: {refusal.message}. Compare client_id and client_secret "
            "with those at https://developer.spotify.com/dashboard",
            f"unauthorized:{refusal.status}",
        )


class ConsentEndedError(WebError):
    """The user's consent has ended: only the user can renew it."""

    def __init__(self, consented_at: datetime) -> None:
        super().__init__(
            f"the user's consent of {consented_at:%d %B %Y} has ended: refresh tokens end six months after consent, "
            "or when the user withdraws it. Run `earworm authorize` to renew it",
            "consent_ended",
        )


class Authorization:
    """The access tokens of a spotipy client, as its `auth_manager`; made by `authorization`."""

    def __init__(
        self, request: Callable[[], object], *, tokens: CacheHandler, token_url: str, consented_at: datetime | None
    ) -> None:
        self._request = request
        self._tokens = tokens
        self._token_url = token_url
        self._consented_at = consented_at

    def get_access_token(self, as_dict: bool = False) -> str:  # noqa: FBT001, FBT002  # spotipy's signature
        """Returns the cached token if it is valid for another minute, else a new one.

        Args:
            as_dict: False, as spotipy calls it.

        Raises:
            ConsentEndedError: The refresh token is no longer accepted.
            UnauthorizedError: The application's credentials are not accepted.
            WebError: There is no usable answer.
        """
        assert not as_dict
        try:
            token = self._request()
        except RefusedError as refusal:
            # https://datatracker.ietf.org/doc/html/rfc6749#section-5.2
            if self._consented_at and refusal.message.partition(":")[0] == "invalid_grant":
                raise ConsentEndedError(self._consented_at) from None
            raise UnauthorizedError(refusal) from None
        except (KeyError, TypeError):
            # spotipy accepts any object as a token.
            token = None
        if not isinstance(token, str):
            self.forget_access_token()
            raise UnavailableError(self._token_url, "unreadable", "the answer contains no token")
        return token

    def forget_access_token(self) -> None:
        """Expires the cached token, after Spotify refused it."""
        if kept := self._tokens.get_cached_token():
            self._tokens.save_token_to_cache({**kept, "expires_at": 0})


def authorization(
    credentials: Credentials, *, session: requests.Session, tokens: CacheHandler, token_url: str
) -> Authorization:
    """Makes access tokens for the user who consented, or without consent for the application alone.

    A refresh may answer with another refresh token. It is kept in `tokens`, for the life of the process, and not
    stored: it ends with the same consent, Spotify's guide refreshes with the original one each time, and a function
    that cannot write the secret cannot lose it either.

    Args:
        credentials: The application's, with or without a consent.
        session: Makes the calls, with retries and deadline; nothing is retried here.
        tokens: Caches tokens across clients of the same credentials, in memory.
        token_url: Address of the token endpoint.
    """
    application: dict[str, Any] = {
        "client_id": credentials.client_id,
        "client_secret": credentials.client_secret.get_secret_value(),
        "requests_session": session,
        "requests_timeout": TIMEOUT_SECONDS,
        "cache_handler": tokens,
    }
    if credentials.refresh_token is None:
        alone = SpotifyClientCredentials(**application)
        alone.OAUTH_TOKEN_URL = token_url
        request = partial(alone.get_access_token, as_dict=False)
        return Authorization(request, tokens=tokens, token_url=token_url, consented_at=None)

    consented = SpotifyOAuth(**application, redirect_uri=_NO_REDIRECT, open_browser=False)
    consented.OAUTH_TOKEN_URL = token_url
    stored = credentials.refresh_token.get_secret_value()

    def refreshed() -> object:
        # SpotifyOAuth.get_access_token would wait for a browser where no token is cached yet.
        kept = tokens.get_cached_token()
        if kept is None or consented.is_token_expired(kept):
            kept = consented.refresh_access_token(kept["refresh_token"] if kept else stored)
        return kept["access_token"]

    return Authorization(refreshed, tokens=tokens, token_url=token_url, consented_at=credentials.consented_at)
