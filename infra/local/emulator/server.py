"""ministack in this process, with what it lacks."""

from __future__ import annotations

import gc
import os
import tempfile
from importlib.metadata import version
from multiprocessing.util import get_temp_dir
from typing import TYPE_CHECKING, Final

from infra.local import server
from infra.local.processes import HOST

if TYPE_CHECKING:
    from pathlib import Path

MINISTACK: Final = "1.5.33"
"""The release whose insides the extensions hook into."""

_OBJECTS_BETWEEN_COLLECTIONS: Final = 100_000


class EmulatorError(RuntimeError):
    """The emulator cannot run; the message says what to do."""


def require_version(installed: str) -> None:
    """Raise EmulatorError unless this is the release that the extensions were written for."""
    if installed != MINISTACK:
        raise EmulatorError(
            f"The local cloud needs ministack {MINISTACK}, but {installed} is installed: its extensions hook "
            f"into that release's insides. Install the locked requirements again, or move the extensions in "
            f"infra/local/emulator to the new release and change MINISTACK there."
        )


def install_extensions(state: Path) -> None:
    """Hook everything that ministack lacks into it. The environment must be set before."""
    from infra.local.emulator import (  # noqa: PLC0415
        athena,
        crawler,
        gate,
        iam,
        named_query,
        scheduler,
        templates,
        workers,
        xray,
    )

    for extension in (athena, crawler, gate, named_query, scheduler, templates, workers, xray):
        extension.install()
    iam.install(state / "logs/iam.jsonl")


def serve(*, port: int, state: Path) -> None:
    """Serve the AWS APIs on the loopback address until SIGTERM or SIGINT, then end the Lambda workers.

    AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment are the credentials of the account's root.

    Args:
        port: A free port.
        state: Folder that holds all temporary files and `logs/iam.jsonl`; made if absent.

    Raises:
        EmulatorError: Another release of ministack is installed, or the root has no credentials.
    """
    require_version(version("ministack"))
    if not all(os.environ.get(name) for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")):
        raise EmulatorError("AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY must name the credentials of the root.")
    _configure(port=port, state=state)
    install_extensions(state)
    from ministack.app import app  # noqa: PLC0415 - it reads the environment while it is imported
    from ministack.core import lambda_runtime  # noqa: PLC0415

    from infra.local.emulator.gate import Gate  # noqa: PLC0415

    # Queries are trees of many small objects: the collector would go through all modules and objects for each.
    gc.freeze()
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS)
    server.serve(Gate(app, port), port=port)
    lambda_runtime.reset()


def _configure(*, port: int, state: Path) -> None:
    get_temp_dir()  # it stays where sockets are: their paths end at 107 characters, and the state's may be longer
    temporary = state / "tmp"
    for folder in (temporary, state / "logs"):
        folder.mkdir(parents=True, exist_ok=True)
    tempfile.tempdir = str(temporary)
    os.environ |= {
        "TMPDIR": str(temporary),
        "GATEWAY_PORT": str(port),
        "BIND_HOST": HOST,
        "MINISTACK_HOST": HOST,
        "AWS_ENDPOINT_URL": f"http://{HOST}:{port}",
        "AUTH": "true",
        "LOG_LEVEL": "WARNING",
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
    }
