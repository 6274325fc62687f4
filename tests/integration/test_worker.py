"""A transformer over S3, SNS and SQS in process."""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from hashlib import sha256
from io import BytesIO
from typing import Any, TypeAlias
from urllib.parse import unquote

import boto3
import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from pydantic import TypeAdapter
from urllib3 import HTTPResponse

from contracts.candidates import Candidates
from contracts.operations.log_events import LogEvent
from contracts.snapshot import Snapshot
from contracts.tables.playlist_metadata import PLAYLIST_METADATA
from contracts.tables.rejected_rows import RejectedRow
from contracts.tables.songs import SONGS, Song
from infra.cli.logs import read_line
from infra.cli.receipts import find_receipt
from infra.cli.runs import Raw, table_status
from services.playlist_metadata.transform import playlist_metadata
from services.songs.transform import songs
from shared.errors import TransientError
from shared.lake import SnapshotKey, SupersededError
from shared.queue import SECONDS_UNTIL_SHOWN_AGAIN
from shared.worker import transformer
from tests.documents import entry, envelope, playlist, track
from tests.integration.cloud import BUCKET, KEY, Cloud, Context, written_lines
from tests.integration.tables import transforming_cloud
from tests.unit.shared.daemon import ROOT, Daemon, flat, header, listening

MAX_RECEIVES = len(SECONDS_UNTIL_SHOWN_AGAIN) + 1
Lines: TypeAlias = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    with transforming_cloud() as cloud:
        yield cloud


@pytest.fixture
def lines() -> Iterator[Lines]:
    """What was logged since the last look."""
    with written_lines() as told:
        yield lambda: [json.loads(line) for line in told()]


@pytest.fixture
def daemon() -> Iterator[Daemon]:
    with listening() as daemon:
        yield daemon


def handle(cloud: Cloud, batch: dict[str, Any] | None = None) -> Any:
    return transformer(table=SONGS, transform=songs)(batch or cloud.batch(), Context())


def test_an_announced_snapshot_becomes_rows_and_a_receipt_that_adds_up(cloud: Cloud) -> None:
    # given a playlist of a track, a null entry, a track that breaks the contract and one with a value that does
    cloud.put_raw(
        playlist(
            entry(track("One")),
            entry(None),
            entry({**track("Two"), "name": None}),
            entry(track("Three", popularity=101)),
        )
    )

    # when its announcement is handled
    response = handle(cloud)

    # then the message is acknowledged, and row, rejected row and skip add up
    assert response == {"batchItemFailures": []}
    rows = [(row["track_name"], row["popularity"]) for row in cloud.rows(KEY.parquet("songs"))]
    assert rows == [("One", 50), ("Three", None)]
    (rejected,) = cloud.json_lines(KEY.quarantine("songs"))
    assert rejected["location"] == "$.tracks.items[2]"
    assert rejected["reason"] == "track_name: Input should be a valid string (was None)"
    assert json.loads(rejected["row_json"])["track_id"] == "track-two"
    (refused,) = cloud.json_lines(KEY.quarantined_values("songs"))
    assert refused == {
        "snapshot_date": "2026-11-22",
        "playlist_id": KEY.list_id,
        "run_id": "run-1",
        "extracted_at": None,
        "table_name": "songs",
        "location": "$.tracks.items[3]",
        "column_name": "popularity",
        "reason": "Input should be less than or equal to 100 (was 101)",
        "value_json": "101",
        "raw_key": KEY.raw,
        "raw_etag": rejected["raw_etag"],
        "service_version": "1.0.0",
    }
    (receipt,) = cloud.json_lines(KEY.receipt("songs"))
    assert receipt["skipped"] == '{"null_entry": 1}'
    assert (receipt["entries"], receipt["rows"], receipt["rejected"], receipt["skipped_entries"]) == (4, 2, 1, 1)
    assert receipt["refused_values"] == 1
    assert receipt["run_id"] == "run-1"


def test_a_redelivery_leaves_every_object_as_it_was(cloud: Cloud) -> None:
    cloud.put_raw(playlist(entry({**track("One"), "name": None}), entry(track("Two", popularity=101))))
    batch = cloud.batch()
    handle(cloud, batch)
    before = cloud.etags()

    handle(cloud, batch)

    assert cloud.etags() == before


def test_a_receipt_names_what_s3_called_the_objects_that_it_commits(cloud: Cloud) -> None:
    cloud.put_raw(playlist(entry({**track("One"), "name": None}), entry(track("Two", popularity=101))))

    handle(cloud)

    (receipt,) = cloud.json_lines(KEY.receipt("songs"))
    for kind, key in (
        ("parquet", KEY.parquet("songs")),
        ("quarantine", KEY.quarantine("songs")),
        ("refused_values", KEY.quarantined_values("songs")),
    ):
        found = cloud.s3.get_object(Bucket=BUCKET, Key=key)
        assert receipt[f"{kind}_key"] == key
        assert receipt[f"{kind}_etag"] == found["ETag"].strip('"')
        assert receipt[f"{kind}_bytes"] == found["ContentLength"]
        assert found["Metadata"]["content-sha256"] == sha256(found["Body"].read()).hexdigest()


@pytest.mark.parametrize("broken", [2, 2.5, "two", True, [], {"track": 2}])
def test_whatever_stood_in_place_of_an_entry_is_a_rejected_row_by_contract(cloud: Cloud, broken: Any) -> None:
    cloud.put_raw(playlist(broken))

    handle(cloud)

    (rejected,) = cloud.json_lines(KEY.quarantine("songs"))
    assert TypeAdapter(RejectedRow).validate_python({**rejected, "extracted_at": None})
    assert json.loads(rejected["row_json"]) == broken


def test_a_receipt_of_a_table_that_rejects_and_refuses_nothing_names_no_quarantine(cloud: Cloud) -> None:
    cloud.put_raw(playlist(entry(track("One"))))

    handle(cloud)

    (receipt,) = cloud.json_lines(KEY.receipt("songs"))
    for kind in ("quarantine", "refused_values"):
        assert [receipt[f"{kind}_{name}"] for name in ("key", "etag", "bytes")] == [None, None, None]


def test_an_output_that_a_worker_of_the_same_version_wrote_otherwise_is_not_confirmed(cloud: Cloud) -> None:
    """As by other code, or under a key of KMS, where equal bytes have another ETag each time."""
    cloud.put_raw(playlist(entry(track("One"))))
    raw, key = cloud.lake.read_raw(KEY.raw), KEY.parquet("songs")
    published = {key: cloud.lake.publish(key, b"one", made_from=raw, metadata={})}
    cloud.lake.confirm(published, made_from=raw)

    cloud.lake.publish(key, b"two", made_from=raw, metadata={})

    with pytest.raises(SupersededError, match="changed by another worker after it was published"):
        cloud.lake.confirm(published, made_from=raw)


def test_a_replay_that_rejects_nothing_any_more_removes_the_quarantine(cloud: Cloud) -> None:
    cloud.put_raw(playlist(entry(track("One", popularity=101)), entry({**track("Two"), "name": None})))
    handle(cloud)
    assert cloud.keys("quarantine") == [KEY.quarantined_values("songs"), KEY.quarantine("songs")]

    cloud.put_raw(playlist(entry(track("One", popularity=100))))
    handle(cloud)

    assert cloud.keys("quarantine") == []
    assert [row["popularity"] for row in cloud.rows(KEY.parquet("songs"))] == [100]


@pytest.mark.parametrize(
    ("document", "location"),
    [
        (playlist(id="0TheDocumentSaysThisId"), "$.id"),
        (envelope(playlist(id="0TheDocumentSaysThisId")), "$.playlist.id"),
        ({"href": "https://api.spotify.com/v1/playlists/0TheDocumentSaysThisId/tracks", "items": []}, "$.href"),
    ],
)
def test_a_document_of_another_playlist_than_its_key_is_set_aside(cloud: Cloud, document: Any, location: str) -> None:
    cloud.put_raw(document)

    assert handle(cloud) == {"batchItemFailures": []}

    (letter,) = cloud.dead()
    told = {name: each["StringValue"] for name, each in letter["MessageAttributes"].items()}
    assert told["location"] == f"{KEY.raw} {location}"
    assert told["sentence"].startswith("'0TheDocumentSaysThisId' contradicts the object's key, which says 3cEYpj")
    assert cloud.keys("receipts/") == []


def test_a_worker_that_was_overtaken_starts_over_with_the_newer_snapshot(cloud: Cloud) -> None:
    # given a worker that has read the first snapshot, and a second one that is complete before it writes
    cloud.put_raw(playlist(entry(track("Old", popularity=101))))
    batch = cloud.batch()
    overtaken: list[bool] = []

    def overtaken_once(snapshot: Snapshot) -> Candidates[Song]:
        if not overtaken:
            overtaken.append(True)
            cloud.put_raw(playlist(entry(track("New"))))
            handle(cloud)
        return songs(snapshot)

    # when the slow worker goes on
    transformer(table=SONGS, transform=overtaken_once)(batch, Context())

    # then the newer snapshot stands, and nothing of the older one
    assert [row["track_name"] for row in cloud.rows(KEY.parquet("songs"))] == ["New"]
    assert cloud.keys("quarantine/") == []
    assert cloud.json_lines(KEY.receipt("songs"))[0]["rejected"] == 0


@pytest.mark.parametrize(
    ("document", "error_class", "sentence"),
    [
        (b'{"tracks": ', "UnreadableSnapshotError", "not a playlist document: Invalid JSON"),
        ({"artists": []}, "UnreadableSnapshotError", "not a playlist: this is a list of artists"),
        (
            {"snapshot": {"schema_version": 2}},
            "UnreadableSnapshotError",
            "not a playlist document: Object missing",
        ),
    ],
)
def test_a_document_that_can_never_be_read_goes_to_the_dead_letters_with_its_diagnosis(
    cloud: Cloud, document: Any, error_class: str, sentence: str
) -> None:
    cloud.put_raw(document)

    response = handle(cloud)

    assert response == {"batchItemFailures": []}
    (message,) = cloud.dead()
    told = {name: value["StringValue"] for name, value in message["MessageAttributes"].items()}
    assert told["error_class"] == error_class
    assert told["sentence"].startswith(sentence)
    assert told["raw_key"] == KEY.raw
    assert told["location"].startswith(KEY.raw)
    assert told["service_version"] == "1.0.0"
    assert told["run_id"] == "run-1"
    assert cloud.keys("processed/") == cloud.keys("receipts/") == []


def test_a_key_that_names_no_snapshot_and_an_object_that_is_gone_are_permanent(cloud: Cloud) -> None:
    cloud.put_raw(playlist(), key="raw/spotify/2026-02-30/x/playlist.json")
    cloud.put_raw(playlist())
    batch = cloud.batch()
    cloud.s3.delete_object(Bucket=BUCKET, Key=KEY.raw)

    assert handle(cloud, batch) == {"batchItemFailures": []}

    sentences = {message["MessageAttributes"]["sentence"]["StringValue"] for message in cloud.dead()}
    assert len(sentences) == 2
    assert any("not the key of a raw snapshot" in sentence for sentence in sentences)
    assert any("is gone" in sentence for sentence in sentences)


def test_a_fault_that_may_pass_returns_its_own_message_alone_to_the_queue_and_tells_which(
    cloud: Cloud, lines: Lines
) -> None:
    # given two announced snapshots, the first of which meets a passing fault
    other = SnapshotKey(KEY.snapshot_date, "other")
    cloud.put_raw(playlist(entry(track("Two")), id="other"), key=other.raw)
    cloud.put_raw(playlist(entry(track("One"))))
    batch = cloud.batch()

    def faulty(snapshot: Snapshot) -> Candidates[Song]:
        if snapshot.origin["playlist_id"] == "other":
            raise TransientError("throttled")
        return songs(snapshot)

    # when the batch is handled
    response = transformer(table=SONGS, transform=faulty)(batch, Context())

    # then only that message is reported, and the other one's table is complete
    failed = batch["Records"][0]["messageId"]
    assert response == {"batchItemFailures": [{"itemIdentifier": failed}]}
    assert cloud.keys("receipts/") == [KEY.receipt("songs")]
    assert cloud.dead() == []
    (told,) = [line for line in lines() if line["event"] == LogEvent.MESSAGE_RETURNED]
    assert (told["message_id"], told["raw_key"], told["run_id"]) == (failed, other.raw, "run-1")
    assert (told["table"], told["receive_count"], told["exception_name"]) == ("songs", 1, "TransientError")


@pytest.mark.parametrize(
    ("receives", "seconds"), [(1, 15), (2, 60), (3, 240), (4, 960), (MAX_RECEIVES, 0), (MAX_RECEIVES + 1, 0)]
)
def test_a_message_that_failed_is_shown_again_after_seconds_that_grow(
    cloud: Cloud, receives: int, seconds: int
) -> None:
    # given a message that was received so often, in a queue that hides it for the time of a lost worker
    cloud.put_raw(playlist(entry(track("One"))))
    batch = cloud.batch()
    batch["Records"][0]["attributes"]["ApproximateReceiveCount"] = str(receives)

    def faulty(_: Snapshot) -> Candidates[Song]:
        raise TransientError("throttled")

    # when it fails
    response = transformer(table=SONGS, transform=faulty)(batch, Context())

    # then it is hidden until then, and still reported
    assert len(response["batchItemFailures"]) == 1
    assert cloud.seconds_hidden(batch["Records"][0]["messageId"]) == pytest.approx(seconds, abs=2)


def test_a_fault_of_the_queue_hides_no_fault_of_the_message(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, lines: Lines
) -> None:
    cloud.put_raw(playlist(entry(track("One"))))
    batch = cloud.batch()
    monkeypatch.setenv("QUEUE_URL", f"{cloud.queue}-of-another-name")

    def faulty(_: Snapshot) -> Candidates[Song]:
        raise TransientError("throttled")

    response = transformer(table=SONGS, transform=faulty)(batch, Context())

    assert len(response["batchItemFailures"]) == 1
    (told,) = [line for line in lines() if line["event"] == LogEvent.MESSAGE_RETURNED]
    assert told["exception_name"] == "TransientError"


def test_the_test_event_of_s3_is_acknowledged(cloud: Cloud) -> None:
    cloud.sqs.send_message(QueueUrl=cloud.queue, MessageBody=json.dumps({"Event": "s3:TestEvent", "Bucket": BUCKET}))

    assert handle(cloud) == {"batchItemFailures": []}
    assert cloud.dead() == []


def test_watched_columns_are_published_as_metrics_and_null_is_none(
    cloud: Cloud, capsys: pytest.CaptureFixture[str]
) -> None:
    cloud.put_raw(playlist(entry(track("One")), entry(track("Two", popularity=None))))
    watching = replace(PLAYLIST_METADATA, watched={"popularity_coverage": 0.5, "followers": 0})
    handler = transformer(table=watching, transform=playlist_metadata)

    handler(cloud.batch(), Context())

    printed = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "_aws" in line]
    assert [line["PopularityCoverage"] for line in printed if "PopularityCoverage" in line] == [[0.5]]
    assert not any("Followers" in line for line in printed)


def test_a_message_that_cannot_be_set_aside_goes_back_alone(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    # given a message that announces nothing, beside a good one, and a dead-letter queue that cannot be reached
    cloud.put_raw(playlist(entry(track("One"))))
    cloud.sqs.send_message(QueueUrl=cloud.queue, MessageBody="no event")
    monkeypatch.setenv("DEAD_LETTER_QUEUE_URL", f"{cloud.dead_letters}-of-another-name")
    batch = cloud.batch()

    # when both are handled
    response = handle(cloud, batch)

    # then it goes back to its queue, and the good one is complete
    (failed,) = [record["messageId"] for record in batch["Records"] if record["body"] == "no event"]
    assert response == {"batchItemFailures": [{"itemIdentifier": failed}]}
    assert cloud.keys("receipts/") == [KEY.receipt("songs")]


def traced(batch: dict[str, Any]) -> dict[str, Any]:
    """A batch whose messages came with a trace."""
    for record in batch["Records"]:
        record["attributes"]["AWSTraceHeader"] = header()
    return batch


def test_a_snapshot_is_traced_from_the_message_to_the_receipt(cloud: Cloud, daemon: Daemon, lines: Lines) -> None:
    cloud.put_raw(playlist(entry(track("One")), entry(None), entry({**track("Two"), "name": None})))

    handle(cloud, traced(cloud.batch()))

    # then one segment holds every step, with what it is found by and what came of it
    (segment,) = daemon.documents()
    (snapshot,) = segment["subsegments"]
    steps = [each["name"] for each in snapshot["subsegments"]]
    assert steps == [
        "read",
        "parse",
        "transform and validate",
        "encode",
        *["publish"] * 3,
        "register",
        "receipt",
        "confirm",
    ]
    assert snapshot["annotations"] == {
        "table": "songs",
        "playlist_id": KEY.list_id,
        "snapshot_date": "2026-11-22",
        "run_id": "run-1",
    }
    told = snapshot["metadata"]["default"]
    assert (told["rows"], told["rejected"], told["skipped"]) == (1, 1, {"null_entry": 1})
    # and what S3 was asked, of which that there is no such key yet is no fault
    assert {each["name"] for each in snapshot["subsegments"][5]["subsegments"]} == {"s3"}
    assert not any(each.get("fault") or each.get("error") for each in flat(segment))
    # and the log names the trace
    (line,) = lines()
    assert (line["xray_trace_id"], line["run_id"], line["raw_key"]) == (ROOT, "run-1", KEY.raw)
    assert (line["table"], line["rows"], line["rejected"]) == ("songs", 1, 1)


@pytest.mark.parametrize("reworded", [False, True])
@pytest.mark.parametrize(
    ("document", "fault", "state", "sentence"),
    [
        (playlist(entry(track("One"))), None, "done", None),
        (b'{"tracks": ', None, "dead-lettered", "not a playlist document: Invalid JSON"),
        (playlist(), TransientError("throttled"), "failing", "1 times: shared.errors.TransientError: throttled"),
    ],
    ids=["good", "not JSON", "a fault that may pass"],
)
def test_the_console_reads_where_a_snapshot_stands_however_lines_are_worded(
    cloud: Cloud, document: Any, fault: Exception | None, state: str, sentence: str | None, *, reworded: bool
) -> None:
    def transform(snapshot: Snapshot) -> Candidates[Any]:
        if fault:
            raise fault
        return songs(snapshot)

    # given what became of a raw object, and the lines of it
    cloud.put_raw(document)
    with written_lines(reworded=reworded) as told:
        transformer(table=SONGS, transform=transform)(cloud.batch(), Context())
        lines = [line for text in told() if (line := read_line("songs", text))]
    raw = Raw("run-1", cloud.s3.head_object(Bucket=BUCKET, Key=KEY.raw)["VersionId"])

    # when the console reads them
    found = table_status("run-1", KEY, "songs", find_receipt(cloud.s3, BUCKET, KEY.receipt("songs")), lines, raw=raw)

    # then it knows
    assert {line.message == "other words" for line in lines} == {reworded}
    assert found.state == state
    assert (found.seconds is not None) == (state == "done")
    assert (found.sentence or "").startswith(sentence or "")
    assert bool(found.sentence) == bool(sentence)


def test_the_trace_of_a_document_that_cannot_be_read_says_where_and_why(
    cloud: Cloud, daemon: Daemon, lines: Lines
) -> None:
    cloud.put_raw(b'{"tracks": ')

    handle(cloud, traced(cloud.batch()))

    steps = daemon.steps()
    assert {name for name, each in steps.items() if each.get("fault")} == {"earworm", "snapshot", "parse"}
    assert "Invalid JSON" in steps["parse"]["cause"]["exceptions"][0]["message"]
    (line,) = lines()
    assert (line["event"], line["run_id"], line["xray_trace_id"]) == (LogEvent.MESSAGE_DEAD_LETTERED, "run-1", ROOT)


def test_a_throttled_put_is_marked_where_it_happened(
    cloud: Cloud, daemon: Daemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given a bucket that refuses the first put of the Parquet file
    cloud.put_raw(playlist(entry(track("One"))))
    batch = traced(cloud.batch())
    monkeypatch.setattr(time, "sleep", lambda _seconds: None)
    refused: list[str] = []

    def refuse(request: AWSPreparedRequest, **_: Any) -> Any:
        if request.method != "PUT" or refused:
            return None
        refused.append(request.url)
        body = BytesIO(b"<Error><Code>SlowDown</Code><Message>Reduce your request rate.</Message></Error>")
        return AWSResponse(request.url, 503, HTTPHeaders(), HTTPResponse(body, preload_content=False))

    boto3.setup_default_session()
    assert boto3.DEFAULT_SESSION
    boto3.DEFAULT_SESSION.events.register_first("before-send.s3", refuse)
    try:
        handler = transformer(table=SONGS, transform=songs)
    finally:
        boto3.DEFAULT_SESSION.events.unregister("before-send.s3", refuse)

    # when the batch is handled
    assert handler(batch, Context()) == {"batchItemFailures": []}

    # then the table is complete, and the trace shows which call was throttled
    assert KEY.parquet("songs") in unquote(refused[0])
    assert cloud.keys("receipts/") == [KEY.receipt("songs")]
    (segment,) = daemon.documents()
    throttled = [each for each in flat(segment) if each.get("throttle")]
    assert [(each["name"], each["aws"]["operation"]) for each in throttled] == [("s3", "PutObject")]
    assert throttled[0]["metadata"]["default"]["throttled_attempts"] == 1


def test_neither_secrets_nor_payload_are_logged_or_traced(
    cloud: Cloud, daemon: Daemon, lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test-secret-key")
    cloud.put_raw(playlist(entry(track("Only my name")), entry(track("Two", popularity=101))))

    handle(cloud, traced(cloud.batch()))

    told = json.dumps(daemon.documents()) + json.dumps(lines())
    assert "table is complete" in told
    assert "test-secret-key" not in told
    assert "Only my name" not in told
