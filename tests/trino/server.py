"""A Trino server over the local cloud's catalog and objects."""

import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

from infra.deploying.stacks import ROOT
from infra.local.processes import free_port

TRINO = ROOT / "build/trino/trino-server-476"
LEAST_JAVA = 24
"""Source: https://trino.io/docs/476/installation/deployment.html"""
_LONGEST_START = 180.0
_CREDENTIALS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")


class Trino:
    """A server that answers SQL on one database."""

    def __init__(self, address: str, database: str) -> None:
        self._address = address
        self._headers = {"X-Trino-User": "test", "X-Trino-Catalog": "awsdatacatalog", "X-Trino-Schema": database}

    def ask(self, sql: str) -> tuple[list[str], list[tuple[Any, ...]]]:
        """The types of the columns, and the rows.

        Source: https://trino.io/docs/476/develop/client-protocol.html
        """
        page = requests.post(f"{self._address}/v1/statement", sql.encode(), headers=self._headers, timeout=60).json()
        types: list[str] = []
        rows: list[tuple[Any, ...]] = []
        while True:
            assert "error" not in page, f"{page['error']['message']}\n{sql}"
            types = [column["type"] for column in page.get("columns", [])] or types
            rows += map(tuple, page.get("data", []))
            if "nextUri" not in page:
                return types, rows
            page = requests.get(page["nextUri"], timeout=60).json()


@contextmanager
def running(folder: Path, variables: Mapping[str, str], database: str) -> Iterator[Trino]:
    """A server with its settings in a folder, over the cloud of the variables and with the credentials in them.

    Only what a query needs is loaded.
    """
    assert TRINO.is_dir(), "run `make test-trino`, which brings Trino"
    port = free_port()
    (folder / "etc/catalog").mkdir(parents=True)
    (folder / "plugins").mkdir()
    (folder / "plugins/hive").symlink_to(TRINO / "plugin/hive")
    for name, lines in _settings(folder, port, variables).items():
        (folder / "etc" / name).write_text("\n".join(lines) + "\n")
    log = (folder / "log").open("wb")
    java = _java_home()
    process = subprocess.Popen(
        [TRINO / "bin/launcher", "run", "--etc-dir", folder / "etc"],
        env={
            **{name: variables[name] for name in _CREDENTIALS if name in variables},
            "PATH": f"{java / 'bin'}:{os.environ['PATH']}",
            "JAVA_HOME": str(java),
        },
        stdout=log,
        stderr=log,
        start_new_session=True,
    )
    try:
        patience = time.monotonic() + _LONGEST_START
        while b"SERVER STARTED" not in (folder / "log").read_bytes():
            assert process.poll() is None, (folder / "log").read_text()[-2000:]
            assert time.monotonic() < patience, f"Trino is not up after {_LONGEST_START:.0f} s: see {folder / 'log'}"
            time.sleep(0.5)
        yield Trino(f"http://127.0.0.1:{port}", database)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        log.close()


def _settings(folder: Path, port: int, variables: Mapping[str, str]) -> dict[str, list[str]]:
    region, address = variables["AWS_DEFAULT_REGION"], variables["AWS_ENDPOINT_URL"]
    return {
        "node.properties": [
            "node.environment=test",
            "node.internal-address=127.0.0.1",
            f"node.data-dir={folder / 'data'}",
            f"plugin.dir={folder / 'plugins'}",
        ],
        "jvm.config": ["-server", "-Xmx2G", "-Djdk.attach.allowAttachSelf=true", "--enable-native-access=ALL-UNNAMED"],
        "config.properties": [
            "coordinator=true",
            "node-scheduler.include-coordinator=true",
            f"http-server.http.port={port}",
            f"discovery.uri=http://127.0.0.1:{port}",
        ],
        "catalog/awsdatacatalog.properties": [
            "connector.name=hive",
            "hive.metastore=glue",
            f"hive.metastore.glue.region={region}",
            f"hive.metastore.glue.endpoint-url={address}",
            "fs.native-s3.enabled=true",
            f"s3.region={region}",
            f"s3.endpoint={address}",
            "s3.path-style-access=true",
        ],
    }


def _java_home() -> Path:
    """The home of a Java that is new enough."""
    homes = [Path(os.environ["JAVA_HOME"])] if "JAVA_HOME" in os.environ else sorted(Path("/usr/lib/jvm").glob("*"))
    for home in homes:
        release = home / "release"
        found = re.search(r'JAVA_VERSION="(\d+)', release.read_text()) if release.is_file() else None
        if found and int(found[1]) >= LEAST_JAVA:
            return home
    raise AssertionError(f"Trino needs Java {LEAST_JAVA} or newer: install it, or point JAVA_HOME to it")
