"""A simulator on a loopback port."""

import asyncio
import signal
from typing import TYPE_CHECKING, cast

from hypercorn.asyncio import serve as serve_asgi
from hypercorn.config import Config

from infra.local.guard import Guard
from infra.local.processes import HOST

if TYPE_CHECKING:
    from hypercorn.typing import ASGIFramework
    from starlette.applications import Starlette


def serve(app: "Starlette", *, port: int, secret: str) -> None:
    """Serve a simulator on loopback until SIGTERM or SIGINT.

    Args:
        app: The simulator.
        port: Where.
        secret: What its own routes ask for.
    """
    asyncio.run(_serve(Guard(app, port=port, secret=secret), port))


async def _serve(app: Guard, port: int) -> None:
    stop = asyncio.Event()
    for signal_number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(signal_number, stop.set)
    config = Config()
    config.bind = [f"{HOST}:{port}"]
    config.graceful_timeout = 0.5
    config.loglevel = "WARNING"
    await serve_asgi(cast("ASGIFramework", app), config, shutdown_trigger=stop.wait)
