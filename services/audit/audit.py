"""The audit: compares what the lake holds for some days, reports the gaps, and each day sends a letter about them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import boto3
from botocore.config import Config

from contracts.operations.audit import AuditReport, AuditRequest, Gap
from contracts.operations.log_events import LogEvent
from contracts.tables import OPERATIONS, TABLES
from services.audit.comparison import Holdings, compare, compare_catalog, partitions
from services.audit.inventory import CONCURRENCY, Inventory, catalog
from services.audit.lengths import EARLIER, short_charts
from services.audit.letter import compose, findings_of
from services.audit.settings import AuditSettings
from services.audit.surroundings import Surroundings, low_shares, old_snapshot
from shared.catalog import Catalog
from shared.deployed import deployed_tables
from shared.invocation import Handler, read
from shared.observability import count, gauge, instrument, log

if TYPE_CHECKING:
    from mypy_boto3_glue import GlueClient
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_ssm import SSMClient

MOST_LISTED: Final = 1000
"""The most gaps in an answer, which is limited to 6 MB."""


def auditor() -> Handler:
    """Returns the Lambda handler that compares raw snapshots with receipts, Parquet files, quarantine and the catalog.

    The day's audit is the watchman: it looks at queues and published numbers too, and sends one letter if anything is
    wrong. It alone publishes metrics, so that no audit by hand stands in for it.

    Settings are read and clients made when the handler is, at cold start. The handler takes an `AuditRequest` and
    returns an `AuditReport`; it raises PermanentError for an event that it cannot read.

    Raises:
        SettingsError: The environment lacks a setting.
    """
    settings = AuditSettings.from_environment()
    instrument("botocore")
    s3 = boto3.client("s3", config=Config(max_pool_connections=CONCURRENCY, retries={"mode": "standard"}))
    audit = _Auditor(
        settings,
        Inventory(s3, settings.s3_bucket, tuple(TABLES)),
        Surroundings(boto3.client("sqs"), boto3.client("cloudwatch"), settings.earworm_env),
        boto3.client("glue", config=Config(retries={"mode": "standard"})),
        boto3.client("ssm"),
        boto3.client("sns"),
    )

    def handler(event: dict[str, Any], _: Any) -> dict[str, Any]:
        return audit.report(read(AuditRequest, event), datetime.now(UTC)).model_dump(mode="json")

    return handler


@dataclass(frozen=True, slots=True)
class _Auditor:
    settings: AuditSettings
    inventory: Inventory
    surroundings: Surroundings
    glue: "GlueClient"
    ssm: "SSMClient"
    sns: "SNSClient"

    def report(self, request: AuditRequest, began: datetime) -> AuditReport:
        first, last = request.days(began.date())
        grace = self.settings.grace_minutes if request.grace_minutes is None else request.grace_minutes
        tables = deployed_tables(self.ssm, self.settings.earworm_env)
        holdings = self.inventory.take(first, last)
        findings = compare(holdings, tables, settled_before=began - timedelta(minutes=grace))
        before = self.inventory.receipts("charts", first - EARLIER, first - timedelta(days=1))
        gaps = [
            *findings.gaps,
            *short_charts(holdings.receipts, before),
            *self._gaps_of_the_catalog(holdings, tables_too=request.catalog),
        ]
        for gap in gaps[:MOST_LISTED]:
            log.warning(LogEvent.GAP_FOUND, "gap is found", **gap.model_dump(mode="json", exclude={"cause"}))
        log.info(
            LogEvent.AUDIT_DONE,
            "audit is done",
            first_day=str(first),
            last_day=str(last),
            checked=findings.checked,
            fresh=findings.fresh,
            found=len(gaps),
        )
        if request.letter:
            newest = self.inventory.newest_day(began.date())
            told = self._tell(gaps, holdings, tables, newest, began)
            # Last: an audit that cannot tell is none.
            count(findings=told, gaps=len(gaps), checked_snapshots=findings.checked)
            gauge(days_since_snapshot=None if newest is None else (began.date() - newest).days)
        return AuditReport(
            checked=findings.checked,
            fresh=findings.fresh,
            found=len(gaps),
            gaps=tuple(gaps[:MOST_LISTED]),
        )

    def _gaps_of_the_catalog(self, holdings: Holdings, *, tables_too: bool) -> Iterator[Gap]:
        database, bucket = self.settings.glue_database, self.settings.s3_bucket
        for partition, what in Catalog(self.glue, database, bucket).faults(partitions(holdings)):
            yield Gap(table=partition.table, snapshot_date=partition.day, what=what, mended_by="catalog")
        if tables_too:
            declared = (*TABLES.values(), *OPERATIONS.values())
            yield from compare_catalog(catalog(self.glue, database), declared, bucket)

    def _tell(
        self, gaps: Sequence[Gap], holdings: Holdings, tables: Sequence[str], newest: date | None, began: datetime
    ) -> int:
        """Sends the letter if anything is wrong, and returns how much is."""
        environment = self.settings.earworm_env
        told = [
            *old_snapshot(
                newest, began.date(), most_days=self.settings.most_days_without_snapshot, environment=environment
            ),
            *findings_of(gaps, environment),
            *self.surroundings.findings(tables, began),
            *low_shares(holdings, began, least=self.settings.least_shares, environment=environment),
        ]
        if told:
            letter = compose(told, environment, began)
            self.sns.publish(TopicArn=self.settings.alarm_topic_arn, Subject=letter.subject, Message=letter.body)
            log.warning(LogEvent.AUDIT_LETTER_SENT, "letter is sent", letter=letter.body)
        return len(told)
