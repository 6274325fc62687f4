"""Reads each file once, to prove that its contents are what its receipt says.

The audit compares ETags, which proves only that a file is the one that its receipt commits. Here each file that is new
since the last time is read, in a separate process, as a damaged one can crash its reader.
"""

import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from itertools import chain, islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from pydantic import TypeAdapter
from rich.progress import Progress

from contracts.tables import TABLES
from contracts.tables.receipts import read_receipt
from infra.cli.claim import Claim, Holding
from infra.cli.cloud import CONNECTIONS
from infra.deploying.stacks import ROOT
from shared import objects
from shared.batches import batches
from shared.lake import KINDS, Area, SnapshotKey, partition_of_month, table_prefix

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

BESIDE_ROWS: Final[Sequence[Area]] = ("receipts", "quarantine", "quarantine-values")
"""The areas of a snapshot's outputs other than its rows."""
_AT_ONCE = 100
_PATIENCE = 300.0
_READER = [sys.executable, "-m", "infra.cli.proof"]
_ANSWER: TypeAdapter[str | None] = TypeAdapter(str | None)


@dataclass(frozen=True, slots=True)
class Bucket:
    """The lake's bucket, for reading."""

    s3: "S3Client"
    name: str

    def etags(self, prefix: str) -> Mapping[str, str]:
        """Returns the ETag of each key below a prefix."""
        return {found["Key"]: found["ETag"].strip('"') for found in objects.listed(self.s3, self.name, prefix)}

    def snapshots(self, prefix: str) -> Iterator[SnapshotKey]:
        """Yields the snapshots whose raw objects are below a prefix."""
        yield from filter(None, map(SnapshotKey.find, self.etags(prefix)))

    def body(self, key: str) -> bytes | None:
        """Returns an object's content; None if it is gone."""
        found = objects.get(self.s3, self.name, key)
        return found and found["Body"].read()


@dataclass(frozen=True, slots=True)
class Fault:
    """A file whose contents contradict its receipt."""

    table: str
    key: SnapshotKey
    what: str


@dataclass(frozen=True, slots=True)
class _Committed:
    """A table's outputs of a snapshot, by their listed ETags."""

    table: str
    key: SnapshotKey
    receipt: str
    parquet: str
    quarantine: str | None
    quarantined_values: str | None

    @property
    def fingerprint(self) -> str:
        """A hash that changes with any of the objects."""
        return sha256(repr(self).encode()).hexdigest()[:24]


def prove(
    bucket: Bucket, months: Sequence[tuple[date, date]], tables: Sequence[str], proved: Path, bar: Progress
) -> list[Fault]:
    """Reads files that were not proved before, and returns the faults.

    Files other than those that their receipts name are skipped: they are a gap of their own.

    Args:
        bucket: The lake.
        months: The first and the last day of each month.
        tables: The tables whose files are read.
        proved: The file that records what was proved.
        bar: Shows the progress.
    """
    known = set(proved.read_text("ascii").split()) if proved.exists() else set()
    new = [each for month in months for each in _committed(bucket, tables, *month) if each.fingerprint not in known]
    task = bar.add_task("contents proved", total=len(new), note="")
    faults: list[Fault] = []
    proved.parent.mkdir(parents=True, exist_ok=True)
    for batch in batches(new, _AT_ONCE):
        with TemporaryDirectory() as folder, ThreadPoolExecutor(CONNECTIONS) as pool:
            claims = list(pool.map(lambda each, into=Path(folder): _claims(bucket, each, into), batch))
            answers = iter([*read([*chain.from_iterable(claims)])])
        sound: list[str] = []
        for each, claimed in zip(batch, claims, strict=True):
            whats = [what for what in islice(answers, len(claimed)) if what]
            faults += [Fault(each.table, each.key, what) for what in whats]
            if claimed and not whats:
                sound.append(f"{each.fingerprint}\n")
        with proved.open("a", encoding="ascii") as file:
            file.writelines(sound)
        bar.advance(task, len(batch))
    return faults


def read(claims: Sequence[Claim], patience: float = _PATIENCE) -> Iterator[str | None]:
    """Yields the fault of each claim, None if there is none; crashing the reader is a fault.

    Args:
        claims: The claims about the files.
        patience: Seconds that the reader may take for all of them.
    """
    left = list(claims)
    while left:
        how, answers = _read(left, patience)
        yield from answers
        del left[: len(answers)]
        if left:
            yield f"{left[0]['holding']} cannot be read: {how}"
            del left[0]


def _read(claims: Sequence[Claim], patience: float) -> tuple[str, list[str | None]]:
    """Returns how a reader ended, and its answers, which may be fewer than the claims."""
    asked = TypeAdapter(list[Claim]).dump_json(list(claims))
    try:
        done = subprocess.run(  # noqa: S603 - nothing in the command comes from outside
            _READER, input=asked, capture_output=True, timeout=patience, check=False, cwd=ROOT
        )
        how, told = f"it crashes its reader (exit code {done.returncode})", done.stdout
    except subprocess.TimeoutExpired as late:
        how, told = f"its reader does not finish within {patience:.0f} seconds", late.stdout or b""
    whole = told[: told.rfind(b"\n") + 1]
    return how, [_ANSWER.validate_json(line) for line in whole.splitlines()]


def _committed(bucket: Bucket, tables: Sequence[str], first: date, last: date) -> Iterator[_Committed]:
    """Returns what the receipts of some days of a month commit."""
    month = partition_of_month(first)

    def listed(area: Area) -> Mapping[str, str]:
        return {key: etag for kind in KINDS.values() for key, etag in bucket.etags(kind.prefix(area) + month).items()}

    raws = (bucket.snapshots(f"{kind.prefix('raw')}{first:%Y-%m}-") for kind in KINDS.values())
    keys = [key for key in chain.from_iterable(raws) if first <= key.snapshot_date <= last]
    receipts, quarantine, values = map(listed, BESIDE_ROWS) if tables else ({}, {}, {})
    for table in tables:
        files = bucket.etags(table_prefix(TABLES[table]) + month)
        for key in keys:
            if (receipt := receipts.get(key.receipt(table))) and (parquet := files.get(key.parquet(table))):
                yield _Committed(
                    table,
                    key,
                    receipt,
                    parquet,
                    quarantine.get(key.quarantine(table)),
                    values.get(key.quarantined_values(table)),
                )


def _claims(bucket: Bucket, committed: _Committed, folder: Path) -> list[Claim]:
    """Copies what a receipt commits; nothing if the receipt has changed since, or cannot be read."""
    table, key = committed.table, committed.key
    try:
        receipt = read_receipt(bucket.body(key.receipt(table)) or b"")
    except ValueError:
        return []
    told = (receipt["parquet_etag"], receipt["quarantine_etag"], receipt["refused_values_etag"])
    if told != (committed.parquet, committed.quarantine, committed.quarantined_values):
        return []
    outputs: list[tuple[str, Holding, int]] = [(key.parquet(table), "Parquet file", receipt["rows"])]
    if committed.quarantine:
        outputs.append((key.quarantine(table), "quarantine", receipt["rejected"]))
    if committed.quarantined_values:
        outputs.append((key.quarantined_values(table), "quarantine of values", receipt["refused_values"] or 0))
    claims: list[Claim] = []
    for output, holding, rows in outputs:
        path = folder / f"{committed.fingerprint}.{len(claims)}"
        path.write_bytes(bucket.body(output) or b"")
        shared = {name: receipt[name] for name in ("playlist_id", "snapshot_date", "run_id")}
        claims.append(Claim(path=str(path), holding=holding, table=table, rows=rows, shared=shared))
    return claims
