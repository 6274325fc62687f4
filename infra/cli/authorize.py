"""Obtains a Spotify user's consent, for playlists that only their owner may read.

Source: https://developer.spotify.com/documentation/web-api/tutorials/code-flow
"""

import logging
import secrets
import time
import webbrowser
from collections.abc import Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Annotated, Final
from urllib.parse import parse_qsl, urlsplit

import requests
import typer
from spotipy import SpotifyOAuth, SpotifyOauthError
from spotipy.cache_handler import MemoryCacheHandler

from infra.cli.cloud import find_cloud
from infra.cli.environment import Environment
from infra.cli.screen import ConsoleError, out
from infra.deploying.secrets import spotify_secret_name, store_spotify_secret, stored_spotify_secret

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

SCOPES: Final = ("playlist-read-private", "playlist-read-collaborative")
_LOOPBACK: Final = "127.0.0.1"
_EXAMPLE: Final = f"http://{_LOOPBACK}:8888/callback"
_DASHBOARD: Final = "https://developer.spotify.com/dashboard"
_SECONDS_OF_A_CALL: Final = 10.0
_SECONDS_OF_A_SILENT_CONNECTION: Final = 0.5
_PAGE: Final = b"Spotify's answer is with the console now: see there what came of it. You can close this page.\n"


def authorize(
    environment: Environment = "dev",
    *,
    browser: Annotated[bool, typer.Option("--browser", help="Also open the page in a browser.")] = False,
) -> None:
    """Ask a Spotify user for consent to read the playlists that only they may read; renew it every five months."""
    cloud = find_cloud(environment, writes=True)
    consented_at = obtain_consent(
        cloud.client("secretsmanager"), cloud.environment, cloud.variables, open_browser=browser
    )
    out.print(f"The consent of {consented_at:%d %B %Y} is stored. It ends after six months: renew it after five.")


def obtain_consent(
    secretsmanager: "SecretsManagerClient",
    environment: str,
    variables: Mapping[str, str],
    *,
    open_browser: bool = False,
    patience: float = 300.0,
) -> datetime:
    """Asks a user for their consent and stores it beside the application's credentials; prints the page to open.

    Args:
        secretsmanager: The client.
        environment: The environment whose extractor it is for.
        variables: `SPOTIPY_REDIRECT_URI`; `SPOTIPY_CLIENT_ID` and `SPOTIPY_CLIENT_SECRET`, by default those that are
            stored; `SPOTIFY_AUTHORIZE_URL` and `SPOTIFY_TOKEN_URL`, by default Spotify's.
        open_browser: Whether to open the page too.
        patience: Seconds to wait for the user.

    Returns:
        When the user consented. The consent ends six months later.

    Raises:
        ConsoleError: A setting is missing or wrong, the user refused or did nothing, or Spotify issued no token.
        DeployError: The secret has other content already.
    """
    _keep_secrets_out_of_logs()
    client_id, client_secret = _application(secretsmanager, environment, variables)
    tokens = MemoryCacheHandler()
    with requests.Session() as session, _Listener(variables.get("SPOTIPY_REDIRECT_URI", "")) as listener:
        session.trust_env = "SPOTIFY_SIMULATOR_URL" not in variables  # the simulator is not behind a proxy
        oauth = SpotifyOAuth(
            client_id=client_id,
            client_secret=client_secret,
            redirect_uri=listener.address,
            scope=SCOPES,
            # Without the dialogue, a user who consented before would not be asked again.
            show_dialog=True,
            requests_session=session,
            requests_timeout=_SECONDS_OF_A_CALL,
            cache_handler=tokens,
        )
        oauth.OAUTH_AUTHORIZE_URL = variables.get("SPOTIFY_AUTHORIZE_URL", oauth.OAUTH_AUTHORIZE_URL)
        oauth.OAUTH_TOKEN_URL = variables.get("SPOTIFY_TOKEN_URL", oauth.OAUTH_TOKEN_URL)
        state = secrets.token_urlsafe(32)
        page = oauth.get_authorize_url(state=state)
        out.print("Open this page as the owner of the playlists, and agree:")
        out.print(page, markup=False, soft_wrap=True)
        if open_browser:
            webbrowser.open(page)
        code = _code(listener.callback(patience), state)
        refresh_token = _refresh_token(oauth, tokens, code)
    consented_at = datetime.now(UTC).replace(microsecond=0)
    consent = {"refresh_token": refresh_token, "consented_at": consented_at.isoformat()}
    store_spotify_secret(secretsmanager, environment, client_id, client_secret, consent)
    return consented_at


def _keep_secrets_out_of_logs() -> None:
    """Keeps libraries from logging below INFO, where they log the code, tokens or the client's secret."""
    for name in ("botocore", "spotipy"):
        log = logging.getLogger(name)
        log.setLevel(max(logging.INFO, log.getEffectiveLevel()))


def _application(
    secretsmanager: "SecretsManagerClient", environment: str, variables: Mapping[str, str]
) -> tuple[str, str]:
    plain = {name: variables.get(f"SPOTIPY_{name.upper()}", "") for name in ("client_id", "client_secret")}
    if any(plain.values()) and not all(plain.values()):
        raise ConsoleError("SPOTIPY_CLIENT_ID and SPOTIPY_CLIENT_SECRET belong together: set both or neither.")
    held = plain if all(plain.values()) else stored_spotify_secret(secretsmanager, environment) or {}
    try:
        return held["client_id"], held["client_secret"]
    except KeyError:
        raise ConsoleError(
            "There are no credentials of a Spotify application: set SPOTIPY_CLIENT_ID and SPOTIPY_CLIENT_SECRET to "
            f"those at {_DASHBOARD}, or store them as {spotify_secret_name(environment)} with `earworm deploy`."
        ) from None


def _code(callback: Mapping[str, str], state: str) -> str:
    """Returns the code in a callback, if its state is that of the request."""
    if not secrets.compare_digest(callback.get("state", "").encode(), state.encode()):
        raise ConsoleError(
            "The answer does not belong to this request: its state differs. Nothing was stored. Close old pages of "
            "Spotify's, run `earworm authorize` again and open the page that it prints."
        )
    match callback:
        case {"error": "access_denied"}:
            raise ConsoleError("The user did not agree, so nothing was stored.")
        case {"error": error}:
            raise ConsoleError(
                f"Spotify did not ask the user: {error}. Compare the application's settings at {_DASHBOARD}."
            )
        case {"code": code}:
            return code
    raise ConsoleError("Spotify's answer contains neither a code nor an error. Run `earworm authorize` again.")


def _refresh_token(oauth: SpotifyOAuth, tokens: MemoryCacheHandler, code: str) -> str:
    where = f"Spotify issued no token at {oauth.OAUTH_TOKEN_URL}"
    try:
        oauth.get_access_token(code, as_dict=False, check_cache=False)
        token = tokens.get_cached_token()["refresh_token"]
    except SpotifyOauthError as refusal:
        raise ConsoleError(
            f"{where}, {refusal}. Compare client_id, client_secret and redirect address with those at "
            f"{_DASHBOARD}, and run `earworm authorize` again."
        ) from None
    except requests.RequestException as fault:
        raise ConsoleError(f"{where}: {type(fault).__name__}. Run `earworm authorize` again.") from None
    except (AttributeError, KeyError, TypeError):
        # spotipy accepts any JSON as a token or as OAuth's error object.
        token = None
    if not isinstance(token, str):
        raise ConsoleError(f"{where} but something else. Run `earworm authorize` again.")
    return token


class _Listener(HTTPServer):
    """Listens on the redirect address.

    spotipy has such a server, but it waits for ever and mistakes a browser's request for an icon for the answer.
    """

    def __init__(self, address: str) -> None:
        """Starts to listen.

        Raises:
            ConsoleError: The address is invalid or in use.
        """
        port, self.path = _port_and_path(address)
        self.address = address
        self.answer: dict[str, str] | None = None
        try:
            super().__init__((_LOOPBACK, port), _Callback)
        except OSError as fault:
            raise ConsoleError(
                f"The console cannot listen on {_LOOPBACK}:{port}: {fault.strerror}. Stop the program that does, "
                "or set another port in SPOTIPY_REDIRECT_URI and in the application's settings."
            ) from None

    def callback(self, patience: float) -> dict[str, str]:
        """Returns the query of the one request for the address's path.

        Raises:
            ConsoleError: None was received in time.
        """
        end = time.monotonic() + patience
        while self.answer is None:
            self.timeout = end - time.monotonic()
            if self.timeout <= 0:
                raise ConsoleError(
                    f"Nobody agreed within {patience:.0f} s. Run `earworm authorize` again; if Spotify's page names an "
                    f"invalid redirect URI, add {self.address} at {_DASHBOARD}."
                )
            self.handle_request()
        return self.answer


class _Callback(BaseHTTPRequestHandler):
    """Receives the callback from a browser; any other request gets 404."""

    server: _Listener
    timeout = _SECONDS_OF_A_SILENT_CONNECTION

    def do_GET(self) -> None:
        """Keeps the query for the console, and sends the user back to it."""
        parts = urlsplit(self.path)
        if parts.path != self.server.path:
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        self.server.answer = dict(parse_qsl(parts.query))
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(_PAGE)))
        self.end_headers()
        self.wfile.write(_PAGE)

    def log_message(self, *_: object) -> None:
        """Prints nothing: the line would contain the code."""


def _port_and_path(address: str) -> tuple[int, str]:
    """Returns the port and path of a redirect address.

    Source: https://developer.spotify.com/documentation/web-api/concepts/redirect_uri
    """
    try:
        parts = urlsplit(address)
        if parts.scheme == "http" and parts.hostname == _LOOPBACK and parts.port:
            return parts.port, parts.path or "/"
    except ValueError:
        pass
    raise ConsoleError(
        f"SPOTIPY_REDIRECT_URI must be http://{_LOOPBACK}:<port>/<path> such as {_EXAMPLE}, but is "
        f"{address!r}. Spotify does not accept `localhost`. Add the address to the redirect URIs of the "
        f"application at {_DASHBOARD}, exactly as it is."
    )
