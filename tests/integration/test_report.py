"""The page of a week: when it is made, and what becomes of its link."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import pytest
import requests
from botocore.exceptions import ClientError
from moto import mock_aws

from analytics.alerts import Happenings, Thresholds
from analytics.athena import AthenaError
from analytics.week import monday_of
from contracts.tables import TABLES, of_kind
from services.report import report
from services.report.page_store import SIGNING, PageStore
from shared.errors import PermanentError
from shared.lake import CHARTS, WATCH_LIST, SnapshotKey
from shared.settings import SettingsError
from tests.analytics.reports import answers, list_row
from tests.analytics.test_alerts import event
from tests.clock import NOW
from tests.integration.cloud import BUCKET, SESSION, UNSHARED, Cloud, make_cloud

TODAY = NOW.date()
MONDAY = monday_of(TODAY)
LAST_MONDAY = MONDAY - timedelta(weeks=1)
KEY, OTHER = SnapshotKey(MONDAY, "top"), SnapshotKey(MONDAY, "a-dashed-id")
LISTENING = SnapshotKey(MONDAY - timedelta(days=1), "listenbrainz-recordings-global-weekly", CHARTS)
PAGE = f"reports/spotify/week={MONDAY}/index.html"
ALERT = f"reports/spotify/week={MONDAY}/alert.txt"

NOTHING = Happenings([], [])

pytestmark = pytest.mark.slow


@dataclass
class Week:
    """A week whose snapshots are in the lake, with somebody who listens to the topic of pages.

    Attributes:
        asked: The weeks that Athena was asked for.
        charts: The weeks that it has charts of.
        fault: What it fails with.
        absent: Tables that were told to be absent.
        happened: What the alert has to tell.
        alerted: The weeks that an alert was asked for.
    """

    cloud: Cloud
    inbox: str
    asked: list[date]
    charts: list[date]
    fault: Exception | None = None
    absent: list[str] = field(default_factory=list)
    happened: Happenings = NOTHING
    alerted: list[date] = field(default_factory=list)

    def happen(self, _: Any, week: date, thresholds: Thresholds, **__: Any) -> Happenings:
        assert thresholds == Thresholds(move_percent=10, climb_percent=30, growth_percent=100, lists=3)
        self.alerted.append(week)
        return self.happened

    def collect(self, _: Any, week: date, **known: Any) -> Any:
        self.asked.append(week)
        self.absent = known["absent"]
        if self.fault:
            raise self.fault
        told = {"place": known["place"], "made_on": known["today"]}
        return answers(monday=week, lists=[list_row(is_current=week in self.charts)], **told)

    def complete(self, *keys: SnapshotKey, version: str = "1") -> None:
        for key in keys:
            self.cloud.put_raw({}, key=key.raw)
            for table in of_kind(key.kind.name):
                self.cloud.s3.put_object(Bucket=BUCKET, Key=key.receipt(table), Body=f"{key} {version}".encode())

    def watch(self, watch_list: bytes) -> None:
        self.cloud.s3.put_object(Bucket=BUCKET, Key=WATCH_LIST, Body=watch_list)

    def report(self, monday: date = MONDAY, **event: str) -> Any:
        reports = report.reporter()(dict(event), None)["reports"]
        return {each["week"]: each for each in reports}[str(monday)]

    def page(self) -> Any:
        return self.cloud.s3.get_object(Bucket=BUCKET, Key=PAGE)

    def versions(self) -> int:
        return len(self.cloud.s3.list_object_versions(Bucket=BUCKET, Prefix=PAGE).get("Versions", []))

    def letters(self) -> list[dict[str, str]]:
        received = self.cloud.sqs.receive_message(QueueUrl=self.inbox, MaxNumberOfMessages=10).get("Messages", [])
        return [json.loads(each["Body"]) for each in received]


@pytest.fixture
def week(monkeypatch: pytest.MonkeyPatch) -> Iterator[Week]:
    with mock_aws():
        sns, cloud = SESSION.client("sns"), make_cloud()
        topic = sns.create_topic(Name="pages")["TopicArn"]
        inbox = cloud.sqs.create_queue(QueueName="inbox")["QueueUrl"]
        arn = cloud.sqs.get_queue_attributes(QueueUrl=inbox, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        alerts = sns.create_topic(Name="alerts")["TopicArn"]
        for each in (topic, alerts):
            sns.subscribe(TopicArn=each, Protocol="sqs", Endpoint=arn)
        for name, value in {
            "S3_BUCKET": BUCKET,
            "SERVICE_VERSION": "1.0.0",
            "ATHENA_DATABASE": "earworm_dev",
            "ATHENA_WORKGROUP": "earworm-dev",
            "PAGES_TOPIC_ARN": topic,
            "ALERT_TOPIC_ARN": alerts,
            "ALERT_MOVE_PERCENT": "10",
            "SPIKE_CLIMB_PERCENT": "30",
            "SPIKE_GROWTH_PERCENT": "100",
            "SPIKE_LISTS": "3",
            "LINK_HOURS": "0",
            "EARWORM_ENV": "dev",
        }.items():
            monkeypatch.setenv(name, value)
        cloud.deploy(*TABLES)
        week = Week(cloud, inbox, asked=[], charts=[MONDAY])
        monkeypatch.setattr(report, "collect", week.collect)
        monkeypatch.setattr(report, "happenings", week.happen)
        yield week


def test_of_a_week_without_snapshots_nothing_is_made(week: Week) -> None:
    week.complete(SnapshotKey(LAST_MONDAY - timedelta(days=1), "top"))

    assert week.report() == {"outcome": "nothing", "week": str(MONDAY), "missing": [], "link_sent": False}


def test_while_receipts_are_missing_it_waits_and_names_them(week: Week) -> None:
    week.complete(KEY, OTHER)
    week.cloud.s3.delete_object(Bucket=BUCKET, Key=OTHER.receipt("songs"))

    told = week.report()

    assert (told["outcome"], told["missing"]) == ("waiting", [OTHER.receipt("songs")])
    assert week.cloud.keys("reports/") == week.asked == []


def test_a_table_that_is_not_deployed_is_not_waited_for(week: Week) -> None:
    week.complete(KEY)
    week.cloud.s3.delete_object(Bucket=BUCKET, Key=KEY.receipt("albums"))
    week.cloud.remove("albums")

    assert week.report()["outcome"] == "written"
    assert week.absent == ["albums"]


def test_a_lake_with_charts_alone_has_the_page_of_the_week_that_they_count(week: Week) -> None:
    week.charts = [LAST_MONDAY]
    week.complete(LISTENING)

    assert week.report(LAST_MONDAY)["outcome"] == "written"
    assert week.report()["outcome"] == "nothing"
    assert PAGE.replace(str(MONDAY), str(LAST_MONDAY)) in week.cloud.keys("reports/")
    assert PAGE not in week.cloud.keys("reports/")


def test_a_chart_that_comes_after_its_week_makes_the_page_of_that_week_anew(week: Week) -> None:
    week.charts = [LAST_MONDAY, MONDAY]
    week.complete(SnapshotKey(LAST_MONDAY, "top"), KEY)
    week.report()

    week.complete(LISTENING)

    assert [week.report(monday)["outcome"] for monday in (MONDAY, LAST_MONDAY)] == ["unchanged", "unchanged"]
    assert week.asked == [LAST_MONDAY, MONDAY, LAST_MONDAY]


def test_while_a_chart_has_no_receipt_it_waits_unless_nobody_makes_the_table(week: Week) -> None:
    week.charts = [LAST_MONDAY]
    week.complete(SnapshotKey(LAST_MONDAY, "top"), LISTENING)
    week.cloud.s3.delete_object(Bucket=BUCKET, Key=LISTENING.receipt("charts"))

    assert week.report(LAST_MONDAY)["missing"] == [LISTENING.receipt("charts")]

    week.cloud.remove("charts")
    assert week.report(LAST_MONDAY)["outcome"] == "written"


def test_once_every_table_has_every_snapshot_the_page_is_written(week: Week) -> None:
    week.complete(KEY, OTHER, SnapshotKey(MONDAY + timedelta(days=6), "top"))

    assert week.report()["outcome"] == "written"

    page = week.page()
    html = page["Body"].read().decode()
    assert page["ContentType"] == "text/html; charset=utf-8"
    assert page["Metadata"]["service-version"] == "1.0.0"
    assert f"week of {MONDAY.day} {MONDAY:%B %Y}" in html
    assert "from earworm-dev in us-east-1." in html
    assert "simulated" not in html
    assert {PAGE, PAGE.replace("index", f"week-{MONDAY}"), PAGE.replace("index", "list-top")} < {
        *week.cloud.keys("reports/")
    }
    assert week.letters() == []


def test_a_page_of_the_same_receipts_is_made_once(week: Week) -> None:
    week.complete(KEY)
    week.report()

    assert week.report()["outcome"] == "unchanged"
    assert (week.versions(), week.asked) == (1, [MONDAY])


CHANGES: dict[str, Callable[[Week, pytest.MonkeyPatch], None]] = {
    "another snapshot": lambda week, _: week.complete(OTHER),
    "a snapshot that was replaced": lambda week, _: week.complete(KEY, version="2"),
    "an edited watch list": lambda week, _: week.watch(b"type,value,note\nartist,Heard,\n"),
    "a new version of the service": lambda _, patch: patch.setenv("SERVICE_VERSION", "1.0.1"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_makes_it_anew_and_the_older_page_is_kept(
    week: Week, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    week.complete(KEY)
    week.report()

    CHANGES[change](week, monkeypatch)

    assert week.report()["outcome"] == "written"
    assert week.versions() == 2


def test_a_week_that_is_named_is_made_anew(week: Week) -> None:
    week.complete(KEY)
    week.report()

    assert week.report(week=str(MONDAY + timedelta(days=6)))["outcome"] == "written"
    assert week.versions() == 2


def test_a_week_without_a_chart_has_no_page_that_tells_of_an_older_one(week: Week) -> None:
    week.complete(KEY)
    week.charts = [MONDAY - timedelta(weeks=1)]

    assert week.report()["outcome"] == "nothing"
    assert week.cloud.keys("reports/") == []


def test_keys_that_belong_to_no_snapshot_are_passed_over(week: Week) -> None:
    week.complete(KEY)
    week.report()

    week.cloud.s3.put_object(Bucket=BUCKET, Key=f"raw/spotify/{MONDAY}/playlist.json")
    week.cloud.s3.put_object(Bucket=BUCKET, Key=KEY.receipt("concerts"))

    assert week.report()["outcome"] == "unchanged"


def test_what_athena_fails_leaves_the_page_as_it_was(week: Week) -> None:
    week.complete(KEY)
    week.report()
    week.complete(KEY, version="2")
    week.fault = AthenaError("Athena failed the query: no such view")

    with pytest.raises(AthenaError):
        week.report()

    assert week.versions() == 1


def test_an_event_that_cannot_be_read_fails(week: Week) -> None:
    with pytest.raises(PermanentError, match="It may hold week"):
        week.report(day="today")


def test_whoever_asks_for_it_gets_a_link_that_opens_the_page_and_ends(
    week: Week, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LINK_HOURS", "2")
    week.complete(KEY)

    assert week.report()["link_sent"]

    (letter,) = week.letters()
    (link,) = re.findall(r"https://\S+", letter["Message"])
    assert "X-Amz-Expires=7200" in link
    assert letter["Subject"] == f"Earworm: what is trending, week of {MONDAY.day} {MONDAY:%B %Y}"
    assert "UTC at the latest" in letter["Message"]
    assert f"week-{MONDAY}.html" in link
    assert b'id="list-top"' in requests.get(link, timeout=5).content


def test_a_link_leads_to_the_region_of_the_lake() -> None:
    s3 = UNSHARED.client("s3", region_name="eu-west-1", config=SIGNING)

    address = PageStore(s3, BUCKET, MONDAY, "1.0.0").address(hours=1)

    assert address.startswith("https://lake.s3.eu-west-1.amazonaws.com/reports/spotify/week")


def test_more_hours_than_a_link_may_have_are_refused(week: Week, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINK_HOURS", "13")

    with pytest.raises(SettingsError, match="LINK_HOURS: Input should be less than or equal to 12"):
        week.report()


def test_a_link_goes_out_once_for_each_page(week: Week, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINK_HOURS", "12")
    week.complete(KEY)

    sent = [week.report()["link_sent"], week.report()["link_sent"]]
    week.complete(OTHER)
    sent += [week.report()["link_sent"], week.report()["link_sent"]]
    sent += [week.report(week=str(MONDAY))["link_sent"]]

    assert sent == [True, False, True, False, True]


def test_a_link_is_sent_for_a_page_that_was_there_before_anybody_asked(
    week: Week, monkeypatch: pytest.MonkeyPatch
) -> None:
    week.complete(KEY)
    week.report()
    monkeypatch.setenv("LINK_HOURS", "1")

    told = week.report()

    assert (told["outcome"], told["link_sent"], len(week.letters())) == ("unchanged", True, 1)


@pytest.mark.parametrize("broken", ["topic", "note"])
def test_a_link_that_may_not_have_gone_out_is_sent_by_the_next_attempt(
    week: Week, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    # given an attempt that ends after the page was written: before the link went out, or before that was noted
    monkeypatch.setenv("LINK_HOURS", "1")
    week.complete(KEY)
    with monkeypatch.context() as patch:
        if broken == "topic":
            patch.setenv("PAGES_TOPIC_ARN", "arn:aws:sns:us-east-1:123456789012:gone")
        else:
            patch.setattr(PageStore, "put_note", _fail)
        with pytest.raises(ClientError):
            week.report()
    before = len(week.letters())

    # then the next one makes no page, and sends it
    told = week.report()
    assert (told["outcome"], told["link_sent"], len(week.letters())) == ("unchanged", True, 1)
    assert (before, week.versions()) == (broken == "note", 1)
    assert not week.report()["link_sent"]


def _fail(*_: Any) -> None:
    raise ClientError({"Error": {"Code": "SlowDown", "Message": "later"}}, "PutObject")


def test_a_complete_week_has_one_alert_that_leads_to_its_page(week: Week) -> None:
    week.happened = Happenings([event()], [])
    week.complete(KEY)

    answers = [report.reporter()({}, None)["alert_sent"] for _ in range(2)]

    assert answers == [True, False]
    assert week.alerted == [MONDAY]
    (letter,) = week.letters()
    assert letter["Subject"] == f"Earworm: 1 event of your watch list, week of {MONDAY.day} {MONDAY:%B %Y}"
    assert "up 10 on Top, from 12 to 2 of 50" in letter["Message"]
    assert f"s3://{BUCKET}/{PAGE}" in letter["Message"]


def test_no_alert_goes_out_of_a_week_that_is_not_complete_or_was_asked_for_by_name(week: Week) -> None:
    week.happened = Happenings([event()], [])
    week.complete(KEY, SnapshotKey(LAST_MONDAY, "top"))
    week.cloud.s3.delete_object(Bucket=BUCKET, Key=SnapshotKey(LAST_MONDAY, "top").receipt("songs"))

    assert not report.reporter()({}, None)["alert_sent"]
    assert not report.reporter()({"week": str(MONDAY)}, None)["alert_sent"]
    assert week.letters() == week.alerted == []


def test_a_week_in_which_nothing_happened_has_no_alert_and_is_asked_for_once(week: Week) -> None:
    week.complete(KEY)

    answers = [report.reporter()({}, None)["alert_sent"] for _ in range(2)]

    assert answers == [False, False]
    assert week.alerted == [MONDAY]
    assert week.letters() == []
