"""A console that is imported once and forked for each command: `python -m tests.system.warm_console SOCKET`.

Each command still has a process of its own. It only spares the imports and the reading of AWS's models, which take
longer than most commands.
"""

import gc
import json
import os
import pkgutil
import socket
import subprocess
import sys
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from socketserver import ForkingMixIn, StreamRequestHandler, UnixStreamServer
from tempfile import TemporaryDirectory, TemporaryFile

from botocore.session import Session

import infra.cli
from infra.cli.__main__ import main
from infra.deploying.build import AWS_SERVICES
from infra.deploying.stacks import ROOT
from tests import quick_botocore
from tests.waiting import eventually

_WHO_GIVES_COMMANDS = os.getppid()


@dataclass(frozen=True)
class WarmConsole:
    """Gives commands to the console of one environment."""

    path: Path

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(self.path))
            connection.sendall(json.dumps(arguments).encode() + b"\n")
            with connection.makefile() as answer:
                returncode, stdout, stderr = json.loads(answer.read())
        return subprocess.CompletedProcess(arguments, returncode, stdout, stderr)


@contextmanager
def warm_console(environment: Mapping[str, str], project: Path = ROOT) -> Iterator[WarmConsole]:
    """The console of a project, which may be a copy of this one, as it is now."""
    with TemporaryDirectory() as folder:  # in pytest's own the path would be too long for a socket
        path = Path(folder, "console")
        server = subprocess.Popen([sys.executable, "-m", __name__, path], cwd=project, env=environment)
        try:
            eventually(path.exists)
            yield WarmConsole(path)
        finally:
            server.terminate()
            server.wait()


class _Server(ForkingMixIn, UnixStreamServer):
    def service_actions(self) -> None:
        super().service_actions()
        if os.getppid() != _WHO_GIVES_COMMANDS:
            raise SystemExit("Whoever gave commands has died.")


class _Command(StreamRequestHandler):
    def handle(self) -> None:
        sys.argv = ["earworm", *json.loads(self.rfile.readline())]
        with TemporaryFile("w+") as out, TemporaryFile("w+") as err:
            for file, stream in ((out, sys.stdout), (err, sys.stderr)):
                os.dup2(file.fileno(), stream.fileno())
            returncode = _returncode()
            for file, stream in ((out, sys.stdout), (err, sys.stderr)):
                stream.flush()
                file.seek(0)
            self.wfile.write(json.dumps([returncode, out.read(), err.read()]).encode())


def _returncode() -> int:
    try:
        main()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001 - as the interpreter would
        traceback.print_exc()
        return 1
    return 0


if __name__ == "__main__":
    for module in pkgutil.iter_modules(infra.cli.__path__):
        import_module(f"infra.cli.{module.name}")
    quick_botocore.quicken()
    for service in AWS_SERVICES | {"cloudformation", "logs"}:
        Session().create_client(service, "us-east-1")
    gc.freeze()
    bound = Path(f"{sys.argv[1]}.bound")
    server = _Server(str(bound), _Command)
    bound.rename(sys.argv[1])  # a socket has its name before it listens
    server.serve_forever()
