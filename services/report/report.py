"""Makes the page of a week once every table has the week's lists, and sends its alert, and a link if configured."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import boto3

from analytics.alerts import happenings, message
from analytics.athena import Athena
from analytics.report import report as draw
from analytics.week import collect, monday_of
from analytics.wording import day
from contracts.operations.log_events import LogEvent
from contracts.operations.week_report import WeekReport, WeekReports, WeekRequest
from contracts.tables import TABLES
from services.report.alert_sender import AlertSender
from services.report.page_store import SIGNING, PageStore
from services.report.receipts import holdings
from services.report.settings import ReportSettings
from shared.deployed import deployed_tables
from shared.invocation import Handler, read
from shared.observability import instrument, log, step

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_ssm import SSMClient

MOST_LISTED: Final = 100
"""The most missing receipts in an answer and a log line."""


def reporter() -> Handler:
    """Returns the Lambda handler that makes the page of a week.

    Settings are read and clients made when the handler is, at cold start. The handler takes a `WeekRequest` and
    returns `WeekReports`. It raises PermanentError for an event that it cannot read, and AthenaError if
    Athena failed a query.

    Raises:
        SettingsError: The environment lacks a setting.
    """
    settings = ReportSettings.from_environment()
    instrument("botocore")
    week_reporter = _Reporter(
        settings,
        boto3.client("s3", config=SIGNING),
        boto3.client("sns"),
        boto3.client("ssm"),
        Athena(boto3.client("athena"), settings.athena_database, settings.athena_workgroup),
    )

    def handler(event: dict[str, Any], _: Any) -> dict[str, Any]:
        request, now, reports = read(WeekRequest, event), datetime.now(UTC), []
        for report in week_reporter.reports(request, now):
            log.info(LogEvent.REPORT_DONE, "report is done", **report.model_dump(mode="json"))
            reports.append(report)
        alert_sent = request.week is None and week_reporter.alert(reports, now)
        return WeekReports(reports=tuple(reports), alert_sent=alert_sent).model_dump(mode="json")

    return handler


@dataclass(frozen=True, slots=True)
class _Reporter:
    settings: ReportSettings
    s3: "S3Client"
    sns: "SNSClient"
    ssm: "SSMClient"
    athena: Athena

    def reports(self, request: WeekRequest, now: datetime) -> Iterator[WeekReport]:
        deployed = deployed_tables(self.ssm, self.settings.earworm_env)
        if request.week is not None:
            yield self._report(monday_of(request.week), deployed, now, repeats=True)
            return
        this_week = monday_of(now.date())
        # Charts come after the week that they count.
        for monday in (this_week - timedelta(weeks=1), this_week):
            yield self._report(monday, deployed, now, repeats=False)

    def alert(self, reports: Sequence[WeekReport], now: datetime) -> bool:
        """Sends the alert of the last of some weeks once all are complete; returns whether it was sent."""
        complete = [report.week for report in reports if report.outcome in {"written", "unchanged"}]
        if not complete or any(report.outcome == "waiting" for report in reports):
            return False
        monday, bucket, version = reports[-1].week, self.settings.s3_bucket, self.settings.service_version
        stores = [PageStore(self.s3, bucket, week, version) for week in complete]
        receipts = " ".join(str(store.fingerprints().get(store.page)) for store in stores)
        sender = AlertSender(self.s3, self.sns, bucket, self.settings.alert_topic_arn, monday, version)
        record = sender.record()
        if record and not record.leaves_to_do(receipts, now):
            return False
        with step("alert"):
            found = happenings(self.athena, monday, self.settings.thresholds)
            return sender.settle(message(found, monday, self._place_of(stores[-1])), receipts, record)

    def _place_of(self, store: PageStore) -> str:
        hours = self.settings.link_hours
        return store.address(hours) if hours else f"s3://{store.bucket}/{store.page}"

    def _report(self, monday: date, deployed: Sequence[str], now: datetime, *, repeats: bool) -> WeekReport:
        days = [monday + timedelta(days=n) for n in range(7)]
        with step("receipts"):
            found = holdings(self.s3, self.settings.s3_bucket, days, deployed)
        if not found.raws:
            return WeekReport(outcome="nothing", week=monday)
        if found.missing:
            return WeekReport(outcome="waiting", week=monday, missing=tuple(found.missing[:MOST_LISTED]))
        store = PageStore(self.s3, self.settings.s3_bucket, monday, self.settings.service_version)
        fingerprint = found.fingerprint(self.settings.service_version)
        fingerprints = store.fingerprints()
        is_new = repeats or fingerprints.get(store.page) != fingerprint
        if is_new:
            pages = self._pages(monday, now.date(), deployed)
            if pages is None:
                return WeekReport(outcome="nothing", week=monday)
            store.put_pages(pages, fingerprint)
        is_due = self.settings.link_hours > 0 and (is_new or fingerprints.get(store.note) != fingerprint)
        if is_due:
            self._send_link(store, now)
            # Last: an attempt that ends before it is retried, so the link is sent twice rather than never.
            store.put_note(fingerprint)
        return WeekReport(outcome="written" if is_new else "unchanged", week=monday, link_sent=is_due)

    def _pages(self, monday: date, today: date, deployed: Sequence[str]) -> Mapping[str, str] | None:
        """Returns the pages by name; None if no list has a chart of the week."""
        with step("ask"):
            answers = collect(
                self.athena,
                monday,
                today=today,
                place=f"{self.settings.athena_workgroup} in {self.s3.meta.region_name}",
                absent=[table for table in TABLES if table not in deployed],
            )
        if not any(row["is_current"] for row in answers.lists):
            return None
        with step("draw"):
            return draw(answers)

    def _send_link(self, store: PageStore, now: datetime) -> None:
        hours = self.settings.link_hours
        week = f"week of {day(store.monday)}"
        self.sns.publish(
            TopicArn=self.settings.pages_topic_arn,
            Subject=f"Earworm: what is trending, {week}",
            Message=(
                f"What was trending in the {week}:\n\n{store.address(hours)}\n\n"
                "Whoever has this link can read that one file, with the pages of the week, until "
                f"{now + timedelta(hours=hours):%Y-%m-%d %H:%M} UTC at the latest: it ends with the credentials that "
                f"signed it, which may be earlier. The pages stay at s3://{store.bucket}/{store.page}\n"
            ),
        )
