"""Answers of a simulator that come late, or end too soon."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeAlias

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

Endpoint: TypeAlias = Callable[[Request], Awaitable[Response]]


async def faulty(kind: str, seconds: float | None, endpoint: Endpoint, request: Request) -> Response:
    """Answer a call that a fault strikes, of those that every simulator has; any other changes nothing.

    Args:
        kind: `timeout` holds the answer, `truncated_body` ends the connection in the middle of it, `invalid_json` the
            answer there.
        seconds: How long it is held.
        endpoint: Has the answer.
        request: The call.
    """
    if kind == "timeout":
        with suppress(TimeoutError):
            await asyncio.wait_for(_hung_up(request), seconds)
    answer = await endpoint(request)
    match kind:
        case "truncated_body":
            return _TruncatedResponse(answer.body, media_type=answer.media_type)
        case "invalid_json":
            return Response(_half(answer.body), media_type=answer.media_type)
        case _:
            return answer


async def _hung_up(request: Request) -> None:
    """Waits until the caller gives up."""
    await request.body()  # kept by the request, for whoever answers it
    while (await request.receive())["type"] != "http.disconnect":
        pass


class _TruncatedResponse(Response):
    """Promises its whole body and sends half of it; the server then closes the connection."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""

        async def send_half(message: Message) -> None:
            if "body" in message:
                message = {**message, "body": _half(message["body"]), "more_body": True}
            await send(message)

        await super().__call__(scope, receive, send_half)


def _half(body: bytes | memoryview) -> bytes:
    """The first half of a body."""
    return bytes(body[: len(body) // 2])
