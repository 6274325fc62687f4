"""The flow on the local cloud: from a raw snapshot to its last receipt, one at a time and a thousand at once."""

import itertools
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import NamedTuple

import psutil

from contracts.tables import of_kind
from shared.lake import PLAYLISTS, SnapshotKey
from tests.benchmarks.contenders.tables import PLAYLIST
from tests.benchmarks.documents import document, of_playlist
from tests.benchmarks.measure import MEGABYTE, WORK, median, quantile, table
from tests.system.pipeline import Pipeline, deployed

_BACKFILLS = (10, 50, 200, 1_000)
_TABLES = of_kind("playlists")
_ENTRIES = 100
_SINGLE = 40
_WARM_UP = 10
"""Snapshots at once that start every worker of a table."""
_PATIENCE = 1_800.0


class _Worker(NamedTuple):
    """A process of a function: resident bytes, and seconds of processor since its start."""

    name: str
    memory: int
    cpu: float


@dataclass(slots=True)
class _Backfill:
    """A backfill as it went.

    Attributes:
        seconds: From the first raw object to the last receipt.
        cpu: Seconds of processor that the workers took meanwhile.
        memory: By worker, its bytes of memory at moments of the backfill, in their order.
    """

    snapshots: int
    seconds: float = 0.0
    cpu: float = 0.0
    memory: defaultdict[str, list[int]] = field(default_factory=lambda: defaultdict(list))


def section() -> str:
    """Measures the flow, and tells the results in Markdown."""
    days = (date(2020, 1, 1) + timedelta(days=number) for number in itertools.count())
    with deployed(WORK / "cloud") as pipeline:
        body = document(_ENTRIES)
        _backfill(pipeline, body, _WARM_UP, next(days))
        latencies = [_seconds_to_last_receipt(pipeline, document(50), next(days)) for _ in range(_SINGLE)]
        backfills = [_backfill(pipeline, body, number, next(days)) for number in _BACKFILLS]
    return _told(latencies, backfills)


def _seconds_to_last_receipt(pipeline: Pipeline, body: bytes, day: date) -> float:
    began = time.perf_counter()
    _put(pipeline, body, SnapshotKey(day, PLAYLIST))
    while _receipts(pipeline, day) < len(_TABLES):
        time.sleep(0.01)
        _be_patient(began)
    return time.perf_counter() - began


def _backfill(pipeline: Pipeline, body: bytes, snapshots: int, day: date) -> _Backfill:
    done = _Backfill(snapshots)
    keys = [SnapshotKey(day, f"{number:022}") for number in range(snapshots)]
    before = sum(worker.cpu for worker in _workers(pipeline))
    began = time.perf_counter()
    with ThreadPoolExecutor(max_workers=4) as pool:
        list(pool.map(lambda key: _put(pipeline, body, key), keys))
    while _receipts(pipeline, day) < snapshots * len(_TABLES):
        for worker in _workers(pipeline):
            done.memory[worker.name].append(worker.memory)
        time.sleep(1)
        _be_patient(began)
    done.seconds = time.perf_counter() - began
    done.cpu = sum(worker.cpu for worker in _workers(pipeline)) - before
    return done


def _put(pipeline: Pipeline, body: bytes, key: SnapshotKey) -> None:
    pipeline.s3.put_object(Bucket=pipeline.bucket, Key=key.raw, Body=of_playlist(body, key.list_id))


def _receipts(pipeline: Pipeline, day: date) -> int:
    prefix = f"{PLAYLISTS.prefix('receipts')}{day:year=%Y/month=%m/day=%d}/"
    pages = pipeline.s3.get_paginator("list_objects_v2").paginate(Bucket=pipeline.bucket, Prefix=prefix)
    return sum(page["KeyCount"] for page in pages)


def _be_patient(began: float) -> None:
    if time.perf_counter() - began > _PATIENCE:
        raise SystemExit(f"Receipts were missing for {_PATIENCE:.0f} seconds: look at the dead-letter queues.")


def _workers(pipeline: Pipeline) -> Iterator[_Worker]:
    """Each process of a transformer."""
    for service in _TABLES:
        for process in pipeline.workers(service):
            with suppress(psutil.NoSuchProcess), process.oneshot():
                used = process.cpu_times()
                yield _Worker(f"{service} ({process.pid})", process.memory_info().rss, used.user + used.system)


def _told(latencies: Sequence[float], backfills: Sequence[_Backfill]) -> str:
    of_fifty = next(each for each in backfills if each.snapshots == 50)
    rows = [
        (
            f"{each.snapshots:,}",
            f"{each.seconds:.1f}",
            f"{each.seconds / each.snapshots:.3f}",
            f"{each.seconds / each.snapshots / (of_fifty.seconds / of_fifty.snapshots):.2f}",
            f"{each.cpu / each.snapshots:.3f}",
            f"{each.cpu / each.snapshots / (of_fifty.cpu / of_fifty.snapshots):.2f}",
            f"{each.snapshots * len(of_kind('playlists')) / each.seconds:.1f}",
        )
        for each in backfills
    ]
    head = (
        "snapshots",
        "s",
        "s a snapshot",
        "of that at 50",
        "workers' CPU s a snapshot",
        "of that at 50",
        "tables a second",
    )
    memory = [
        (worker, *(f"{at[int(share * (len(at) - 1))] / MEGABYTE:.0f}" for share in (0, 0.1, 0.25, 0.5, 0.75, 1)))
        for worker, at in sorted(backfills[-1].memory.items())
        if len(at) > 10
    ]
    return (
        "## The flow on the local cloud\n\n"
        f"A raw snapshot of 50 entries to the last of its five receipts, warm, one after the other ({_SINGLE} times): "
        f"p50 {median(latencies):.2f} s, p95 {quantile(latencies, 0.95):.2f} s.\n\n"
        f"Backfills of snapshots of {_ENTRIES} entries, put as fast as that goes, after one of ten:\n\n"
        f"{table(head, rows)}\n"
        f"MB of memory of each worker over the backfill of {backfills[-1].snapshots:,}, by the share of its time:\n\n"
        f"{table(('worker', 'start', '10 %', '25 %', '50 %', '75 %', 'end'), memory)}"
    )
