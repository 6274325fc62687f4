"""ministack in this process, with what it lacks."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import tempfile
from importlib.metadata import version
from multiprocessing.util import get_temp_dir
from typing import TYPE_CHECKING, Final, cast

from hypercorn.asyncio import serve as serve_asgi
from hypercorn.config import Config

if TYPE_CHECKING:
    from pathlib import Path

    from hypercorn.typing import ASGIFramework

MINISTACK: Final = "1.5.33"
"""The release whose insides the extensions hook into."""

HOST: Final = "127.0.0.1"
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
    from infra.local.emulator import athena, crawler, gate, iam, named_query, scheduler, workers, xray  # noqa: PLC0415

    for extension in (athena, crawler, gate, named_query, scheduler, workers, xray):
        extension.install()
    iam.install(state / "logs/iam.jsonl")


async def serve(*, port: int, state: Path) -> None:
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
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    config = Config()
    config.bind = [f"{HOST}:{port}"]
    config.loglevel = "WARNING"
    config.graceful_timeout = 1
    config.shutdown_timeout = 1
    await serve_asgi(cast("ASGIFramework", Gate(app, port)), config, shutdown_trigger=stopped.wait)
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
