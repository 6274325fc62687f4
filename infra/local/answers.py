"""Answers of a simulator that come late, or end too soon."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send


async def hung_up(request: Request) -> None:
    """Waits until the caller gives up."""
    await request.body()  # kept by the request, for whoever answers it
    while (await request.receive())["type"] != "http.disconnect":
        pass


class TruncatedResponse(Response):
    """Promises its whole body and sends half of it; the server then closes the connection."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""

        async def send_half(message: Message) -> None:
            if "body" in message:
                message = {**message, "body": half(message["body"]), "more_body": True}
            await send(message)

        await super().__call__(scope, receive, send_half)


def half(body: bytes | memoryview) -> bytes:
    """The first half of a body."""
    return bytes(body[: len(body) // 2])
