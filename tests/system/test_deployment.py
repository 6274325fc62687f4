"""One service changed, removed, broken, or in another environment, while all others go on."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from random import Random
from typing import Any

import pytest
from typer.core import TyperGroup

from analytics.sql import views
from contracts.chart import write_raw_chart
from contracts.tables import TABLES, of_kind
from infra.cli import collect
from infra.cli.app import COMMANDS
from infra.cli.cloud import Cloud
from infra.cli.logs import COLLECTORS
from infra.deploying import deploy as deploying
from infra.deploying.deploy import DeployedStack
from infra.deploying.stacks import CATALOG, PLATFORM, SERVICES
from shared.lake import CHARTS, SnapshotKey
from tests import sixth_table
from tests.charts import REGIONAL_WEEKLY, chart_file, loaded
from tests.documents import entry, playlist, track
from tests.sixth_table import copy_of_the_project
from tests.system.pipeline import Pipeline
from tests.system.warm_console import warm_console
from tests.waiting import eventually

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("environment_of_the_pipeline")]

OTHER_TABLES = [table for table in of_kind("playlists") if table != "songs"]


@dataclass(frozen=True)
class Tree:
    """A copy of the project that a developer changes."""

    root: Path

    def change(self, file: str, old: str, new: str) -> None:
        text = (self.root / file).read_text()
        assert text.count(old) == 1
        (self.root / file).write_text(text.replace(old, new))

    def earworm(self, pipeline: Pipeline, *arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "infra.cli", *arguments],
            cwd=self.root,
            env=pipeline.variables_of_the_console,
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(copy_of_the_project(tmp_path))


@dataclass(frozen=True)
class Lake:
    """The lake of one environment."""

    cloud: Cloud

    @property
    def bucket(self) -> str:
        return self.cloud.platform.bucket

    def put(self, key: SnapshotKey, document: Mapping[str, Any]) -> None:
        self.cloud.client("s3").put_object(Bucket=self.bucket, Key=key.raw, Body=json.dumps(document).encode())

    def objects(self, prefix: str) -> dict[str, bytes]:
        s3 = self.cloud.client("s3")
        found = s3.list_objects_v2(Bucket=self.bucket, Prefix=prefix).get("Contents", [])
        return {each["Key"]: s3.get_object(Bucket=self.bucket, Key=each["Key"])["Body"].read() for each in found}

    def receipts(self, day: date) -> dict[str, dict[str, Any]]:
        """The receipts of a day by table."""
        receipts = [
            json.loads(body) for body in self.objects(f"receipts/spotify/{day:year=%Y/month=%m/day=%d}/").values()
        ]
        return {receipt["table_name"]: receipt for receipt in receipts}

    def wait_for(self, day: date, *tables: str) -> None:
        eventually(lambda: self.receipts(day).keys() >= set(tables))


@pytest.fixture
def dev(pipeline: Pipeline) -> Lake:
    return Lake(Cloud("dev", pipeline.variables))


@pytest.fixture(scope="module")
def prod(pipeline: Pipeline) -> Lake:
    """Another environment in the same account, of which songs alone is deployed."""
    pipeline.earworm("deploy", PLATFORM, CATALOG, "songs", "--env", "prod")
    return Lake(Cloud("prod", pipeline.variables))


def standings(cloud: Cloud) -> dict[str, DeployedStack | None]:
    cloudformation = cloud.client("cloudformation")
    components = (PLATFORM, CATALOG, *SERVICES)
    return {each: deploying.standing(cloudformation, cloud.environment, each) for each in components}


def versions(pipeline: Pipeline) -> dict[str, str]:
    """What `earworm services` tells of each service's version."""
    words = [line.split() for line in pipeline.earworm("services").splitlines()]
    return {line[0]: line[1] for line in words if line and line[0] in SERVICES}


def test_new_code_of_one_service_changes_its_function_alone_and_can_be_taken_back(
    pipeline: Pipeline, dev: Lake, tree: Tree
) -> None:
    # given a line changed in the transform of songs
    before, day = standings(dev.cloud), date(2025, 6, 2)
    current = versions(pipeline)
    tree.change("services/songs/transform.py", "_MS_PER_MINUTE = 60_000", "_MS_PER_MINUTE = 30_000")

    # when it is deployed, first dry
    shown = tree.earworm(pipeline, "deploy", "songs", "--dry-run")
    left_behind = standings(dev.cloud)
    done = tree.earworm(pipeline, "deploy", "songs")

    # then a dry run leaves nothing behind, the function is all that changes, and it says for what
    assert (shown.returncode, done.returncode, left_behind) == (0, 0, before), shown.stderr + done.stderr
    changes = [line.split() for line in shown.stdout.splitlines() if "AWS::" in line]
    assert [line[:5] for line in changes] == [["songs", "Modify", "Function", "AWS::Lambda::Function", "no"]]
    assert "Code (CodeKey), Environment (CodeKey)" in shown.stdout
    changed = standings(dev.cloud)
    assert [each for each in before if changed[each] != before[each]] == ["songs"]

    # and the next run's receipts carry a new version for songs alone
    pipeline.earworm("run", "--date", str(day), "--playlist", collect.configured_playlists(dev.cloud)[0])
    changed_version = versions(pipeline)["songs"]
    assert changed_version not in current.values()
    assert {name: receipt["service_version"] for name, receipt in dev.receipts(day).items()} == {
        **{table: current[table] for table in OTHER_TABLES},
        "songs": changed_version,
    }

    # and the earlier code, deployed again, has the earlier version
    tree.change("services/songs/transform.py", "_MS_PER_MINUTE = 30_000", "_MS_PER_MINUTE = 60_000")
    tree.earworm(pipeline, "deploy", "songs")
    assert versions(pipeline) == current


def test_a_service_that_fails_is_rolled_back_and_no_other_is_held_up(pipeline: Pipeline, dev: Lake, tree: Tree) -> None:
    # given new code for two services, of which one wants a queue that forgets too soon
    current = versions(pipeline)
    for service in ("albums", "artists"):
        with (tree.root / f"services/{service}/transform.py").open("a") as transform:
            transform.write("# new\n")
    tree.change(
        "services/artists/template.yaml",
        "\nOutputs:\n",
        "\n  Brief:\n    Type: AWS::SQS::Queue\n    DependsOn: Function\n"
        "    Properties: {MessageRetentionPeriod: 5}\n\nOutputs:\n",
    )

    # when both are deployed
    result = tree.earworm(pipeline, "deploy", "albums", "artists")

    # then one sentence says what failed first, and why
    complaints = result.stderr[result.stderr.index("earworm: ") :].splitlines()
    assert result.returncode == 1
    assert len(complaints) == 1
    assert "earworm-dev-artists was not deployed and is rolled back: Brief (AWS::SQS::Queue): " in complaints[0]

    # and one is as it was and still works, the other is new
    new = versions(pipeline)
    assert [service for service in current if new[service] != current[service]] == ["albums"]
    rolled_back = standings(dev.cloud)["artists"]
    assert rolled_back
    assert rolled_back.status == "UPDATE_ROLLBACK_COMPLETE"
    dev.put(SnapshotKey(date(2025, 6, 9), "after-the-failure"), playlist(entry(track("Heard")), id=None))
    dev.wait_for(date(2025, 6, 9), *of_kind("playlists"))
    assert dev.receipts(date(2025, 6, 9))["artists"]["service_version"] == current["artists"]
    assert dev.receipts(date(2025, 6, 9))["albums"]["service_version"] == new["albums"]


def test_a_service_comes_and_goes_while_the_others_collect_and_lacks_nothing_after_a_replay(
    pipeline: Pipeline, dev: Lake, prod: Lake
) -> None:
    # given two environments side by side that hear the same
    first, second = date(2025, 7, 7), date(2025, 7, 14)
    documents = {
        SnapshotKey(day, "heard-by-both"): playlist(
            entry(track(f"One of {day}")), entry(track(f"Two of {day}")), id=None
        )
        for day in (first, second)
    }
    for lake in (dev, prod):
        lake.put(SnapshotKey(first, "heard-by-both"), documents[SnapshotKey(first, "heard-by-both")])
    dev.wait_for(first, *of_kind("playlists"))
    prod.wait_for(first, "songs")

    # when songs is removed from one of them
    removed = pipeline.earworm("remove", "songs", "--yes")
    for lake in (dev, prod):
        lake.put(SnapshotKey(second, "heard-by-both"), documents[SnapshotKey(second, "heard-by-both")])

    # then its queue is gone, the other services collect, and the other environment does not notice
    assert "earworm-dev-songs is removed." in removed
    assert "earworm-dev-songs" not in str(pipeline.sqs.list_queues(QueueNamePrefix="earworm-dev-"))
    dev.wait_for(second, *OTHER_TABLES)
    prod.wait_for(second, "songs")
    assert "songs" not in dev.receipts(second)

    # and when it is back and what it missed is announced again
    pipeline.earworm("deploy", "songs")
    pipeline.earworm("replay", "--from", str(first), "--to", str(second), "--table", "songs")

    # then its table is, byte for byte, that of the environment where it never was away
    prefix = "processed/spotify/songs/year=2025/month=07/"
    assert len(dev.objects(prefix)) == len(documents)
    assert dev.objects(prefix) == prod.objects(prefix)


def test_collectors_and_transformers_come_and_go_in_any_order_and_what_they_wrote_can_be_asked(
    pipeline: Pipeline, dev: Lake
) -> None:
    # given a list of either kind in all tables, and every service deployed
    day = date(2025, 7, 10)
    dev.put(SnapshotKey(day, "asked-in-any-order"), playlist(entry(track("Asked")), id=None))
    chart = loaded(f"regional-de-weekly-{day}.csv", chart_file(REGIONAL_WEEKLY, range(1, 4)))
    key = SnapshotKey(day, chart.envelope.list_id, CHARTS)
    dev.cloud.client("s3").put_object(Bucket=dev.bucket, Key=key.raw, Body=write_raw_chart(chart))
    pipeline.earworm("deploy", *COLLECTORS)
    dev.wait_for(day, *of_kind("playlists"))
    eventually(lambda: dev.objects(key.receipt("charts")))
    before = {view.name: pipeline.ask(f"SELECT count(*) AS n FROM {view.name}") for view in views()}
    assert all(
        before[name] != [{"n": "0"}] for name in ("weekly_chart", "chart_tracks", "spotify_tracks", "recordings")
    )

    # when one after the other is removed, and then deployed again, each time in another order
    services = [*COLLECTORS, *TABLES]
    order = Random(str(day))
    gone: set[str] = set()
    for is_back, service in (
        *((False, each) for each in order.sample(services, len(services))),
        *((True, each) for each in order.sample(services, len(services))),
    ):
        pipeline.earworm(*(("deploy", service) if is_back else ("remove", service, "--yes")))
        gone ^= {service}

        # then any view answers as before, and a question says whose tables nobody fills
        view = order.choice(sorted(before))
        assert (view, pipeline.ask(f"SELECT count(*) AS n FROM {view}")) == (view, before[view])
        asked = pipeline.attempt("query", "SELECT count(*) FROM songs")
        assert asked.returncode == 0, asked.stderr
        assert {line for line in TABLES if f"{line}: not deployed" in asked.stderr} == gone & {*TABLES}
        if len(gone) == len(services):
            assert {name: pipeline.ask(f"SELECT count(*) AS n FROM {name}") for name in before} == before


ASK_NO_TABLE = {
    *("up", "down", "authorize", "build", "changed"),  # no environment's tables
    *("deploy", "remove", "services"),  # what is deployed is their subject
    "tiers",  # a run a tier
    "crawl",  # files and contracts are its subject
    *("watch add", "watch remove", "watch list", "watch import"),  # the list is theirs
    "failures",  # and functions are its
}


def test_while_a_table_is_not_deployed_every_command_does_the_rest_and_says_so(
    pipeline: Pipeline, dev: Lake, tmp_path: Path
) -> None:
    # given albums removed
    today = datetime.now(UTC).date()
    day = collect.mondays(2, today)[0]
    of_the_day = ("--from", str(day), "--to", str(day))
    playlist_id = collect.configured_playlists(dev.cloud)[0]
    document = tmp_path / "document.json"
    document.write_text(json.dumps(playlist(entry(track("Heard")), id=None)))
    pipeline.earworm("remove", "albums", "--yes")

    # when an operator gives every command that the console has
    collecting = {
        "run": ("--date", str(day)),
        "backfill": ("--weeks", "1"),
        "load": (str(document), "--date", str(day), "--playlist", "loaded"),
        "unload": ("--playlist", "loaded", "--date", str(day), "--yes"),
        "replay": of_the_day,
    }
    collected = {name: pipeline.attempt(name, *arguments) for name, arguments in collecting.items()}
    (run_id,) = re.findall(r"Run ([0-9a-f-]{36})", collected["run"].stdout)
    looking = {
        "status": (run_id,),
        "runs": (),
        "logs": (run_id,),
        "trace": (run_id,),
        "tables": (),
        "query": ("top_artists",),
        "explain": ("songs", "--playlist", playlist_id, "--date", str(day)),
        "compact": ("--month", f"{day:%Y-%m}"),
        "audit": (*of_the_day, "--grace", "0"),
        "report": ("--week", str(day)),
        "dlq": (),
        "dlq show": ("songs",),
        "dlq redrive": ("--all",),
        "dlq drop": ("songs", "--reason", "none", "--dry-run"),
    }
    assert {*collecting, *looking} | ASK_NO_TABLE == set(commands())
    with ThreadPoolExecutor(max_workers=3) as side_by_side:
        looked = side_by_side.map(lambda each: pipeline.attempt(*each[0].split(), *each[1]), looking.items())
        results = collected | dict(zip(looking, looked, strict=True))

    # then each does the rest and says what is not deployed
    for name, result in results.items():
        assert (name, result.returncode) == (name, 0), result.stderr
        assert (name, result.stderr.count("albums: not deployed")) == (name, 1), result.stderr
    assert dev.receipts(day).keys() == {*of_kind("playlists")} - {"albums"}

    # and once albums is back and was told what it missed, the lake is whole
    since = ("--from", str(day), "--to", str(today))
    pipeline.earworm("deploy", "albums")
    pipeline.earworm("replay", *since, "--table", "albums")
    audited = pipeline.attempt("audit", *since, "--grace", "0")
    assert audited.returncode == 0, audited.stdout + audited.stderr
    assert "not deployed" not in audited.stderr
    assert dev.receipts(day).keys() == {*of_kind("playlists")}


def commands() -> Iterator[str]:
    """The console's commands but for the hidden ones, each as it is typed."""
    for name, imported in COMMANDS.items():
        command = imported.load()
        if not imported.hidden and (not isinstance(command, TyperGroup) or command.invoke_without_command):
            yield name
        if isinstance(command, TyperGroup):
            yield from (f"{name} {each}" for each in command.commands)


def test_environments_share_nothing(pipeline: Pipeline, dev: Lake, prod: Lake) -> None:
    # given what one of them hears alone
    dev.put(SnapshotKey(date(2025, 8, 4), "heard-by-dev"), playlist(entry(track("Heard")), id=None))
    dev.wait_for(date(2025, 8, 4), *of_kind("playlists"))
    assert prod.objects("raw/spotify/2025-08-04/") == prod.objects("receipts/spotify/year=2025/month=08/") == {}

    # when the other one is removed, the platform last
    early = pipeline.attempt("remove", PLATFORM, "--env", "prod", "--yes")
    for component in ("songs", CATALOG):
        pipeline.earworm("remove", component, "--env", "prod", "--yes")
    last = pipeline.earworm("remove", PLATFORM, "--env", "prod", "--yes")

    # then it names who needs the platform, and keeps both buckets
    assert early.returncode == 1
    assert "earworm-prod-platform is needed by catalog, songs: remove these first." in " ".join(early.stderr.split())
    assert prod.bucket in last
    assert set(standings(prod.cloud).values()) == {None}

    # and when it is back, its lake is there, can be queried and hears of snapshots again
    rows = prod.objects("processed/")
    back = pipeline.earworm("deploy", PLATFORM, CATALOG, "songs", "--env", "prod", "--yes")
    assert (
        f"Taken back into earworm-prod-platform: earworm-prod-artifacts-000000000000-us-east-1, {prod.bucket}." in back
    )
    assert "partitions are registered that the catalog lacked." in back
    assert rows
    assert prod.objects("processed/") == rows
    assert prod.cloud.athena.ask("SELECT count(DISTINCT playlist_id) AS n FROM songs").rows != (("0",),)
    prod.put(SnapshotKey(date(2025, 8, 11), "heard-by-prod"), playlist(entry(track("Heard")), id=None))
    prod.wait_for(date(2025, 8, 11), "songs")

    # and the first one goes on
    dev.put(SnapshotKey(date(2025, 8, 11), "heard-by-dev"), playlist(entry(track("Heard")), id=None))
    dev.wait_for(date(2025, 8, 11), *of_kind("playlists"))


def test_what_cannot_be_done_ends_with_a_sentence(pipeline: Pipeline) -> None:
    for arguments, code, sentence in (
        (["deploy", "songs", "--set", "Volume=11"], 2, "The template of songs has no parameter Volume to be set"),
        (["deploy", "songs", "--set", "LogLevel=LOUD"], 1, "earworm-dev-songs cannot be deployed: Parameter"),
        (["remove", "albums", "--env", "prod"], 1, "earworm-prod-albums is not deployed at the local cloud"),
    ):
        result = pipeline.attempt(*arguments)

        assert result.returncode == code
        assert sentence in " ".join(result.stderr.split())
        assert "Traceback" not in result.stderr


def test_a_sixth_table_is_a_contract_a_transform_and_a_readme_for_the_console_too(
    pipeline: Pipeline, dev: Lake, tree: Tree
) -> None:
    # given a table more in a copy of the project, and a snapshot of before it
    sixth_table.add_to(tree.root)
    earlier, later = SnapshotKey(date(2025, 9, 1), "before"), SnapshotKey(date(2025, 9, 8), "after")
    document = playlist(entry(track("Heard")), entry(track("Heard")), entry(track("Seen")), id=None)
    dev.put(earlier, document)
    dev.wait_for(earlier.snapshot_date, *of_kind("playlists"))

    with warm_console(pipeline.variables_of_the_console, tree.root) as warm:

        def console(*arguments: str) -> str:
            result = warm.run(*arguments)
            assert result.returncode == 0, result.stderr
            return result.stdout

        # when it is deployed, is told of the earlier snapshot and hears of a new one
        console("deploy", sixth_table.NAME, "catalog", "redrive", "audit")
        console("replay", "--from", "2025-09-01", "--to", "2025-09-01", "--table", sixth_table.NAME)
        dev.put(later, document)
        dev.wait_for(later.snapshot_date, *of_kind("playlists"), sixth_table.NAME)

        # then its rows are explained, nothing is amiss, and the console knows it
        of_before = ("--playlist", "before", "--date", "2025-09-01", "--track", "Heard")
        explained = console("explain", sixth_table.NAME, *of_before)
        console("audit", "--from", "2025-09-01", "--to", "2025-09-08", "--grace", "0")
        assert "$.tracks.items[0]" in explained
        assert "2 rows" in explained
        for command in ("dlq", "status", "tables"):
            assert sixth_table.NAME in console(command)
        console("remove", sixth_table.NAME, "--yes")
