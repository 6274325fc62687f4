"""Who may talk to a simulator, and who may turn it."""

import secrets
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from infra.local.loopback import HEALTH_PATH, INFO_PATH, SECRET_HEADER, foreign

_SECRET_NEEDED: Final = f"The simulator's own routes need the header {SECRET_HEADER} with the secret of this start."


class Guard:
    """An ASGI application in front of a simulator's.

    Args:
        app: The simulator.
        port: Where it is served.
        secret: What its own routes ask for.
    """

    def __init__(self, app: ASGIApp, *, port: int, secret: str) -> None:
        self._app = app
        self._port = port
        self._secret = secret

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or refuse it with 403."""
        answer = self._answer(Request(scope)) if scope["type"] == "http" else None
        await (answer or self._app)(scope, receive, send)

    def _answer(self, request: Request) -> Response | None:
        sentence = foreign(request.method, request.headers, self._port)
        if sentence is None and request.url.path == HEALTH_PATH:
            return Response(status_code=204)
        if sentence is None and request.url.path.startswith(INFO_PATH):
            given = request.headers.get(SECRET_HEADER, "")
            sentence = None if secrets.compare_digest(given.encode(), self._secret.encode()) else _SECRET_NEEDED
        return JSONResponse({"error": {"status": 403, "message": sentence}}, status_code=403) if sentence else None
