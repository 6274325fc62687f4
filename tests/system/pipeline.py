"""A deployed pipeline on a local cloud of its own, driven as a user drives it: through the console."""

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from infra.cli import collect
from infra.cli.cloud import Cloud
from infra.cli.screen import progress
from infra.local.cloud import LocalCloud
from infra.local.spotify.client import SimulatorClient, find_simulator
from shared.lake import PLAYLISTS, ListKind, SnapshotKey
from tests.system.warm_console import WarmConsole, warm_console

if TYPE_CHECKING:
    import subprocess

    from mypy_boto3_glue import GlueClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_scheduler import EventBridgeSchedulerClient
    from mypy_boto3_sqs import SQSClient

_INHERITED = ("PATH", "HOME", "LANG", "SSL_CERT_FILE", "SSL_CERT_DIR")


@dataclass(frozen=True)
class Pipeline:
    """A deployed pipeline of which some weeks are collected."""

    variables_of_the_console: Mapping[str, str]
    state: Path
    _console: WarmConsole

    def earworm(self, *arguments: str) -> str:
        """What the console prints; fails with what it complains of."""
        result = self.attempt(*arguments)
        assert result.returncode == 0, result.stderr
        return result.stdout

    def attempt(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        return self._console.run(*arguments)

    def workers(self, service: str) -> "Iterator[psutil.Process]":
        """The processes of a function, each of which works in a folder that bears its name."""
        folder = f"{self.state.resolve()}/tmp/ministack-lambda-earworm-dev-{service.replace('_', '-')}-"
        for process in psutil.process_iter(["cwd"]):
            if (process.info["cwd"] or "").startswith(folder):
                yield process

    @property
    def variables(self) -> dict[str, str]:
        endpoints = LocalCloud(self.state).endpoints()
        assert endpoints, "the cloud was stopped"
        return endpoints.environment()

    @property
    def simulator(self) -> SimulatorClient:
        simulator = find_simulator(self.variables)
        assert simulator
        return simulator

    @cached_property
    def cloud(self) -> Cloud:
        return Cloud("dev", self.variables)

    @property
    def s3(self) -> "S3Client":
        return self.cloud.client("s3")

    @property
    def sqs(self) -> "SQSClient":
        return self.cloud.client("sqs")

    @property
    def glue(self) -> "GlueClient":
        return self.cloud.client("glue")

    @property
    def scheduler(self) -> "EventBridgeSchedulerClient":
        return self.cloud.client("scheduler")

    @property
    def bucket(self) -> str:
        return self.cloud.platform.bucket

    def ask(self, sql: str) -> list[dict[str, str | None]]:
        answer = self.cloud.athena.ask(sql)
        return [dict(zip(answer.columns, row, strict=True)) for row in answer.rows]

    def etags(self, prefix: str) -> dict[str, str]:
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix)
        return {found["Key"]: found["ETag"] for page in pages for found in page.get("Contents", ())}

    def wait_for(self, day: date, lists: Iterable[str], kind: ListKind = PLAYLISTS) -> None:
        """Waits until every table of the kind has the snapshots."""
        with progress() as bar:
            collect.await_tables(self.cloud, [SnapshotKey(day, each, kind) for each in lists], bar)

    def rows(self, table: str) -> list[dict[str, Any]]:
        files = [
            pq.read_table(BytesIO(self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()))
            for key in self.etags(f"processed/spotify/{table}/")
        ]
        return pa.concat_tables(files).to_pylist()  # type: ignore[no-any-return]  # pyarrow is untyped


@contextmanager
def deployed(state: Path) -> Iterator[Pipeline]:
    """A pipeline that is up and deployed, with the environment leading to it."""
    inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    variables = {**inherited, "EARWORM_STATE": str(state), "COLUMNS": "200"}
    with warm_console(variables) as console:
        pipeline = Pipeline(variables, state, console)
        pipeline.earworm("up")
        try:
            with pytest.MonkeyPatch.context() as patch:
                for name, value in pipeline.variables.items():
                    patch.setenv(name, value)
                pipeline.earworm("deploy")
                yield pipeline
        finally:
            pipeline.earworm("down")
