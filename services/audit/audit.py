"""The audit: compares what the lake holds for some days and reports the gaps."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeAlias

import boto3
from botocore.config import Config

from contracts.operations.audit import AuditReport, AuditRequest, Gap
from contracts.operations.log_events import LogEvent
from contracts.tables import OPERATIONS, TABLES
from services.audit.comparison import compare, compare_catalog, partitions
from services.audit.inventory import CONCURRENCY, Inventory, catalog
from services.audit.settings import AuditSettings
from shared.catalog import Catalog
from shared.deployed import deployed_tables
from shared.invocation import read
from shared.observability import count, gauge, instrument, log

MOST_LISTED: Final = 1000
"""The most gaps in an answer, which is limited to 6 MB."""


Handler: TypeAlias = Callable[[dict[str, Any], Any], dict[str, Any]]


def auditor() -> Handler:
    """Returns the Lambda handler that compares raw snapshots with receipts, Parquet files, quarantine and the catalog.

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

    def handler(event: dict[str, Any], _: Any) -> dict[str, Any]:
        request = read(AuditRequest, event)
        began = datetime.now(UTC)
        first, last = request.days(began.date())
        grace = settings.grace_minutes if request.grace_minutes is None else request.grace_minutes
        tables = deployed_tables(ssm, settings.earworm_env)
        holdings = inventory.take(first, last)
        findings = compare(holdings, tables, settled_before=began - timedelta(minutes=grace))
        gaps = list(findings.gaps)
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
        count(gaps=len(gaps), checked_snapshots=findings.checked)
        newest = inventory.newest_day(began.date())
        gauge(days_since_snapshot=None if newest is None else (began.date() - newest).days)
        report = AuditReport(
            checked=findings.checked,
            fresh=findings.fresh,
            found=len(gaps),
            gaps=tuple(gaps[:MOST_LISTED]),
        )
        return report.model_dump(mode="json")

    return handler
