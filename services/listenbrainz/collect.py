"""A run: the raw chart of the week that is over."""

import logging
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import boto3
from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.exceptions import BotoCoreError, ClientError
from pydantic import BaseModel, SecretStr, ValidationError

from contracts.chart import ChartEnvelope, Lookup, RawChart, write_raw_chart
from contracts.layouts.listenbrainz import RECORDING_METADATA, SOURCE
from contracts.operations.chart_collection import (
    ChartRequest,
    ChartRunBegins,
    ChartRunOver,
    ChartRunSummary,
    ChartSummary,
    DeferredChartRun,
    NotStoredChart,
    StoredChart,
)
from contracts.operations.log_events import LogEvent
from contracts.regions import GLOBAL
from services.listenbrainz.client import ListenBrainz, session
from services.listenbrainz.settings import ListenBrainzSettings
from services.listenbrainz.week import Statistics, Week
from shared.deferral import Deferrals, NotDeferredError, SchedulerDeferrals, defer, wait_after
from shared.errors import sentence_of
from shared.invocation import FAIL_FAST, Handler, read, seconds_left
from shared.lake import CHARTS, Lake, SnapshotKey
from shared.observability import count, instrument, log, step
from shared.secrets_manager import secret_string
from shared.settings import SettingsError
from shared.web import NoContentError, QuotaError, WebError, retrying

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

CHART_ID: Final = "recordings-global-weekly"
RESERVE_SECONDS: Final = 30.0
"""Kept from the function's time, for the write and a deferral after the last call."""

_UNTIL_CALCULATED: Final = timedelta(days=1)
"""ListenBrainz calculates its statistics once a day."""


class FailedRunError(Exception):
    """A run left no snapshot, and is not deferred; says why."""


class _Secret(BaseModel, hide_input_in_errors=True):
    token: SecretStr


def collector() -> Handler:
    """The Lambda handler that stores the chart of the last full week.

    The handler takes a `ChartRequest`, returns a `ChartRunSummary`, and raises FailedRunError where there is no chart
    and waiting does not help or was deferred as often as it may be: Lambda repeats an asynchronous invocation twice.

    Raises:
        SettingsError: The environment lacks a setting.
    """
    settings = ListenBrainzSettings.from_environment()
    logging.disable(logging.DEBUG)  # at which libraries tell tokens, and what Secrets Manager answers
    instrument("botocore", "requests")
    lake = Lake(boto3.client("s3", config=FAIL_FAST), settings.s3_bucket)

    @cache
    def token() -> str | None:
        name = settings.listenbrainz_secret_name
        return stored_token(boto3.client("secretsmanager", config=FAIL_FAST), name) if name else None

    def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
        asked, left = read(ChartRequest, event), seconds_left(context, reserve=RESERVE_SECONDS)
        calls = session(left, version=settings.service_version, contact=settings.listenbrainz_contact, token=token())
        run = Run(
            run_id=context.aws_request_id,
            scheduled_time=(asked.scheduled_time or datetime.now(UTC)).astimezone(UTC),
            deferrals_before=asked.deferrals,
            listenbrainz=ListenBrainz(calls, retrying(left), settings.listenbrainz_api_url),
            lake=lake,
            deferrals=SchedulerDeferrals(
                cache(lambda: boto3.client("scheduler", config=FAIL_FAST)),
                settings,
                function_arn=context.invoked_function_arn,
            ),
        )
        day = run.week.sunday.isoformat()
        with (
            log.about(run_id=context.aws_request_id),
            step("run", run_id=context.aws_request_id, snapshot_date=day),
        ):
            begins = ChartRunBegins(snapshot_date=run.week.sunday, charts=(CHART_ID,))
            log.info(LogEvent.RUN_BEGINS, "run begins", **begins.model_dump(mode="json"))
            try:
                return run.collect().model_dump(mode="json")
            except FailedRunError:
                token.cache_clear()  # another one may be there for the repetition
                raise

    return handler


def stored_token(secrets: "SecretsManagerClient", name: str) -> str:
    """The token that a secret in Secrets Manager holds.

    Raises:
        SettingsError: There is no such secret, it may not be read, or it holds something else; never tells what.
    """
    advice = "make it a JSON object with `token`, or deploy with SecretName empty to send none"
    try:
        return _Secret.model_validate_json(secret_string(secrets, name, advice=advice)).token.get_secret_value()
    except ValidationError as fault:
        raise SettingsError(
            f"the secret {name!r} in Secrets Manager holds no token ({sentence_of(fault)}): {advice}"
        ) from None


@dataclass(frozen=True, kw_only=True)
class Run:
    """One invocation, with all that it needs from outside.

    Attributes:
        run_id: The invocation.
        scheduled_time: When the run was due, in UTC.
        deferrals_before: How often it was deferred already.
        listenbrainz: A client of this run's own.
        lake: Takes the snapshot.
        deferrals: Takes the run where there is no chart yet.
    """

    run_id: str
    scheduled_time: datetime
    deferrals_before: int
    listenbrainz: ListenBrainz
    lake: Lake
    deferrals: Deferrals

    @property
    def week(self) -> Week:
        """The week whose chart is wanted: the last one that was over when the run was due."""
        return Week.last_before(self.scheduled_time)

    def collect(self) -> ChartRunSummary:
        """Stores the chart of the week, or leaves it to a later run where ListenBrainz has not got to it yet.

        Raises:
            FailedRunError: See `collector`.
        """
        try:
            with step("chart"):
                statistics = self.listenbrainz.sitewide_recordings()
        except NoContentError:
            return self._later("not_calculated", f"ListenBrainz has not calculated the week {self.week} yet")
        except QuotaError as fault:
            return self._later("quota", str(fault), wait_after(fault))
        except WebError as fault:
            raise self._failed(str(fault)) from fault
        if not statistics.rows:
            return self._later("not_calculated", f"ListenBrainz lists nothing for the week {statistics.week} yet")
        if statistics.week < self.week:
            sentence = f"ListenBrainz still tells of the week {statistics.week}, and not yet of {self.week}"
            return self._later("last_week", sentence)
        if statistics.week > self.week:
            raise self._failed(
                f"the chart of the week {self.week} is gone: ListenBrainz tells of {statistics.week} by now and keeps "
                "none of before. Start a run that is due today for that one"
            )
        return self._store(statistics)

    def _store(self, statistics: Statistics) -> ChartRunSummary:
        envelope = ChartEnvelope(
            source=SOURCE,
            chart_id=CHART_ID,
            region=GLOBAL,
            frequency="weekly",
            period_start=statistics.week.monday,
            period_end=statistics.week.sunday,
            retrieved_at=datetime.now(UTC),
            run_id=self.run_id,
        )
        key = SnapshotKey(envelope.period_end, envelope.list_id, CHARTS)
        lookups = self._lookups(statistics)
        unanswered = [each for each in lookups if each.outcome != "ok"]
        outcome: StoredChart = "partial" if statistics.rows < statistics.announced else "ok"
        body = write_raw_chart(RawChart(envelope, statistics.document, lookups))
        # A worse snapshot must not take the place of a better one of the same week.
        replaces = outcome == "ok" and not unanswered
        with step("put") as work:
            try:
                stored = self.lake.put_raw(key, body, run_id=self.run_id, replaces=replaces)
            except (ClientError, BotoCoreError) as fault:
                raise self._failed(f"the chart cannot be stored: {fault}") from fault
            work.note(bytes=len(body), stored=stored)
        log.info(
            LogEvent.SNAPSHOT_STORED if stored else LogEvent.SNAPSHOT_KEPT,
            "snapshot is stored" if stored else "the week's earlier snapshot stays",
            key=key.raw,
            entries=statistics.rows,
            lookups={each.name: each.outcome for each in lookups},
        )
        sentences = [
            f"{statistics.rows:,} rows came of {statistics.announced:,}. Run again later" if outcome != "ok" else None,
            *(f"ISRCs are not known: {each.name} {each.outcome}. Run again later" for each in unanswered),
        ]
        return self._over(outcome, key=key.raw, entries=statistics.rows, sentence=". ".join(filter(None, sentences)))

    def _lookups(self, statistics: Statistics) -> list[Lookup]:
        """What is known of the recordings; a failed look-up never fails the chart."""
        if not statistics.mbids:
            return []
        with step("lookup", mbids=len(statistics.mbids)) as work:
            try:
                return [Lookup(RECORDING_METADATA, "ok", self.listenbrainz.recording_metadata(statistics.mbids))]
            except WebError as fault:
                work.fail(fault)
                log.warning(LogEvent.LOOKUP_FAILED, "look-up failed", lookup=RECORDING_METADATA, sentence=str(fault))
                return [Lookup(RECORDING_METADATA, fault.finding)]

    def _later(self, outcome: NotStoredChart, sentence: str, wait: timedelta = _UNTIL_CALCULATED) -> ChartRunSummary:
        """Has the run started again.

        Raises:
            FailedRunError: It was as often as it may be, or cannot be.
        """
        again = ChartRequest(scheduled_time=self.scheduled_time, deferrals=self.deferrals_before)
        try:
            deferral = defer(self.deferrals, again, wait)
        except (NotDeferredError, ClientError, BotoCoreError) as fault:
            raise self._failed(f"{sentence}. The run is not deferred: {fault}") from fault
        deferred = DeferredChartRun(due=deferral.due)
        log.warning(
            LogEvent.RUN_DEFERRED,
            "run is deferred",
            **deferred.model_dump(mode="json"),
            deferrals=deferral.request.deferrals,
            sentence=sentence,
        )
        return self._over(outcome, sentence=sentence).model_copy(update={"deferred": deferred})

    def _failed(self, sentence: str) -> FailedRunError:
        self._over("failed", sentence=sentence)
        return FailedRunError(f"There is no chart of the week {self.week}: {sentence}")

    def _over(
        self,
        outcome: StoredChart | NotStoredChart,
        *,
        key: str | None = None,
        entries: int | None = None,
        sentence: str | None = None,
    ) -> ChartRunSummary:
        chart = ChartSummary(chart_id=CHART_ID, outcome=outcome, key=key, entries=entries, sentence=sentence or None)
        over = ChartRunOver(calls=self.listenbrainz.calls, charts=(chart,))
        log.info(LogEvent.RUN_OVER, "run is over", **over.model_dump(mode="json"))
        count(calls=over.calls, snapshots=int(key is not None))
        return ChartRunSummary(run_id=self.run_id, snapshot_date=self.week.sunday, calls=over.calls, charts=over.charts)
