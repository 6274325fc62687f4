"""Serve the simulator on loopback until SIGTERM or SIGINT: `python -m infra.local.spotify --port 4570`."""

import argparse
import asyncio
import signal
import sys
from typing import TYPE_CHECKING, cast, get_args

from hypercorn.asyncio import serve
from hypercorn.config import Config

from infra.local.spotify.app import create_app
from infra.local.spotify.authorization import Generation
from infra.local.spotify.catalogue import CatalogueError, load_catalogue

if TYPE_CHECKING:
    from hypercorn.typing import ASGIFramework


def main() -> None:
    """Read the command line and serve; ends with a sentence and status 1 when the songs are missing."""
    parser = argparse.ArgumentParser(prog="python -m infra.local.spotify", description=__doc__)
    parser.add_argument("--port", type=int, required=True, help="port on 127.0.0.1")
    parser.add_argument(
        "--generation", choices=get_args(Generation), default="both", help="the names that playlists use"
    )
    arguments = parser.parse_args()
    try:
        asyncio.run(_serve(arguments.port, arguments.generation))
    except CatalogueError as error:
        sys.exit(str(error))


async def _serve(port: int, generation: Generation) -> None:
    stop = asyncio.Event()
    for signal_number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(signal_number, stop.set)
    config = Config()
    config.bind = [f"127.0.0.1:{port}"]
    config.graceful_timeout = 0.5
    config.loglevel = "WARNING"
    app = cast("ASGIFramework", create_app(load_catalogue(), generation=generation))
    await serve(app, config, shutdown_trigger=stop.wait)


if __name__ == "__main__":
    main()
