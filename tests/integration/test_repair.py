"""The console's audit of a lake in process: what it says of each disaster, what its repair does, and what it leaves."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
import typer
from moto import mock_aws

from contracts.operations.audit import Gap
from contracts.operations.redrive import RedriveRequest
from contracts.tables import TABLES, of_kind
from infra.cli import audit as audits
from infra.cli import catalog, gaps
from infra.cli.cloud import Cloud as ConsoleCloud
from services.audit.audit import auditor
from services.redrive.lake import LetterLake
from services.redrive.redrive import Redrive
from shared.dead_letters import DeadLetterQueue
from shared.invocation import read
from shared.lake import SnapshotKey
from tests.documents import entry, playlist, track
from tests.integration.cloud import BUCKET, KEY, SESSION, Cloud, console_cloud, make_cloud, record
from tests.integration.tables import (
    DATABASE,
    OF_THE_AUDIT,
    complete,
    copy,
    declare_tables,
    declared_by,
    flip,
    forge,
    make_queues,
    worker,
)

pytestmark = pytest.mark.slow

DOCUMENT = playlist(
    entry(track("One")), entry({**track("Two"), "name": None}), entry(track("Three", popularity=101)), id=None
)
NOVEMBER = date(2026, 11, 1)


class NoSuchFunctionError(Exception):
    """There is none of that name."""


class FakeFunctions:
    """Lambda, with the audit and the redrive in this process.

    Attributes:
        failing: What audits of a month fail with, by the month's first day.
    """

    exceptions = SimpleNamespace(ResourceNotFoundException=NoSuchFunctionError)

    def __init__(self, redrive: Redrive) -> None:
        self._functions: dict[str, Callable[[dict[str, Any], Any], Any]] = {
            "earworm-dev-audit": auditor(),
            "earworm-dev-redrive": lambda event, _: redrive.carry_out(
                read(RedriveRequest, event), lambda: 60.0
            ).model_dump(mode="json"),
        }
        self.failing: dict[str, str] = {}

    def invoke(self, FunctionName: str, Payload: bytes) -> dict[str, Any]:  # noqa: N803 - as boto3 calls it
        event = json.loads(Payload)
        if fault := self.failing.get(event.get("from", "")):
            return {"FunctionError": "Unhandled", "Payload": BytesIO(json.dumps({"errorMessage": fault}).encode())}
        answer: Any = self._functions[FunctionName](event, None)
        return {"Payload": BytesIO(json.dumps(answer).encode())}


@dataclass
class Console:
    """An operator's console on a lake."""

    lake: Cloud
    functions: FakeFunctions
    printed: list[tuple[audits.Audit, list[Gap]]] = field(default_factory=list)

    def audit(self, *, repair: bool = False, first: date = NOVEMBER) -> list[list[tuple[str | None, str, str]]]:
        """The gaps as they were shown, before a repair and after it: table, what is wrong and what to do."""
        self.printed.clear()
        exit_code = 0
        try:
            audits.audit(first, date(2026, 11, 30), 0, "dev", repair=repair, contents=True)
        except typer.Exit as end:
            exit_code = end.exit_code
        last, _ = self.printed[-1]
        assert exit_code == bool(last.found or last.failures)
        return [[(gap.table, gap.what, gaps.what_to_do(gap, REPAIR)) for gap in shown] for _, shown in self.printed]

    def letters(self) -> int:
        return sum(len(self.received(f"earworm-dev-{table.replace('_', '-')}-dead-letters")) for table in TABLES)

    def received(self, queue: str) -> list[Any]:
        url = self.lake.sqs.get_queue_url(QueueName=queue)["QueueUrl"]
        found = self.lake.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0)
        return found.get("Messages", [])


def transform(lake: Cloud) -> None:
    """What the transformers do with what is in their queues."""
    for table in TABLES:
        name = f"earworm-dev-{table.replace('_', '-')}"
        url, letters = (lake.sqs.get_queue_url(QueueName=queue)["QueueUrl"] for queue in (name, f"{name}-dead-letters"))
        while messages := lake.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                at_work = replace(worker(lake, table), dead_letters=DeadLetterQueue(lake.sqs, letters))
                at_work.process(record(message["Body"]))
                lake.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])


@pytest.fixture
def console(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Console]:
    """A console on a lake with one snapshot that every table has."""
    for name, value in {**OF_THE_AUDIT, "GRACE_MINUTES": "0"}.items():
        monkeypatch.setenv(name, value)
    with mock_aws():
        declare_tables()
        lake = make_cloud()
        lake.deploy(*TABLES)
        make_queues(lake)
        lake.put_raw(DOCUMENT)
        complete(lake)
        redrive = Redrive(
            sqs=lake.sqs,
            lake=LetterLake(lake.s3, BUCKET),
            functions=boto3.client("lambda"),
            queue_prefix="earworm-dev-",
            sleep=lambda _: None,
            wait_seconds=0,
        )
        console = Console(lake, FakeFunctions(redrive))
        cloud = console_cloud()
        clients: Mapping[str, Any] = {"lambda": console.functions}
        monkeypatch.setattr(ConsoleCloud, "client", lambda _, name: clients.get(name) or SESSION.client(name))
        monkeypatch.setattr(audits, "find_cloud", lambda *_, **__: cloud)
        monkeypatch.setattr(audits, "STATE", tmp_path)
        monkeypatch.setattr(audits, "await_written", lambda *_: transform(lake))
        monkeypatch.setattr(catalog, "declared_by", lambda _, component: declared_by(component))
        monkeypatch.setattr(catalog, "altered_views", lambda _: {})
        monkeypatch.setattr(audits, "_print", lambda _, __, found: console.printed.append((found, list(found.gaps))))
        yield console


REPAIR = "earworm audit --repair"


def test_whatever_happened_to_an_output_is_mended_by_a_repair(console: Console) -> None:
    # given a damaged data page, another table's rows, a receipt of another table, and no quarantines
    flip(console.lake, KEY.parquet("albums"), 100)
    copy(console.lake, KEY.parquet("songs"), KEY.parquet("artists"))
    copy(console.lake, KEY.receipt("songs"), KEY.receipt("track_features"))
    for key in (KEY.quarantine("songs"), KEY.quarantined_values("songs")):
        console.lake.s3.delete_object(Bucket=BUCKET, Key=key)

    # when it is repaired
    before, after = console.audit(repair=True)

    # then each was named, and nothing is left
    assert {(table, to_do) for table, _, to_do in before} == {
        (table, REPAIR) for table in ("albums", "artists", "track_features", "songs")
    }
    assert after == []
    assert console.letters() == 0


def test_a_table_that_somebody_dropped_is_declared_again(console: Console) -> None:
    glue = SESSION.client("glue")
    declared = glue.get_table(DatabaseName=DATABASE, Name="songs")["Table"]["StorageDescriptor"]
    glue.delete_table(DatabaseName=DATABASE, Name="songs")

    before, after = console.audit(repair=True)

    assert before == [("songs", "the table is missing from the catalog", REPAIR)]
    assert after == []
    assert glue.get_table(DatabaseName=DATABASE, Name="songs")["Table"]["StorageDescriptor"] == declared


def test_an_unreadable_document_is_left_alone_until_somebody_corrects_it(console: Console) -> None:
    # given a document that no worker can read, which each table set aside
    console.lake.put_raw(b'{"tracks": ')
    for table in of_kind("playlists"):
        url = console.lake.sqs.get_queue_url(QueueName=f"earworm-dev-{table.replace('_', '-')}")["QueueUrl"]
        console.lake.sqs.send_message(QueueUrl=url, MessageBody=json.dumps(event()))
    transform(console.lake)
    assert console.letters() == len(of_kind("playlists"))

    # when it is audited, and repaired
    (shown,) = console.audit()
    (again,) = console.audit(repair=True)

    # then each table's gap tells the class of its dead letter, nothing was announced and no letter came
    assert again == shown
    assert [table for table, _, _ in shown] == of_kind("playlists")
    assert all(
        to_do.startswith("correct the raw object, or remove it: UnreadableSnapshotError: ") for *_, to_do in shown
    )
    assert console.letters() == len(of_kind("playlists"))

    # and once it is corrected a repair mends it
    console.lake.put_raw(DOCUMENT)
    _, after = console.audit(repair=True)
    assert after == []


def test_an_unreadable_document_is_known_without_its_dead_letters(console: Console) -> None:
    console.lake.put_raw(b"[1, 2]")

    (shown,) = console.audit(repair=True)

    assert all("UnreadableSnapshotError" in to_do for *_, to_do in shown)
    assert console.letters() == 0


def test_what_a_replay_did_not_mend_is_not_replayed_for_ever(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    # given a table whose service writes nothing
    console.lake.s3.delete_object(Bucket=BUCKET, Key=KEY.receipt("songs"))
    monkeypatch.setattr(audits, "await_written", lambda *_: None)

    before, after = console.audit(repair=True)

    assert before == [("songs", "receipt missing", REPAIR)]
    assert after == [
        (
            "songs",
            "receipt missing",
            "a replay did not repair it: no dead letter says why, see earworm logs --service songs",
        )
    ]


def test_what_has_no_raw_object_is_left_for_a_person(console: Console) -> None:
    console.lake.s3.delete_object(Bucket=BUCKET, Key=KEY.raw)

    (shown,) = console.audit(repair=True)

    assert {to_do for *_, to_do in shown} == {"restore the raw object from an older version, or remove this one"}


def test_a_month_that_fails_is_told_and_the_others_are_audited(console: Console) -> None:
    console.lake.put_raw(DOCUMENT, key="raw/spotify/2026-10-05/one/playlist.json")
    console.functions.failing["2026-10-01"] = "killed"

    (shown,) = console.audit(first=date(2026, 10, 1))

    ((found, _),) = console.printed
    assert shown == []
    (failure,) = found.failures
    assert failure.startswith("2026-10-01 to 2026-10-31 and the catalog could not be audited: killed.")
    assert found.checked == 1


@pytest.mark.parametrize("output", [SnapshotKey.parquet, SnapshotKey.quarantine, SnapshotKey.quarantined_values])
def test_what_an_interrupted_unload_left_of_a_year_without_receipts_is_named(
    console: Console, output: Callable[[SnapshotKey, str], str]
) -> None:
    lost = replace(KEY, snapshot_date=date(2025, 5, 2))
    copy(console.lake, output(KEY, "songs"), output(lost, "songs"))

    with pytest.raises(typer.Exit):
        audits.audit(None, None, 0, "dev", contents=False)

    ((_, shown),) = console.printed
    assert {(gap.snapshot_date, gap.mended_by) for gap in shown if gap.playlist_id} == {(lost.snapshot_date, "person")}


@pytest.mark.parametrize(
    "stray",
    [
        "raw/spotify/1999-11-22/one/playlist.json",
        "raw/charts/2062-11-22/spotify_charts-one/chart.json",
        "receipts/spotify/year=1999/month=11/day=22/songs-one.json",
        "receipts/spotify/year=0/month=11/day=22/songs-one.json",
    ],
)
def test_a_folder_of_a_day_that_no_table_has_does_not_keep_the_lake_from_being_audited(
    console: Console, stray: str
) -> None:
    console.lake.put_raw(DOCUMENT, key=stray)

    audits.audit(None, None, 0, "dev")

    ((found, _),) = console.printed
    assert (found.checked, found.found) == (1, 0)


def test_contents_that_are_not_what_the_receipt_says_are_named_though_every_etag_agrees(console: Console) -> None:
    # given a receipt and rows that agree, and belong to another snapshot
    other = replace(KEY, list_id="other")
    console.lake.put_raw(DOCUMENT, key=other.raw)
    complete(console.lake, other)
    rows = console.lake.s3.get_object(Bucket=BUCKET, Key=other.parquet("songs"))
    copy(console.lake, other.parquet("songs"), KEY.parquet("songs"))
    forge(console.lake, "songs", parquet_etag=rows["ETag"].strip('"'), parquet_bytes=rows["ContentLength"])

    before, after = console.audit(repair=True)

    assert before == [("songs", f"Parquet file holds rows of playlist_id 'other', not '{KEY.list_id}'", REPAIR)]
    assert after == []


def test_what_was_proved_is_not_read_again(console: Console, tmp_path: Path) -> None:
    console.audit()
    (proved,) = (tmp_path / "proved").iterdir()
    assert len(proved.read_text().split()) == len(of_kind("playlists"))

    console.audit()

    assert len(proved.read_text().split()) == len(of_kind("playlists"))


def event() -> dict[str, Any]:
    return {"Records": [{"s3": {"object": {"key": KEY.raw}}}]}
