"""What the day's audit tells of, fault by fault: who is told, in which words, and that nothing else is."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aws_lambda_powertools import Metrics
from botocore.exceptions import ClientError
from samtranslator.yaml_helper import yaml_parse

from infra.deploying.stacks import template
from services.audit.audit import auditor
from shared import observability
from shared.lake import SnapshotKey
from tests.clock import NOW
from tests.documents import entry, playlist, track
from tests.integration.cloud import BUCKET, SESSION, Cloud
from tests.integration.tables import ALARM_TOPIC, DATABASE, audited_cloud, complete

pytestmark = pytest.mark.slow

KEY = SnapshotKey(NOW.date(), "3cEYpjA9oz9GiPac4AsH4n")
DOCUMENT = playlist(entry(track("One")), entry(track("Two")), id=None)


class Watchman:
    """An environment whose alarm topic somebody listens to."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.cloudwatch = SESSION.client("cloudwatch")
        sns, sqs = SESSION.client("sns"), cloud.sqs
        topic = sns.create_topic(Name="earworm-dev-alarms")["TopicArn"]
        assert topic == ALARM_TOPIC
        self.mailbox = sqs.create_queue(QueueName="mailbox")["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=self.mailbox, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)

    def snapshot(self, key: SnapshotKey = KEY, *, without: str = "") -> None:
        self.cloud.put_raw(DOCUMENT, key=key.raw)
        complete(self.cloud, key, without=without)

    def queue(self, name: str, *messages: str) -> None:
        url = self.cloud.sqs.create_queue(QueueName=name)["QueueUrl"]
        for message in messages:
            self.cloud.sqs.send_message(QueueUrl=url, MessageBody=message)

    def publish(self, metric: str, value: float, *, minutes_ago: float = 10, **dimensions: str) -> None:
        (about,) = dimensions
        namespace = {"QueueName": "AWS/SQS", "FunctionName": "AWS/Lambda"}.get(about, "Earworm/dev")
        self.cloudwatch.put_metric_data(
            Namespace=namespace,
            MetricData=[
                {
                    "MetricName": metric,
                    "Dimensions": [{"Name": name, "Value": value} for name, value in dimensions.items()],
                    "Timestamp": datetime.now(UTC) - timedelta(minutes=minutes_ago),
                    "Value": value,
                }
            ],
        )

    def letters(self, **event: Any) -> list[dict[str, str]]:
        """What is sent while the audit runs."""
        auditor()({"letter": True, "grace_minutes": 0, **event}, None)
        got = self.cloud.sqs.receive_message(QueueUrl=self.mailbox, MaxNumberOfMessages=10).get("Messages", [])
        return [json.loads(message["Body"]) for message in got]


@pytest.fixture
def watchman() -> Iterator[Watchman]:
    """An environment with nothing in it but what a deployment makes."""
    with audited_cloud() as cloud:
        yield Watchman(cloud)


def metrics(capsys: pytest.CaptureFixture[str]) -> dict[str, float]:
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"_aws"' in line]
    return {name: value[0] for line in lines for name, value in line.items() if isinstance(value, list)}


def test_of_a_new_deployment_there_is_nothing_to_tell(watchman: Watchman, capsys: pytest.CaptureFixture[str]) -> None:
    assert watchman.letters() == []
    assert metrics(capsys) == {"Findings": 0, "Gaps": 0, "CheckedSnapshots": 0}


def test_if_nothing_is_wrong_nothing_is_sent(
    watchman: Watchman, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # given a snapshot in every table with all that its tier gives, no dead letter, and a consent that is young
    monkeypatch.setenv("LEAST_SHARES", '{"features_coverage": 0, "genres_coverage": 0}')
    watchman.snapshot()
    watchman.queue("earworm-dev-songs-dead-letters")
    watchman.publish("DaysSinceConsent", 12, service="extractor")

    assert watchman.letters() == []

    # then only the numbers say that it looked
    told = metrics(capsys)
    assert (told["Findings"], told["Gaps"], told["CheckedSnapshots"], told["DaysSinceSnapshot"]) == (0, 0, 1, 0)


def test_each_days_audit_publishes_the_number_whose_absence_is_an_alarm(
    watchman: Watchman, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # given the names that the function's template gives it, and its alarm
    resources = yaml_parse(template("audit").read_text())["Resources"]
    names = resources["Function"]["Properties"]["Environment"]["Variables"]
    alarm = resources["Silent"]["Properties"]
    namespace = names["POWERTOOLS_METRICS_NAMESPACE"]["Fn::Sub"]
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", names["POWERTOOLS_SERVICE_NAME"])
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", namespace)
    monkeypatch.setattr(observability, "_metrics", Metrics())

    watchman.letters()

    (line,) = [line for line in capsys.readouterr().out.splitlines() if '"Findings"' in line]
    published = json.loads(line)
    (directive,) = published["_aws"]["CloudWatchMetrics"]
    (dimension,) = alarm["Dimensions"]
    assert alarm["MetricName"] in {metric["Name"] for metric in directive["Metrics"]}
    assert (directive["Namespace"], directive["Dimensions"]) == (alarm["Namespace"]["Fn::Sub"], [[dimension["Name"]]])
    assert published[dimension["Name"]] == dimension["Value"]


def of_a_stuck_queue(watchman: Watchman) -> None:
    watchman.snapshot(without="songs")
    watchman.publish("ApproximateAgeOfOldestMessage", 7200, QueueName="earworm-dev-songs")


def of_a_dead_letter(watchman: Watchman) -> None:
    watchman.queue("earworm-dev-track-features-dead-letters", "one", "two")
    watchman.publish("ApproximateAgeOfOldestMessage", 300, QueueName="earworm-dev-track-features-dead-letters")


def of_a_run_that_could_not_start(watchman: Watchman) -> None:
    watchman.queue("earworm-dev-extractor-dead-letters", "{}")


def of_no_snapshot(watchman: Watchman) -> None:
    for days in (400, 12, -1):
        key = SnapshotKey(NOW.date() - timedelta(days=days), KEY.list_id)
        watchman.cloud.put_raw(DOCUMENT, key=key.raw)
    watchman.cloud.put_raw(DOCUMENT, key="raw/spotify/some-day/p/playlist.json")


def of_throttles(watchman: Watchman) -> None:
    for minutes in (20, 25, 30, 90):
        watchman.publish("Throttles", 3, minutes_ago=minutes, FunctionName="earworm-dev-songs")


def of_an_old_consent(watchman: Watchman) -> None:
    for days_ago in (7, 0.5):
        watchman.publish("DaysSinceConsent", 158 - days_ago, minutes_ago=days_ago * 24 * 60, service="extractor")


def of_a_table_that_was_dropped(watchman: Watchman) -> None:
    SESSION.client("glue").delete_table(DatabaseName=DATABASE, Name="albums")


def of_a_day_that_is_not_in_the_catalog(watchman: Watchman) -> None:
    watchman.snapshot()
    SESSION.client("glue").delete_partition(
        DatabaseName=DATABASE,
        TableName="songs",
        PartitionValues=[f"{NOW:%Y}", f"{NOW:%m}", f"{NOW:%d}"],
    )


def of_a_key_that_belongs_nowhere(watchman: Watchman) -> None:
    watchman.cloud.s3.put_object(
        Bucket=BUCKET, Key=f"receipts/spotify/year={NOW:%Y}/month={NOW:%m}/day={NOW:%d}/a\r\nb.json"
    )


FAULTS: dict[str, tuple[Callable[[Watchman], None], list[str]]] = {
    "a queue is stuck": (
        of_a_stuck_queue,
        [
            "Outputs of snapshots that are missing, stale or altered: 1.",
            "do:    earworm audit --env dev --repair",
            f"- {KEY.list_id}, {KEY.snapshot_date}: receipt missing (songs)",
            "Messages wait in earworm-dev-songs: nobody takes them, or their work fails.",
            "do:    earworm failures --env dev",
        ],
    ),
    "dead letters": (
        of_a_dead_letter,
        [
            "2 dead letters in earworm-dev-track-features-dead-letters.",
            "do:    earworm dlq show track_features --env dev",
        ],
    ),
    "a run could not be started": (
        of_a_run_that_could_not_start,
        ["1 dead letter in earworm-dev-extractor-dead-letters.", "do:    earworm dlq show extractor --env dev"],
    ),
    "no snapshot": (
        of_no_snapshot,
        [
            f"The newest snapshot of a playlist is of {NOW.date() - timedelta(days=12)}, 12 days ago.",
            f"since: {NOW.date() - timedelta(days=5)} 00:00 UTC",
            "do:    earworm run --env dev",
        ],
    ),
    "a function is throttled": (
        of_throttles,
        ["Lambda refused earworm-dev-songs for a quarter of an hour: no concurrency was left."],
    ),
    "the consent is old": (
        of_an_old_consent,
        ["The user's consent was 158 days old", "it ends after six months.", "do:    earworm authorize --env dev"],
    ),
    "a table was dropped": (
        of_a_table_that_was_dropped,
        [
            "Differences between the catalog and what is declared: 1.",
            "do:    earworm audit --env dev --repair",
            "- the table is missing from the catalog (albums)",
        ],
    ),
    "a partition is missing": (
        of_a_day_that_is_not_in_the_catalog,
        [
            "Differences between the catalog and what is declared: 1.",
            "do:    earworm audit --env dev --repair",
            "(songs)",
        ],
    ),
    "a key belongs nowhere": (
        of_a_key_that_belongs_nowhere,
        [
            "Gaps that somebody must decide about: 1.",
            "do:    earworm audit --env dev\n",
            "a b.json belongs",
        ],
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_told_in_words_that_somebody_can_act_on(watchman: Watchman, fault: str) -> None:
    bring_about, words = FAULTS[fault]
    bring_about(watchman)

    (letter,) = watchman.letters()

    assert letter["Subject"].startswith("Earworm dev: ")
    assert letter["Subject"].endswith(" attention")
    assert [each for each in words if each not in letter["Message"]] == []
    assert letter["Message"].isascii()
    assert max(map(len, letter["Message"].splitlines())) <= 120


def test_a_snapshot_with_too_little_is_told_once_each_on_its_own(watchman: Watchman) -> None:
    # given a snapshot without audio features beside one that has its genres
    watchman.snapshot()

    # when the day's audit looks, then it tells of that one alone, with the run whose log says why
    (letter,) = watchman.letters()
    assert f"The snapshot of {KEY.list_id} of {KEY.snapshot_date} has less than it should." in letter["Message"]
    assert "- features_coverage is 0.00, under 0.50" in letter["Message"]
    assert "do:    earworm logs run-1 --service extractor --env dev" in letter["Message"]


def test_an_audit_by_hand_sends_nothing_and_stands_in_for_no_audit_of_the_day(
    watchman: Watchman, capsys: pytest.CaptureFixture[str]
) -> None:
    of_a_stuck_queue(watchman)

    assert watchman.letters(letter=False) == []
    assert metrics(capsys).keys() & {"Findings", "Gaps", "CheckedSnapshots", "DaysSinceSnapshot"} == set()


def test_an_audit_that_cannot_tell_is_none(
    watchman: Watchman, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its failure is counted by the log, and its silence after a day."""
    of_a_dead_letter(watchman)
    monkeypatch.setenv("ALARM_TOPIC_ARN", f"{ALARM_TOPIC}-of-another-name")

    with pytest.raises(ClientError, match="NotFound"):
        watchman.letters()

    assert "Findings" not in metrics(capsys)
