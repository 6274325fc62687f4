"""Looks at what is around the lake: queues, and the numbers that services and AWS publish in CloudWatch."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, Protocol

from contracts.operations.redrive import SERVICES
from contracts.tables import TABLES
from services.audit.comparison import Holdings, by_key
from services.audit.letter import Finding
from shared.queue import depth

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

_WITH_SHARES: Final = timedelta(days=1)
"""How old a snapshot may be whose shares are judged: each once, for none can be mended."""
_OLD_MESSAGE: Final = timedelta(hours=1)
_OLD_CONSENT: Final = timedelta(days=150)
_PERIOD: Final = timedelta(minutes=5)
_PERIODS_OF_THROTTLES: Final = 3


class CloudWatch(Protocol):
    """What is asked of a client of CloudWatch."""

    def get_metric_statistics(self, **asked: Any) -> Any:
        """Returns the statistics of a metric."""


class _Metric(NamedTuple):
    namespace: str
    name: str
    dimension: str
    value: str
    statistic: Literal["Maximum", "Sum"]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What is around the lake of an environment."""

    sqs: "SQSClient"
    cloudwatch: CloudWatch
    environment: str

    def findings(self, tables: Sequence[str], now: datetime) -> Iterator[Finding]:
        """Yields what is wrong.

        Args:
            tables: The deployed ones.
            now: When the audit began.

        Raises:
            ClientError: SQS or CloudWatch refuses.
        """
        yield from self._dead_letters(now)
        yield from self._waiting(tables, now)
        yield from self._throttles(now)
        yield from self._consent(now)

    def _dead_letters(self, now: datetime) -> Iterator[Finding]:
        for service in SERVICES:
            queue = f"{self._name(service)}-dead-letters"
            try:
                url = self.sqs.get_queue_url(QueueName=queue)["QueueUrl"]
            except self.sqs.exceptions.QueueDoesNotExist:
                continue
            number = depth(self.sqs, url).visible
            if number:
                yield Finding(
                    what=f"{number:,} dead {'letters' if number > 1 else 'letter'} in {queue}.",
                    command=f"earworm dlq show {service} --env {self.environment}",
                    since=self._oldest(queue, now),
                )

    def _waiting(self, tables: Sequence[str], now: datetime) -> Iterator[Finding]:
        for table in tables:
            since = self._oldest(self._name(table), now)
            if since and now - since > _OLD_MESSAGE:
                yield Finding(
                    what=f"Messages wait in {self._name(table)}: nobody takes them, or their work fails.",
                    command=f"earworm failures --env {self.environment}",
                    since=since,
                )

    def _oldest(self, queue: str, now: datetime) -> datetime | None:
        """Returns when a queue's oldest message was sent; None if CloudWatch does not know."""
        age = _Metric("AWS/SQS", "ApproximateAgeOfOldestMessage", "QueueName", queue, "Maximum")
        ages = self._published(age, now, timedelta(minutes=30))
        return now - timedelta(seconds=[*ages.values()][-1]) if ages else None

    def _throttles(self, now: datetime) -> Iterator[Finding]:
        for service in (*SERVICES, "redrive"):
            throttles = _Metric("AWS/Lambda", "Throttles", "FunctionName", self._name(service), "Sum")
            refused = self._published(throttles, now, timedelta(days=1))
            since = _first_run([at for at, times in refused.items() if times])
            if since:
                yield Finding(
                    what=f"Lambda refused {self._name(service)} for a quarter of an hour: no concurrency was left.",
                    command="aws lambda get-account-settings",
                    since=since,
                )

    def _consent(self, now: datetime) -> Iterator[Finding]:
        age = _Metric(f"Earworm/{self.environment}", "DaysSinceConsent", "service", "extractor", "Maximum")
        ages = self._published(age, now, timedelta(days=8), timedelta(hours=1))
        for at, days in [*ages.items()][-1:]:
            if days > _OLD_CONSENT.days:
                yield Finding(
                    what=f"The user's consent was {days:.0f} days old on {at:%Y-%m-%d}; it ends after six months.",
                    command=f"earworm authorize --env {self.environment}",
                    since=at - timedelta(days=days - _OLD_CONSENT.days),
                )

    def _published(
        self, metric: _Metric, now: datetime, back: timedelta, period: timedelta = _PERIOD
    ) -> dict[datetime, float]:
        """Returns a metric's numbers by the time at which their period began, the oldest first."""
        told = self.cloudwatch.get_metric_statistics(
            Namespace=metric.namespace,
            MetricName=metric.name,
            Dimensions=[{"Name": metric.dimension, "Value": metric.value}],
            StartTime=now - back,
            EndTime=now,
            Period=int(period.total_seconds()),
            Statistics=[metric.statistic],
        )
        numbers = {point["Timestamp"]: float(point[metric.statistic]) for point in told["Datapoints"]}
        return dict(sorted(numbers.items()))

    def _name(self, service: str) -> str:
        return f"earworm-{self.environment}-{service.replace('_', '-')}"


def old_snapshot(newest: date | None, today: date, *, most_days: int, environment: str) -> Iterator[Finding]:
    """Yields a finding if the newest snapshot is too old; a lake that never had one is waiting for its first."""
    if newest is not None and (today - newest).days > most_days:
        yield Finding(
            what=f"The newest snapshot of a playlist is of {newest}, {(today - newest).days} days ago.",
            command=f"earworm run --env {environment}",
            since=datetime.combine(newest + timedelta(days=most_days), time(), UTC),
        )


def low_shares(holdings: Holdings, now: datetime, *, least: Mapping[str, float], environment: str) -> Iterator[Finding]:
    """Yields a finding for each snapshot of the last day that has too little of a watched column.

    Args:
        holdings: What the lake holds.
        now: When the audit began.
        least: The lowest share that is right, where it is not the contract's.
        environment: For the command.
    """
    for place in sorted(holdings.receipts, key=by_key):
        receipt = holdings.receipts[place]
        raw = holdings.raws.get(place.key)
        if raw is None or now - raw.last_modified > _WITH_SHARES or receipt.content is None:
            continue
        wanted = {**TABLES[place.table].watched, **least}
        shares: Mapping[str, float] = json.loads(receipt.content["shares"] or "{}")
        low = {name: share for name, share in shares.items() if share < wanted.get(name, 0)}
        if low:
            yield Finding(
                what=f"The snapshot of {place.key.list_id} of {place.key.snapshot_date} has less than it should.",
                command=f"earworm logs {receipt.run_id or 'latest'} --service extractor --env {environment}",
                since=raw.last_modified,
                details=[f"{name} is {share:.2f}, under {wanted[name]:.2f}" for name, share in low.items()],
            )


def _first_run(times: Sequence[datetime]) -> datetime | None:
    """Returns when the first run of so many periods in a row began that it counts; None without one."""
    first, length = (times[0] if times else None), 1
    for before, at in pairwise(times):
        first, length = (first, length + 1) if at - before == _PERIOD else (at, 1)
        if length >= _PERIODS_OF_THROTTLES:
            return first
    return None
