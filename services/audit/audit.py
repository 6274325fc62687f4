"""The audit: compares what the lake holds for some days, reports the gaps, and each day sends a letter about them."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

import boto3
from botocore.config import Config

from contracts.operations.audit import AuditReport, AuditRequest, Gap
from contracts.operations.log_events import LogEvent
from contracts.tables import OPERATIONS, TABLES
from services.audit.comparison import compare, compare_catalog, partitions
from services.audit.inventory import CONCURRENCY, Inventory, catalog
from services.audit.lengths import EARLIER, short_charts
from services.audit.letter import compose, findings_of
from services.audit.settings import AuditSettings
from services.audit.surroundings import Surroundings, low_shares, old_snapshot
from shared.catalog import Catalog
from shared.deployed import deployed_tables
from shared.invocation import Handler, read
from shared.observability import count, gauge, instrument, log

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
    glue = boto3.client("glue", config=Config(retries={"mode": "standard"}))
    inventory = Inventory(s3, settings.s3_bucket, tuple(TABLES))
    ssm = boto3.client("ssm")
    sns = boto3.client("sns")
    surroundings = Surroundings(boto3.client("sqs"), boto3.client("cloudwatch"), settings.earworm_env)

    def handler(event: dict[str, Any], _: Any) -> dict[str, Any]:
        request = read(AuditRequest, event)
        began = datetime.now(UTC)
        first, last = request.days(began.date())
        grace = settings.grace_minutes if request.grace_minutes is None else request.grace_minutes
        tables = deployed_tables(ssm, settings.earworm_env)
        holdings = inventory.take(first, last)
        findings = compare(holdings, tables, settled_before=began - timedelta(minutes=grace))
        before = inventory.receipts("charts", first - EARLIER, first - timedelta(days=1))
        gaps = [*findings.gaps, *short_charts(holdings.receipts, before)]
        partitioned = Catalog(glue, settings.glue_database, settings.s3_bucket)
        gaps += (
            Gap(table=partition.table, snapshot_date=partition.day, what=what, mended_by="catalog")
            for partition, what in partitioned.faults(partitions(holdings))
        )
        if request.catalog:
            declared = (*TABLES.values(), *OPERATIONS.values())
            gaps += compare_catalog(catalog(glue, settings.glue_database), declared, settings.s3_bucket)
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
            newest = inventory.newest_day(began.date())
            environment = settings.earworm_env
            told = [
                *old_snapshot(
                    newest, began.date(), most_days=settings.most_days_without_snapshot, environment=environment
                ),
                *findings_of(gaps, environment),
                *surroundings.findings(tables, began),
                *low_shares(holdings, began, least=settings.least_shares, environment=environment),
            ]
            if told:
                letter = compose(told, environment, began)
                sns.publish(TopicArn=settings.alarm_topic_arn, Subject=letter.subject, Message=letter.body)
                log.warning(LogEvent.AUDIT_LETTER_SENT, "letter is sent", letter=letter.body)
            # Last: an audit that cannot tell is none.
            count(findings=len(told), gaps=len(gaps), checked_snapshots=findings.checked)
            gauge(days_since_snapshot=None if newest is None else (began.date() - newest).days)
        report = AuditReport(
            checked=findings.checked,
            fresh=findings.fresh,
            found=len(gaps),
            gaps=tuple(gaps[:MOST_LISTED]),
        )
        return report.model_dump(mode="json")

    return handler
