"""An operator's console on a lake in process."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from moto import mock_aws
from rich.progress import Progress

from contracts.operations.loading import Load
from contracts.tables import TABLES
from infra.cli import explain as lineage
from infra.cli import load as loading
from infra.cli import runs as operations
from infra.cli import unload as unloading
from infra.cli.cloud import Cloud as ConsoleCloud
from infra.cli.collect import Landed, await_tables
from infra.cli.screen import err, out
from services.audit.comparison import compare
from services.audit.inventory import Inventory
from shared.lake import Place, SnapshotKey
from tests.integration.cloud import BUCKET, SESSION, Cloud, console_cloud, make_cloud
from tests.integration.tables import complete, declare_tables, make_queues

ID = "3cEYpjA9oz9GiPac4AsH4n"
DAY = date(2024, 5, 2)


@dataclass
class Console:
    """An operator's console on a lake whose workers have done their work by the time that somebody waits for it."""

    lake: Cloud
    printed: StringIO

    def load(self, *files: Path, **options: Any) -> str:
        """What it prints, on both outputs."""
        defaults = {"day": None, "playlist": None, "same_day": "refuse", "environment": "dev"}
        defaults |= {"period_end": None, "region": None, "frequency": None}
        switches = {"pages": False, "skip_bad": False, "every": False, "yes": False}
        self.printed.truncate(0)
        loading.load(list(files), **{**defaults, **switches, **options})
        return " ".join(self.printed.getvalue().split())

    def unload(self, day: date = DAY, **options: Any) -> str:
        self.printed.truncate(0)
        which = {} if "chart" in options else {"playlist": ID}
        unloading.unload(day, **{"environment": "dev", "dry_run": False, "yes": True, **which, **options})
        return " ".join(self.printed.getvalue().split())

    def load_records(self) -> list[Load]:
        """The records of loads, the newest first."""
        bodies = [self.lake.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() for key in self.lake.keys("loads/")]
        return sorted(map(Load.model_validate_json, bodies), key=lambda load: load.began, reverse=True)

    def runs(self, number: int = 10) -> str:
        return self._said(lambda: operations.runs(number=number, days=1, environment="dev"))

    def status(self, run: str = "latest") -> str:
        return self._said(lambda: operations.status(run, days=1, environment="dev"))

    def explain(self, table: str, of: str, day: date) -> str:
        return self._said(lambda: lineage.explain(table, of, day, None, "dev"))

    def _said(self, command: Callable[[], None]) -> str:
        self.printed.seek(0)
        self.printed.truncate(0)
        command()
        return " ".join(self.printed.getvalue().split())

    def gaps(self) -> list[str]:
        holdings = Inventory(self.lake.s3, BUCKET, tuple(TABLES)).take(date(2024, 1, 1), date(2024, 12, 31))
        settled = max((raw.last_modified for raw in holdings.raws.values()), default=None)
        assert settled
        found = compare(holdings, tuple(TABLES), settled_before=settled.replace(year=9999))
        return [gap.what for gap in found.gaps]

    def run_ids(self) -> set[str]:
        raws = self.lake.keys("raw/")
        return {self.lake.s3.head_object(Bucket=BUCKET, Key=key)["Metadata"]["run-id"] for key in raws}


@pytest.fixture
def console(monkeypatch: pytest.MonkeyPatch) -> Iterator[Console]:
    with mock_aws():
        declare_tables()
        lake = make_cloud()
        lake.deploy(*TABLES)
        cloud = console_cloud({"AWS_ENDPOINT_URL": "http://local"}, is_local=True)
        monkeypatch.setattr(ConsoleCloud, "client", lambda _, name: SESSION.client(name))
        make_queues(lake)
        printed = StringIO()
        for module in (loading, unloading, operations, lineage):
            monkeypatch.setattr(module, "find_cloud", lambda *_, **__: cloud)
        for screen in (out, err):
            monkeypatch.setattr(screen, "_file", printed)
            monkeypatch.setattr(screen, "_width", 200)

        def worked(cloud: ConsoleCloud, keys: list[SnapshotKey], bar: Progress) -> dict[Place, Landed]:
            for key in keys:
                complete(lake, key)
            return await_tables(cloud, keys, bar)

        monkeypatch.setattr(loading, "await_tables", worked)
        yield Console(lake, printed)
