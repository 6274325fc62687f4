"""Serve the simulator on loopback until SIGTERM or SIGINT: `python -m infra.local.spotify --port 4570`.

SPOTIPY_CLIENT_ID and SPOTIPY_CLIENT_SECRET are those of the application that it knows, and SPOTIFY_SIMULATOR_SECRET is
what its own routes ask for.
"""

import argparse
import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast, get_args

from hypercorn.asyncio import serve
from hypercorn.config import Config

from infra.local.spotify.admin import Generation
from infra.local.spotify.app import create_app
from infra.local.spotify.authorization import Application
from infra.local.spotify.captured import CapturedDocumentError, read_captured
from infra.local.spotify.catalogue import CatalogueError, load_catalogue
from infra.local.spotify.guard import Guard
from infra.local.spotify.tiers import TIERS, TierError

if TYPE_CHECKING:
    from hypercorn.typing import ASGIFramework

_SECRETS: Final = ("SPOTIPY_CLIENT_ID", "SPOTIPY_CLIENT_SECRET", "SPOTIFY_SIMULATOR_SECRET")


def main() -> None:
    """Read the command line and serve; ends with a sentence and status 1 when that is not possible."""
    parser = argparse.ArgumentParser(prog="python -m infra.local.spotify", description=__doc__)
    parser.add_argument("--port", type=int, required=True, help="port on 127.0.0.1")
    parser.add_argument("--tier", choices=TIERS, default="extended", help="what Spotify grants the application")
    parser.add_argument(
        "--generation", choices=get_args(Generation), help="the names that playlists use, by default the tier's own"
    )
    parser.add_argument(
        "--documents",
        type=Path,
        action="append",
        default=[],
        metavar="FOLDER",
        help="serve the captured playlist documents of this folder too; may be given several times",
    )
    arguments = parser.parse_args()
    missing = [name for name in _SECRETS if not os.environ.get(name)]
    if missing:
        sys.exit(f"{missing[0]} must be set: the simulator takes {', '.join(_SECRETS)} from the environment.")
    client_id, client_secret, secret = (os.environ[name] for name in _SECRETS)
    try:
        app = create_app(
            load_catalogue(),
            Application(client_id, client_secret),
            tier=TIERS[arguments.tier].of_generation(arguments.generation),
            captured={id_: one for folder in arguments.documents for id_, one in read_captured(folder).items()},
        )
    except (CatalogueError, CapturedDocumentError, TierError) as error:
        sys.exit(str(error))
    asyncio.run(_serve(Guard(app, port=arguments.port, secret=secret), arguments.port))


async def _serve(app: Guard, port: int) -> None:
    stop = asyncio.Event()
    for signal_number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(signal_number, stop.set)
    config = Config()
    config.bind = [f"127.0.0.1:{port}"]
    config.graceful_timeout = 0.5
    config.loglevel = "WARNING"
    await serve(cast("ASGIFramework", app), config, shutdown_trigger=stop.wait)


if __name__ == "__main__":
    main()
