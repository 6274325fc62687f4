"""Serve the simulator on loopback until SIGTERM or SIGINT: `python -m infra.local.listenbrainz --port 4571`.

LISTENBRAINZ_SIMULATOR_SECRET is what its own routes ask for.
"""

import argparse
import os
import sys
from typing import Final

from infra.local.guard import Guard
from infra.local.listenbrainz.app import create_app
from infra.local.server import serve
from infra.local.spotify.catalogue import CatalogueError, load_catalogue

_SECRET: Final = "LISTENBRAINZ_SIMULATOR_SECRET"  # noqa: S105 - the variable's name


def main() -> None:
    """Read the command line and serve; ends with a sentence and status 1 when that is not possible."""
    parser = argparse.ArgumentParser(prog="python -m infra.local.listenbrainz", description=__doc__)
    parser.add_argument("--port", type=int, required=True, help="port on 127.0.0.1")
    arguments = parser.parse_args()
    secret = os.environ.get(_SECRET)
    if not secret:
        sys.exit(f"{_SECRET} must be set: the simulator takes it from the environment.")
    try:
        app = create_app(load_catalogue())
    except CatalogueError as error:
        sys.exit(str(error))
    serve(Guard(app, port=arguments.port, secret=secret), port=arguments.port)


if __name__ == "__main__":
    main()
