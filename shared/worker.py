"""The one loop of every transformer: read, parse, transform, validate, publish, register, acknowledge."""

import gc
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Generic, TypeAlias

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from pydantic_core import PydanticSerializationError, to_json
from tenacity import retry, retry_if_exception_type, stop_after_attempt

from contracts.candidates import Candidates, as_json
from contracts.elements import UnreadableSnapshotError
from contracts.lists import ListSnapshot, read_list
from contracts.operations.log_events import LogEvent, MessageDeadLettered, MessageReturned, TableComplete
from contracts.snapshot import Provenance
from contracts.tables.receipts import Receipt
from contracts.tables.rejected_rows import RejectedRow
from contracts.tables.rejected_values import RejectedValue
from contracts.tables.rejection import Rejection
from contracts.tables.table import Row, RowT, Table
from contracts.validation import Judgement, judge
from shared.catalog import Catalog
from shared.dead_letters import DeadLetterQueue
from shared.errors import PermanentError
from shared.events import announced_keys
from shared.invocation import Handler
from shared.lake import Lake, Output, Partition, RawObject, SnapshotKey, SupersededError
from shared.observability import Step, count, gauge, instrument, log, message, seconds, step
from shared.parquet import encode
from shared.queue import Queue
from shared.settings import TransformerSettings

if TYPE_CHECKING:
    from contracts.operations.dead_letters import Diagnosis

Transform: TypeAlias = Callable[[Any], Candidates[RowT]]
"""Makes a table's candidates of a snapshot of its kind."""

_OBJECTS_BETWEEN_COLLECTIONS: Final = 10_000


def transformer(*, table: Table[RowT], transform: Transform[RowT]) -> Handler:
    """The Lambda handler that keeps a table up to date with the raw snapshots that its queue announces.

    Settings are read and clients made when the handler is, at cold start. The handler answers with the messages that
    are to be shown again, so that SQS deletes the others.

    Args:
        table: The table.
        transform: Makes the table's candidates of a snapshot; pure.

    Raises:
        SettingsError: The environment lacks a setting.
    """
    settings = TransformerSettings.from_environment()
    instrument("botocore")
    sqs = boto3.client("sqs")
    worker = Worker(
        table=table,
        transform=transform,
        lake=Lake(boto3.client("s3"), settings.s3_bucket),
        catalog=Catalog(
            boto3.client("glue", config=Config(retries={"mode": "standard", "max_attempts": 8})),
            settings.glue_database,
            settings.s3_bucket,
        ),
        queue=Queue(sqs, settings.queue_url),
        dead_letters=DeadLetterQueue(sqs, settings.dead_letter_queue_url),
        service_version=settings.service_version,
    )
    # Documents make objects by the hundred thousand and hardly a circle among them, yet the collector would look after
    # every 700 new ones: a twelfth of the time that a large snapshot takes.
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS)

    def handler(event: dict[str, Any], _: Any) -> Mapping[str, Any]:
        failed = []
        for record in event["Records"]:
            try:
                worker.process(record)
            except Exception:  # noqa: BLE001 - the worker has told of it
                failed.append({"itemIdentifier": record["messageId"]})
        return {"batchItemFailures": failed}

    return handler


@dataclass(frozen=True)
class Worker(Generic[RowT]):
    """A table's worker, with all that it needs from outside."""

    table: Table[RowT]
    transform: Transform[RowT]
    lake: Lake
    catalog: Catalog
    queue: Queue
    dead_letters: DeadLetterQueue
    service_version: str

    def process(self, record: Mapping[str, Any]) -> None:
        """Brings the table up to date with every raw object that an SQS record announces.

        A fault that no repetition can mend goes to the dead-letter queue with its diagnosis; any other exception
        leaves the message to SQS, which shows it again after a while that grows.
        """
        attributes = record["attributes"]
        told: MessageReturned = {
            "message_id": record["messageId"],
            "receive_count": int(attributes["ApproximateReceiveCount"]),
        }
        with (
            log.about(table=self.table.name, raw_key=None, run_id=None),
            message(attributes.get("AWSTraceHeader"), table=self.table.name, **told) as work,
        ):
            try:
                self._process(record, work)
            except Exception as fault:
                log.warning(LogEvent.MESSAGE_RETURNED, "message goes back to its queue", fault=fault, **told)
                # If not, SQS shows it after its visibility time-out.
                with suppress(BotoCoreError, ClientError):
                    self.queue.show_again(record)
                raise

    def _process(self, record: Mapping[str, Any], work: Step) -> None:
        try:
            raw_keys = announced_keys(record["body"])
        except PermanentError as fault:
            self._dead_letter(record, fault, work)
            return
        for raw_key in raw_keys:
            log.add(raw_key=raw_key, run_id=None)
            try:
                self._complete(raw_key)
            except PermanentError as fault:
                self._dead_letter(record, fault, work, raw_key=raw_key)

    @retry(retry=retry_if_exception_type(SupersededError), stop=stop_after_attempt(5), reraise=True)
    def _complete(self, raw_key: str) -> None:
        """Writes quarantines and rows of the raw object as it is now, registers their day, and writes the receipt."""
        key = SnapshotKey.from_raw(raw_key)
        name = self.table.name
        if key.kind.name != self.table.kind:
            raise PermanentError(
                f"key {raw_key!r}", f"{name} is made of snapshots of {self.table.kind}, and this is of {key.kind.name}"
            )
        facts = {"table": name, "playlist_id": key.list_id, "snapshot_date": key.snapshot_date.isoformat()}
        with step("snapshot", **facts) as work:
            with step("read"):
                raw = self.lake.read_raw(raw_key)
            with step("parse"), _readable(raw):
                snapshot = read_list(key.kind.name, raw.body, Provenance(key.list_id, key.snapshot_date, raw.run_id))
            run_id = snapshot.origin["run_id"]
            log.add(run_id=run_id)
            work.annotate(run_id=run_id)
            # Entries are decoded as the transform goes through them, and judged as it makes candidates of them.
            with step("transform and validate"), _readable(raw):
                judgement = judge(self.table, self.transform(snapshot))
                rejected = self._rejected_rows(snapshot, judgement, raw)
                refused = self._rejected_values(snapshot, judgement, raw)
            with step("encode"):
                parquet = encode(self.table, judgement.rows)
            bodies = {
                key.quarantine(name): _json_lines(rejected) if rejected else None,
                key.quarantined_values(name): _json_lines(refused) if refused else None,
                key.parquet(name): parquet,
            }
            told = {"service-version": self.service_version, "run-id": run_id or ""}
            outputs: dict[str, Output | None] = {}
            for output, body in bodies.items():
                with step("publish"):
                    outputs[output] = self.lake.publish(output, body, made_from=raw, metadata=told)
            written = [each for each, output in outputs.items() if output]
            with step("register"):
                self.catalog.register(filter(None, map(Partition.of, (*written, key.receipt(name)))))
            receipt = _json_lines([self._receipt(snapshot, judgement, raw, outputs)])
            with step("receipt"):
                self.lake.publish(key.receipt(name), receipt, made_from=raw, metadata=told)
            with step("confirm"):
                self.lake.confirm(outputs, made_from=raw)
            self._tell(work, judgement, raw)

    def _tell(self, work: Step, judgement: Judgement[RowT], raw: RawObject) -> None:
        since_raw = (datetime.now(UTC) - raw.last_modified).total_seconds()
        told: TableComplete = {
            "entries": judgement.entries,
            "rows": len(judgement.rows),
            "rejected": len(judgement.rejects),
            "refused_values": len(judgement.refused),
            "skipped": dict(judgement.skipped),
            "seconds_from_raw_to_table": since_raw,
        }
        work.note(**told, bytes=len(raw.body), raw_version=raw.version)
        log.info(LogEvent.TABLE_COMPLETE, "table is complete for the snapshot", **told)
        count(rows=told["rows"], rejected=told["rejected"], skipped=judgement.skipped.total())
        if self.table.watched:
            for row in judgement.rows:
                gauge(**{name: value for name, value in row.items() if name in self.table.watched})
        seconds(from_raw_to_table=since_raw)

    def _rejected_rows(self, snapshot: ListSnapshot, judgement: Judgement[RowT], raw: RawObject) -> list[RejectedRow]:
        return [
            {
                **self._rejection(snapshot, raw, reject.location, reject.reason),
                "row_json": to_json(reject.raw, inf_nan_mode="strings").decode(),
            }
            for reject in judgement.rejects
        ]

    def _rejected_values(
        self, snapshot: ListSnapshot, judgement: Judgement[RowT], raw: RawObject
    ) -> list[RejectedValue]:
        return [
            {
                **self._rejection(snapshot, raw, refusal.location, refusal.reason),
                "column_name": refusal.column,
                "value_json": to_json(refusal.value, inf_nan_mode="strings").decode(),
            }
            for refusal in judgement.refused
        ]

    def _rejection(self, snapshot: ListSnapshot, raw: RawObject, location: str, reason: str) -> Rejection:
        return {
            **snapshot.origin,
            "table_name": self.table.name,
            "location": location,
            "reason": reason,
            "raw_key": raw.key,
            "raw_etag": raw.etag,
            "service_version": self.service_version,
        }

    def _receipt(
        self, snapshot: ListSnapshot, judgement: Judgement[RowT], raw: RawObject, outputs: Mapping[str, Output | None]
    ) -> Receipt:
        key, name = SnapshotKey.from_raw(raw.key), self.table.name
        parquet, quarantine = outputs[key.parquet(name)], outputs[key.quarantine(name)]
        values = outputs[key.quarantined_values(name)]
        return {
            **snapshot.origin,
            "table_name": self.table.name,
            "entries": judgement.entries,
            "rows": len(judgement.rows),
            "rejected": len(judgement.rejects),
            "refused_values": len(judgement.refused),
            "skipped_entries": judgement.skipped.total(),
            "skipped": as_json(dict(sorted(judgement.skipped.items()))),
            "gaps": as_json(judgement.rows.missing_ranks(ranks, snapshot.length))
            if (ranks := self.table.ranked_by)
            else None,
            "shares": as_json(_shares(self.table, judgement)) if self.table.watched else None,
            "raw_key": raw.key,
            "raw_etag": raw.etag,
            "raw_version_id": raw.version_id,
            "parquet_key": key.parquet(name),
            "parquet_etag": parquet.etag if parquet else None,
            "parquet_bytes": parquet.bytes if parquet else None,
            "quarantine_key": key.quarantine(name) if quarantine else None,
            "quarantine_etag": quarantine.etag if quarantine else None,
            "quarantine_bytes": quarantine.bytes if quarantine else None,
            "refused_values_key": key.quarantined_values(name) if values else None,
            "refused_values_etag": values.etag if values else None,
            "refused_values_bytes": values.bytes if values else None,
            "service_version": self.service_version,
            "contract_version": self.table.version,
        }

    def _dead_letter(
        self, record: Mapping[str, Any], fault: PermanentError, work: Step, raw_key: str | None = None
    ) -> None:
        work.fail(fault)
        if fault.run_id:
            log.add(run_id=fault.run_id)
        told: MessageDeadLettered = {"location": fault.location, "sentence": fault.sentence}
        log.error(LogEvent.MESSAGE_DEAD_LETTERED, "message goes to the dead-letter queue", **told)
        diagnosis: Diagnosis = {
            "error_class": type(fault.__cause__ or fault).__name__,
            "location": fault.location,
            "sentence": fault.sentence,
            "raw_key": raw_key,
            "run_id": fault.run_id,
            "service_version": self.service_version,
        }
        self.dead_letters.send(record, diagnosis)


@contextmanager
def _readable(raw: RawObject) -> Iterator[None]:
    try:
        yield
    except UnreadableSnapshotError as fault:
        raise PermanentError(f"{raw.key} {fault.location}", fault.problem, run_id=raw.run_id) from fault
    except (RecursionError, PydanticSerializationError) as fault:
        # Deeper than Python or the writer of rejected rows goes, which nothing that Spotify documents comes near.
        raise PermanentError(raw.key, "a value is nested hundreds of levels deep", run_id=raw.run_id) from fault


def _shares(table: Table[Any], judgement: Judgement[Any]) -> dict[str, float]:
    """Returns the lowest share of each watched column; without those that no row knows."""
    known: dict[str, list[float]] = {name: [] for name in table.watched}
    for row in judgement.rows:
        for name, shares in known.items():
            if row[name] is not None:
                shares.append(row[name])
    return {name: min(shares) for name, shares in known.items() if shares}


def _json_lines(rows: Sequence[Row]) -> bytes:
    """Rows as JSON lines, with timestamps as Athena's JSON SerDe reads them.

    Source: https://docs.aws.amazon.com/athena/latest/ug/openx-json-serde.html
    """
    return b"".join(to_json({name: _json_value(value) for name, value in row.items()}) + b"\n" for row in rows)


def _json_value(value: object) -> object:
    return value.isoformat(sep=" ", timespec="microseconds") if isinstance(value, datetime) else value
