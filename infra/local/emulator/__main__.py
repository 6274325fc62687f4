"""`python -m infra.local.emulator --port N --state DIR`: the AWS emulator on 127.0.0.1, until SIGTERM."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from infra.local.emulator.server import EmulatorError, serve


def main() -> None:
    """Run the emulator in this process."""
    parser = argparse.ArgumentParser(prog="python -m infra.local.emulator", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--state", type=Path, required=True, help="folder for temporary files and the record of IAM")
    arguments = parser.parse_args()
    try:
        serve(port=arguments.port, state=arguments.state)
    except EmulatorError as error:
        sys.exit(str(error))
    os._exit(0)  # to take apart what is in memory would take a second


if __name__ == "__main__":
    main()
