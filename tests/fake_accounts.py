"""Spotify's accounts service as far as it is asked, on a loopback port: the page of consent, and tokens."""

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

CLIENT_ID = "the-client-id"
CLIENT_SECRET = "the-client-secret"
CODE = "the-code"
REFRESH_TOKEN = "the-refresh-token"


@dataclass
class FakeAccounts:
    """An accounts service with one application and one user.

    Attributes:
        url: Its address.
        refresh_token: What a consent gives, and the one that a refresh takes; None once the consent has ended.
        rotates: What a refresh gives in its place.
        asked: The form of each call for a token.
        faults: What the next calls for a token answer, status and body.
        pages: The query of each page of consent that was opened.
        redirect_to: What the user's answer adds to the redirect address, besides the state.
    """

    url: str = ""
    refresh_token: str | None = REFRESH_TOKEN
    rotates: str | None = None
    asked: list[dict[str, str]] = field(default_factory=list)
    faults: list[tuple[int, Any]] = field(default_factory=list)
    pages: list[dict[str, str]] = field(default_factory=list)
    redirect_to: dict[str, str] = field(default_factory=lambda: {"code": CODE})

    @property
    def authorize_url(self) -> str:
        return f"{self.url}/authorize"

    @property
    def token_url(self) -> str:
        return f"{self.url}/api/token"

    @property
    def grants(self) -> list[str]:
        return [form["grant_type"] for form in self.asked]

    @contextmanager
    def listening(self) -> Iterator["FakeAccounts"]:
        handler = type("Handler", (_Handler,), {"accounts": self})
        with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
            self.url = f"http://127.0.0.1:{server.server_port}"
            Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
            yield self
            server.shutdown()

    def consent(self, query: dict[str, str]) -> str:
        self.pages.append(query)
        return f"{query['redirect_uri']}?{urlencode({**self.redirect_to, 'state': query['state']})}"

    def token(self, authorization: str | None, form: dict[str, str]) -> tuple[int, Any]:
        self.asked.append(form)
        if self.faults:
            return self.faults.pop(0)
        if authorization != f"Basic {base64.b64encode(f'{CLIENT_ID}:{CLIENT_SECRET}'.encode()).decode()}":
            return 400, {"error": "invalid_client", "error_description": "Invalid client secret"}
        return self._grant(form)

    def _grant(self, form: dict[str, str]) -> tuple[int, Any]:
        token = {"access_token": f"access-{len(self.asked)}", "token_type": "Bearer", "expires_in": 3600}
        match form:
            case {"grant_type": "client_credentials"}:
                return 200, token
            case {"grant_type": "authorization_code", "code": code, "redirect_uri": address}:
                if code != CODE or address != self.pages[-1]["redirect_uri"]:
                    return 400, {"error": "invalid_grant", "error_description": "Invalid authorization code"}
                return 200, {**token, "refresh_token": self.refresh_token, "scope": self.pages[-1]["scope"]}
            case {"grant_type": "refresh_token", "refresh_token": given}:
                if given != self.refresh_token:
                    return 400, {"error": "invalid_grant", "error_description": "Refresh token expired"}
                self.refresh_token = self.rotates or self.refresh_token
                return 200, {**token, "refresh_token": self.rotates} if self.rotates else token
        return 400, {"error": "unsupported_grant_type"}


class _Handler(BaseHTTPRequestHandler):
    accounts: FakeAccounts

    def do_GET(self) -> None:
        self.send_response(302)
        self.send_header("Location", self.accounts.consent(dict(parse_qsl(urlsplit(self.path).query))))
        self.end_headers()

    def do_POST(self) -> None:
        form = dict(parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode()))
        status, body = self.accounts.token(self.headers["Authorization"], form)
        self.send_response(status)
        self.end_headers()
        self.wfile.write((body if isinstance(body, str) else json.dumps(body)).encode())

    def log_message(self, *_: object) -> None:
        pass
