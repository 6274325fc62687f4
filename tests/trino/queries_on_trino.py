"""Every view and query on Trino, which is Athena's engine, against the local Athena; `make test-trino` runs it.

Both read the lake of `make run`, through the same catalog and the same objects.
"""

import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import pairwise
from time import perf_counter
from typing import Any

import pytest

from analytics.sql import queries, views
from infra.cli import days
from infra.cli.cloud import STATE, Cloud
from infra.cli.collect import mondays
from infra.local.cloud import LocalCloud
from infra.local.emulator import trino as translation
from tests.trino.server import Trino, running

TODAY = days.today()
FIRST = TODAY - timedelta(weeks=27)
RANGE = {"from": str(FIRST), "to": str(TODAY)}
DATED = {
    **dict.fromkeys(("chart_entries", "weekly_chart", "list_events"), "week"),
    **dict.fromkeys(("recordings", "label_groups", "list_kinds", "watched_recordings")),
}
"""The column that a view is asked by, if any; snapshot_on where it is not named."""


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    """The local cloud that `make run` left up."""
    endpoints = LocalCloud(STATE).endpoints()
    assert endpoints, "run `make run` first: the local cloud is not up"
    with pytest.MonkeyPatch.context() as patch:
        for name, value in endpoints.environment().items():
            patch.setenv(name, value)
        yield Cloud("dev", endpoints.environment())


@pytest.fixture(autouse=True)
def environment_of_the_cloud(environment_without_cloud: None, cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in cloud.variables.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(scope="module")
def trino(cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trino]:
    """Trino with the rights of the analyst."""
    account = "AnalystPrincipals=arn:aws:iam::000000000000:root"
    subprocess.run([sys.executable, "-m", "infra.cli", "deploy", "platform", "--set", account], check=True)
    stack = cloud.client("cloudformation").describe_stacks(StackName="earworm-dev-platform")["Stacks"][0]
    (role,) = (output["OutputValue"] for output in stack["Outputs"] if output["OutputKey"] == "AnalystRoleArn")
    session = cloud.client("sts").assume_role(RoleArn=role, RoleSessionName="trino")["Credentials"]
    variables = {
        **cloud.variables,
        "AWS_ACCESS_KEY_ID": session["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": session["SecretAccessKey"],
        "AWS_SESSION_TOKEN": session["SessionToken"],
    }
    with running(tmp_path_factory.mktemp("trino"), variables, cloud.platform.database) as trino:
        yield trino


def _comparable(types: list[str], rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Trino's values as the console converts those of Athena's API."""

    def converted(value: Any, type_: str) -> Any:
        if value is None:
            return None
        if type_ == "date":
            return date.fromisoformat(value)
        if type_.startswith("timestamp"):
            return value.partition(".")[0]
        return _rounded(value)

    return [tuple(converted(value, type_) for value, type_ in zip(row, types, strict=True)) for row in rows]


def _local(cloud: Cloud, sql: str) -> list[tuple[Any, ...]]:
    found = cloud.athena.ask(sql).records()
    return [
        tuple(f"{value:%Y-%m-%d %H:%M:%S}" if hasattr(value, "hour") else _rounded(value) for value in row.values())
        for row in found
    ]


def _rounded(value: Any) -> Any:
    """A number without the digits that the order of adding up decides."""
    return float(f"{value:.12g}") if isinstance(value, float) else value


def _calls() -> Counter[str]:
    """What Trino asked of S3 so far."""
    decisions = map(json.loads, (STATE / "logs/iam.jsonl").read_text().splitlines())
    return Counter(each["action"] for each in decisions if each["principal"].endswith("/trino"))


def _answers(name: str, cloud: Cloud, trino: Trino, sql: str) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
    """Both answers; prints the figures of a run by hand."""
    calls, began = _calls(), perf_counter()
    on_trino = _comparable(*trino.ask(sql))
    answered, asked = perf_counter(), _calls() - calls
    local = _local(cloud, sql)
    ended = perf_counter()
    print(  # noqa: T201
        f"{name}: {len(on_trino)} rows; Trino {answered - began:.1f} s, {asked['s3:ListBucket']} LIST and "
        f"{asked['s3:GetObject']} GET; local Athena {ended - answered:.1f} s"
    )
    return on_trino, local


@pytest.mark.parametrize("name", queries())
def test_a_query_answers_on_trino_as_on_the_local_athena(cloud: Cloud, trino: Trino, name: str) -> None:
    asked = queries()[name]
    sql = translation.bind(
        asked.text,
        asked.execution_parameters(
            {each.name: RANGE[each.name] for each in asked.parameters if each.name in RANGE}, TODAY
        ),
    )

    on_trino, local = _answers(name, cloud, trino, sql)

    assert on_trino == local


@pytest.mark.parametrize("name", [view.name for view in views()])
def test_a_view_has_the_same_rows_on_trino_as_on_the_local_athena(cloud: Cloud, trino: Trino, name: str) -> None:
    day = DATED.get(name, "snapshot_on")
    where = f" WHERE {day} BETWEEN date('{RANGE['from']}') AND date('{RANGE['to']}')" if day else ""
    sql = f"SELECT * FROM {name}{where}"

    on_trino, local = _answers(name, cloud, trino, sql)

    assert sorted(on_trino, key=repr) == sorted(local, key=repr)


def test_a_condition_on_a_views_date_prunes_every_table_behind_it(trino: Trino) -> None:
    (newest,) = mondays(1, TODAY)
    _, ((plan,),) = trino.ask(f"EXPLAIN SELECT * FROM spotify_tracks WHERE snapshot_on = DATE '{newest}'")

    days = [after.strip() for before, after in pairwise(plan.splitlines()) if "day:string:PARTITION_KEY" in before]
    assert days == [f":: [[{newest:%d}]]"] * 5


def test_a_question_without_dates_lists_the_days_that_exist_and_no_others(cloud: Cloud, trino: Trino) -> None:
    # given the days of the tables that a view reads, some of them several times
    _, ((plan,),) = trino.ask("EXPLAIN SELECT * FROM weekly_chart")
    scans = Counter(re.findall(r"table = awsdatacatalog:\w+:(\w+)", plan))
    glue, database = cloud.client("glue"), cloud.platform.database
    days = {table: len(glue.get_partitions(DatabaseName=database, TableName=table)["Partitions"]) for table in scans}

    # when it is asked for all
    before = _calls()
    trino.ask("SELECT * FROM weekly_chart")
    asked = _calls() - before

    # then each of these days is listed once, for a query remembers what it listed
    assert asked["s3:ListBucket"] == sum(days.values())
    print(f"weekly_chart: {dict(asked)} in {scans.total()} scans of {days}")  # noqa: T201 - the figures of a run by hand
