"""A replay announces raw snapshots as S3 did, goes on where it was interrupted, and waits for new receipts."""

import json
from collections.abc import Iterator
from contextlib import suppress
from datetime import date, timedelta
from errno import ENOSPC
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any, cast
from zipfile import ZipFile

import boto3
import pytest
from moto import mock_aws

from contracts.tables import TABLES, of_kind
from infra.cli import replay as replays
from infra.cli.cloud import Cloud
from infra.cli.replay import EVERY_TABLE, Announcement, ReplayRequest, announcement, await_written, clock, run
from infra.cli.screen import ConsoleError, UsageError, progress
from shared.events import announced_keys
from shared.lake import CHARTS, SnapshotKey
from tests.integration.cloud import BUCKET, console_cloud

DAYS = [date(2026, 11, 2) + timedelta(weeks=week) for week in range(3)]
KEYS = [SnapshotKey(day, playlist) for day in DAYS for playlist in ("one", "two")]
ALL = ReplayRequest(DAYS[0], DAYS[-1])

pytestmark = pytest.mark.slow


@cache
def client(service: str) -> Any:
    """A client for all tests: to make one takes longer than most of what they do with it."""
    return boto3.client(cast("Any", service))


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    """A lake with six raw snapshots, a topic and a queue for each table."""
    with mock_aws():
        s3 = client("s3")
        s3.create_bucket(Bucket=BUCKET)
        for key in KEYS:
            s3.put_object(Bucket=BUCKET, Key=key.raw, Body=b"{}")
        s3.put_object(Bucket=BUCKET, Key="raw/spotify/2026-11-09/stray.json", Body=b"{}")
        hear("raw-snapshots", "topic-arn", *of_kind("playlists"))
        for table in TABLES:
            client("ssm").put_parameter(Name=f"/earworm/dev/tables/{table}", Value=table, Type="String")
            deploy(table, "1.0.0")
        yield console_cloud()


def hear(name: str, parameter: str, *tables: str) -> None:
    """Makes a topic, and a queue for each table that hears what it announces."""
    sns, sqs = client("sns"), client("sqs")
    topic = sns.create_topic(Name=name)["TopicArn"]
    client("ssm").put_parameter(Name=f"/earworm/dev/{parameter}", Value=topic, Type="String")
    for table in tables:
        url = sqs.create_queue(QueueName=f"earworm-dev-{table.replace('_', '-')}")["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"})


def announced(table: str) -> list[str]:
    """The raw keys in a table's queue, in order."""
    sqs = client("sqs")
    url = sqs.get_queue_url(QueueName=f"earworm-dev-{table}")["QueueUrl"]
    keys: list[str] = []
    while found := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        keys += (key for message in found for key in announced_keys(message["Body"]))
    return keys


def write_receipts(*tables: str, version: str = "1.0.0") -> None:
    for key in KEYS:
        for table in tables:
            client("s3").put_object(
                Bucket=BUCKET, Key=key.receipt(table), Body=b"{}", Metadata={"service-version": version}
            )


def deploy(table: str, version: str, code: str = "") -> None:
    """Deploys the function that writes a table, in place of what was deployed before."""
    functions, name = client("lambda"), f"earworm-dev-{table.replace('_', '-')}"
    with suppress(functions.exceptions.ResourceNotFoundException):
        functions.delete_function(FunctionName=name)
    bundle = BytesIO()
    with ZipFile(bundle, "w") as archive:
        archive.writestr("handler.py", code)
    role = f"arn:aws:iam::123456789012:role/{name}"
    with suppress(client("iam").exceptions.EntityAlreadyExistsException):
        role = client("iam").create_role(RoleName=name, AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    functions.create_function(
        FunctionName=name,
        Runtime="python3.13",
        Role=role,
        Handler="handler.handle",
        Code={"ZipFile": bundle.getvalue()},
        Environment={"Variables": {"SERVICE_VERSION": version}},
    )


def interrupt_after(
    made: int, monkeypatch: pytest.MonkeyPatch, cloud: Cloud, asked: ReplayRequest, folder: Path
) -> list[str]:
    """Has a replay interrupted after so many announcements, and gives the raw keys of these."""
    sent: list[str] = []

    def interrupted(body: str) -> None:
        if len(sent) == made:
            raise KeyboardInterrupt
        sent.extend(announced_keys(body))

    with monkeypatch.context() as patch:
        patch.setattr(replays, "_to_topic", lambda *_: interrupted)
        patch.setattr(replays, "_to_queue", lambda *_: interrupted)
        with pytest.raises(
            ConsoleError, match=f"Interrupted after {made} of {len(KEYS)} announcements. The same command"
        ):
            run(cloud, asked, folder, rate=1000, wait=False)
    return sent


def test_every_snapshot_of_the_days_is_announced_to_every_table_through_the_topic(cloud: Cloud, tmp_path: Path) -> None:
    assert run(cloud, ReplayRequest(DAYS[0], DAYS[1]), tmp_path, rate=1000, wait=False).announced == 4

    for table in of_kind("playlists"):
        assert sorted(announced(table.replace("_", "-"))) == [key.raw for key in KEYS[:4]]
    assert list(tmp_path.iterdir()) == []


def test_tables_and_playlists_may_be_chosen(cloud: Cloud, tmp_path: Path) -> None:
    asked = ReplayRequest(DAYS[0], DAYS[-1], tables=("songs",), playlists=("two",))

    run(cloud, asked, tmp_path, rate=1000, wait=False)

    assert announced("songs") == [key.raw for key in KEYS if key.list_id == "two"]
    assert announced("albums") == []


def test_a_chart_is_announced_to_the_topic_of_charts_and_to_no_table_of_playlists(cloud: Cloud, tmp_path: Path) -> None:
    # given a chart among the playlists, and who hears of charts
    chart = SnapshotKey(DAYS[0], "listenbrainz-sitewide", CHARTS)
    client("s3").put_object(Bucket=BUCKET, Key=chart.raw, Body=b"{}")
    hear("raw-charts", "charts-topic-arn", "listener")

    # when everything is replayed, and then songs alone
    everything = run(cloud, ReplayRequest(DAYS[0], DAYS[-1]), tmp_path, rate=1000, wait=False)
    songs = run(cloud, ReplayRequest(DAYS[0], DAYS[-1], ("songs",)), tmp_path, rate=1000, wait=False)

    # then
    assert (everything.announced, songs.announced) == (len(KEYS) + 1, len(KEYS))
    assert announced("listener") == [chart.raw]
    assert announced("songs") == [key.raw for key in (*KEYS, *KEYS)]


def test_an_announcement_is_an_event_of_s3_with_its_key_encoded() -> None:
    key = SnapshotKey(date(2026, 11, 2), "a b+c")

    (record,) = json.loads(announcement(BUCKET, key))["Records"]

    assert record["eventSource"] == "aws:s3"
    assert record["eventName"] == "ObjectCreated:Put"
    assert record["s3"] == {
        "bucket": {"name": BUCKET},
        "object": {"key": "raw/spotify/2026-11-02/a+b%2Bc/playlist.json"},
    }
    assert announced_keys(announcement(BUCKET, key)) == [key.raw]


@pytest.mark.parametrize("made", [0, len(KEYS) - 1])
def test_an_interrupted_replay_says_how_far_it_came_and_goes_on_from_there(
    cloud: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, made: int
) -> None:
    # given a replay that is interrupted before an announcement
    sent = interrupt_after(made, monkeypatch, cloud, ALL, tmp_path)

    # when the same command is given, then it makes the rest and leaves nothing behind
    assert run(cloud, ALL, tmp_path, rate=1000, wait=False).announced == 6
    assert sent + announced("songs") == [key.raw for key in KEYS]
    assert list(tmp_path.iterdir()) == []


SONGS = ReplayRequest(DAYS[0], DAYS[-1], tables=("songs",))


def test_an_interrupted_replay_begins_anew_when_other_code_was_deployed(
    cloud: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # given a replay with broken code that is interrupted, and the same version of it mended
    interrupt_after(4, monkeypatch, cloud, SONGS, tmp_path)
    deploy("songs", "1.0.0", "mended = True")

    # when the same command is given
    done = run(cloud, SONGS, tmp_path, rate=1000, wait=False)

    # then it says why it announces everything
    assert done.announced == 6
    assert announced("songs") == [key.raw for key in KEYS]
    assert "ran with other code of songs: starting over" in " ".join(capsys.readouterr().err.split())


def test_other_code_of_a_table_that_was_not_asked_for_changes_nothing(
    cloud: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    interrupt_after(4, monkeypatch, cloud, SONGS, tmp_path)
    deploy("albums", "2.0.0")

    assert run(cloud, SONGS, tmp_path, rate=1000, wait=False).announced == 6
    assert announced("songs") == [key.raw for key in KEYS[4:]]


@pytest.mark.parametrize("damage", [None, b"", b"{", b'{"began": 3}', b"[]"])
def test_a_restart_begins_anew_whatever_the_position(
    cloud: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: bytes | None
) -> None:
    interrupt_after(4, monkeypatch, cloud, SONGS, tmp_path)
    (file,) = tmp_path.iterdir()
    if damage is not None:
        file.write_bytes(damage)
        with pytest.raises(ConsoleError, match=rf"{file.name} holds no position of a replay: give --restart"):
            run(cloud, SONGS, tmp_path, rate=1000, wait=False)

    assert run(cloud, SONGS, tmp_path, rate=1000, wait=False, restart=True).announced == 6
    assert announced("songs") == [key.raw for key in KEYS]
    assert list(tmp_path.iterdir()) == []


def test_the_end_counts_the_receipts_by_table_and_version(
    cloud: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replays, "_to_queue", lambda _, table: lambda _: write_receipts(table))

    done = run(cloud, ReplayRequest(DAYS[0], DAYS[-1], tables=("albums", "songs")), tmp_path, rate=1000, wait=True)

    assert done.receipts == {("albums", "1.0.0"): 6, ("songs", "1.0.0"): 6}


def test_what_other_code_wrote_during_a_replay_does_not_count_as_written(
    cloud: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given code that is replaced while a replay runs
    def replace_and_write(_: str) -> None:
        write_receipts("songs", version="0.9.0")
        deploy("songs", "1.1.0", "mended = True")

    monkeypatch.setattr(replays, "_to_queue", lambda *_: replace_and_write)

    with pytest.raises(
        ConsoleError, match=r"Other code was deployed .* receipts: 6 of songs 0\.9\.0\. The same command"
    ):
        run(cloud, SONGS, tmp_path, rate=1000, wait=True)
    assert list(tmp_path.iterdir()) == []


def test_a_table_that_nothing_would_write_is_named(cloud: Cloud, tmp_path: Path) -> None:
    client("lambda").delete_function(FunctionName="earworm-dev-songs")

    with pytest.raises(
        ConsoleError, match="nothing would write songs: run `earworm deploy songs`, or name other tables"
    ):
        run(cloud, SONGS, tmp_path, rate=1000, wait=False)


def test_a_full_disk_ends_a_replay_with_the_file_that_has_no_room(
    cloud: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)

    with pytest.raises(ConsoleError, match=r"\.json cannot be written: No space left on device"):
        run(cloud, SONGS, tmp_path, rate=1000, wait=False)


def test_a_rate_is_kept(cloud: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("infra.cli.replay.time.monotonic", lambda: now[0])
    monkeypatch.setattr("infra.cli.replay.time.sleep", lambda seconds: now.__setitem__(0, now[0] + seconds))
    monkeypatch.setattr(replays, "_to_topic", lambda *_: lambda _: None)

    run(cloud, ALL, tmp_path, rate=4, wait=False)

    assert now[0] == pytest.approx(5 / 4)


def test_a_table_is_written_again_when_its_receipt_is_newer_than_the_replay(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given receipts from before the replay, and those of songs written again while it waits
    write_receipts(*TABLES)
    since = clock(cloud) + timedelta(hours=1)
    announcements = [Announcement(key, "songs") for key in KEYS]
    monkeypatch.setattr(replays, "_PATIENCE", 0.0)

    with progress() as bar, pytest.raises(ConsoleError, match="6 are not written again: songs of one on"):
        await_written(cloud, announcements, since, bar)
    with progress() as bar:
        await_written(cloud, announcements, since - timedelta(hours=2), bar)


def test_an_announcement_to_every_table_waits_for_every_table(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    since = clock(cloud)
    write_receipts("songs", "artists", "albums", "track_features")
    monkeypatch.setattr(replays, "_PATIENCE", 0.0)
    monkeypatch.setattr(replays, "_PAUSE", 0.0)

    with progress() as bar, pytest.raises(ConsoleError, match=r"1 are not written again.*playlist_metadata of one"):
        await_written(cloud, [Announcement(KEYS[0], EVERY_TABLE)], since, bar)


def test_a_replay_whose_tables_are_not_written_begins_anew(
    cloud: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replays, "_PATIENCE", 0.0)

    with pytest.raises(ConsoleError, match=r"30 are not written again: albums of .* and 25 more. `earworm dlq` shows"):
        run(cloud, ALL, tmp_path, rate=1000, wait=True)

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (ReplayRequest(date(2025, 1, 1), date(2025, 12, 31)), "There is no raw snapshot from 2025-01-01 to 2025-12-31"),
        (ReplayRequest(DAYS[0], DAYS[-1], playlists=("3", "4")), "There is no raw snapshot of 3, 4 from 2026-11-02"),
    ],
)
def test_what_is_not_there_is_refused(cloud: Cloud, tmp_path: Path, asked: ReplayRequest, message: str) -> None:
    with pytest.raises(ConsoleError, match=message):
        run(cloud, asked, tmp_path, rate=1000, wait=False)


def test_days_and_tables_that_cannot_be_are_refused_before_any_cloud_is_asked() -> None:
    with pytest.raises(UsageError, match="There is no day from 2026-11-09 to 2026-11-02: choose --from before --to"):
        ReplayRequest(DAYS[1], DAYS[0])
    with pytest.raises(UsageError, match="There is no table videos: choose one of albums, artists"):
        ReplayRequest(DAYS[0], DAYS[-1], tables=("videos",))
