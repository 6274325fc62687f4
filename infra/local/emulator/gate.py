# ruff: noqa: SLF001 - it hooks into what ministack keeps private
"""Guards ministack: only requests from this machine, signed with a key of this cloud, get through.

ministack takes the key `test`, and every twelve digits, for the account's root and checks no signature of theirs; it
derives the credentials of functions from their names; it serves routes of its own (a reset of everything, messages,
code) and others of AWS's without asking for a signature at all; and it invites every page to read its answers. Here
each request is signed by the root's key, which is random, or by one that IAM or STS gave out, and the rest is closed.
"""

from __future__ import annotations

import os
import secrets
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote
from uuid import uuid4

from botocore.credentials import Credentials
from ministack.core import iam_actions, iam_evaluator, lambda_runtime, router
from ministack.services import lambda_svc

from infra.local.emulator.signatures import SignatureError, SignedRequest, verify
from infra.local.loopback import HEALTH_PATH, foreign

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

ROOT_KEY: Final = "AWS_ACCESS_KEY_ID"
"""The variable that holds the root's access key id, for ministack too; AWS_SECRET_ACCESS_KEY holds its secret."""

_CLOSED: Final = "/_"
"""Begins every path of ministack's own, and none of AWS's: no bucket may be called so."""


def install() -> None:
    """Leave ministack one root key, and give functions credentials that cannot be derived.

    Raises:
        AttributeError: ministack has no such hook any more.
    """
    root = os.environ[ROOT_KEY]
    assert iam_evaluator.is_root_access_key(root)
    iam_evaluator.is_root_access_key = lambda key: key in {"", root}  # "" is ministack itself

    issue, salt = lambda_runtime.execution_credentials, secrets.token_hex()

    def credentials_of_the_role(config: dict[str, Any]) -> dict[str, str]:
        """Ministack hashes the names of role and function; of a role's it uses what follows the last slash besides."""
        issued: dict[str, str] = issue({**config, "Role": f"{salt}/{config.get('Role', '')}"})
        return issued

    lambda_svc.execution_credentials  # noqa: B018 - raises AttributeError
    lambda_runtime.execution_credentials = lambda_svc.execution_credentials = credentials_of_the_role


class Gate:
    """An ASGI application in front of ministack's.

    Args:
        app: ministack's.
        port: Where it is served.
    """

    def __init__(self, app: Callable[..., Awaitable[None]], port: int) -> None:
        self._app = app
        self._port = port

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Let a request through, or refuse it with 403 and AWS's code."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            await self._http(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1008})

    async def _http(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        request = _request(scope)
        try:
            self._require_ours(request)
            if request.path == HEALTH_PATH:
                await _respond(send, 204)
                return
            _require_known_key(request)
            request = _request(scope, await _body(receive))
            _require_signature(request)
        except SignatureError as refused:
            await _refuse(send, request, refused)
        else:
            await self._app(scope, _replaying(request.body, receive), _without_cors(send))

    def _require_ours(self, request: SignedRequest) -> None:
        if sentence := foreign(request.method, request.fields, self._port):
            raise SignatureError("AccessDenied", sentence)
        if unquote(request.path).startswith(_CLOSED) and request.path != HEALTH_PATH:
            raise SignatureError("AccessDenied", "The local cloud keeps the emulator's own routes closed.")


def _request(scope: dict[str, Any], body: bytes = b"") -> SignedRequest:
    lines = tuple((name.decode("latin-1"), _text(value)) for name, value in scope["headers"])
    path, query = (scope[name].decode("latin-1") for name in ("raw_path", "query_string"))
    return SignedRequest(scope["method"].upper(), path, query, lines, body)


def _text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


async def _body(receive: Any) -> bytes:
    parts, more = [], True
    while more:
        message = await receive()
        parts.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(parts)


def _caller(request: SignedRequest) -> str:
    """Whom ministack takes for the caller."""
    key: str = router.extract_access_key_id(request.fields, request.query)
    return key


def _require_known_key(request: SignedRequest) -> None:
    """Spare strangers the reading of a body."""
    key = _caller(request)
    if not key:
        raise SignatureError("MissingAuthenticationToken", "Request is missing Authentication Token")
    _resolved(key, iam_evaluator._SESSION_TOKEN_NOT_CHECKED)


def _require_signature(request: SignedRequest) -> None:
    if verify(request, _credentials) != _caller(request):
        raise SignatureError("AccessDenied", "The request names more than one caller.")


def _credentials(key: str, token: str) -> Credentials:
    found = _resolved(key, token)
    return Credentials(found.access_key_id, found.secret_access_key, token or None)


def _resolved(key: str, token: Any) -> iam_evaluator.ResolvedCredential:
    found = iam_evaluator.resolve_credential(key, None, token)
    if isinstance(found, iam_evaluator.CredentialResolutionError):
        raise SignatureError(found.code, found.message)
    return found


async def _refuse(send: Any, request: SignedRequest, refused: SignatureError) -> None:
    service = router.detect_service(request.method, request.path, request.fields, request.query)
    _, headers, body = iam_actions.access_denied_response(
        service, "", "", str(uuid4()), error_code=refused.code, message=str(refused), headers=request.fields
    )
    await _respond(send, 403, headers, body)


async def _respond(send: Any, status: int, headers: dict[str, str] | None = None, body: bytes = b"") -> None:
    lines = [(name.lower().encode(), value.encode()) for name, value in (headers or {}).items()]
    await send({"type": "http.response.start", "status": status, "headers": lines})
    await send({"type": "http.response.body", "body": body})


def _replaying(body: bytes, receive: Any) -> Any:
    messages = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Any:
        return messages.pop() if messages else await receive()

    return replay


def _without_cors(send: Any) -> Any:
    async def sending(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            kept = [line for line in message["headers"] if not line[0].lower().startswith(b"access-control-")]
            message = {**message, "headers": kept}
        await send(message)

    return sending
