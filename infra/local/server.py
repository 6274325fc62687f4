"""Serves an application on a loopback port."""

import signal
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import uvicorn

from infra.local.processes import HOST


def serve(app: Callable[..., Any], *, port: int) -> None:
    """Serve on loopback until SIGTERM or SIGINT; an answer that is under way has a second more.

    Args:
        app: An ASGI application, which sends all headers but those of the connection.
        port: A free port.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # the server raises the signal again when it is done
    config = uvicorn.Config(
        app,
        host=HOST,
        port=port,
        loop="asyncio",
        http="h11",
        ws="none",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        date_header=False,
        timeout_graceful_shutdown=1,
    )
    with suppress(KeyboardInterrupt):
        uvicorn.Server(config).run()
