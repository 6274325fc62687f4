"""Serve the simulator on loopback until SIGTERM or SIGINT: `python -m infra.local.spotify --port 4570`.

SPOTIPY_CLIENT_ID and SPOTIPY_CLIENT_SECRET are those of the application that it knows, and SPOTIFY_SIMULATOR_SECRET is
what its own routes ask for.
"""

import argparse
import os
import sys
from pathlib import Path
from typing import Final, get_args

from infra.local.guard import Guard
from infra.local.server import serve
from infra.local.spotify.admin import Generation
from infra.local.spotify.app import create_app
from infra.local.spotify.authorization import Application
from infra.local.spotify.captured import CapturedDocumentError, read_captured
from infra.local.spotify.catalogue import CatalogueError, load_catalogue
from infra.local.spotify.tiers import TIERS, TierError

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
    serve(Guard(app, port=arguments.port, secret=secret), port=arguments.port)


if __name__ == "__main__":
    main()
