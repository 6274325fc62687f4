"""A month of many small files, asked through the local Athena before and after `earworm compact`."""

import time
from calendar import monthrange
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date

from contracts.snapshot import Provenance, read_snapshot
from contracts.tables import TABLES
from contracts.validation import judge
from services.songs.transform import songs
from shared.catalog import Catalog
from shared.lake import Partition, SnapshotKey
from shared.parquet import encode
from tests.benchmarks.documents import document, of_playlist
from tests.benchmarks.measure import MEGABYTE, WORK, median, table
from tests.system.pipeline import Pipeline, deployed

_YEAR, _MONTH = 2026, 10
_PLAYLISTS = 100
_ROUNDS = 5
_QUERIES = {
    "how many rows": "SELECT count(*) FROM {table} {where}",
    "an aggregate": "SELECT artist_name, count(*) FROM {table} {where} GROUP BY 1 ORDER BY 2 DESC LIMIT 10",
    "one day": "SELECT avg(popularity) FROM {table} {where} AND day = '15'",
}


@dataclass(frozen=True, slots=True)
class _Asked:
    """Seconds of the first time and of later ones, and the bytes of the files."""

    first: float
    again: float
    read: int


def section() -> str:
    """Measures the queries, and tells the results in Markdown."""
    with deployed(WORK / "cloud") as pipeline:
        _fill(pipeline)
        before = {name: _ask(pipeline, sql, "songs") for name, sql in _QUERIES.items()}
        began = time.perf_counter()
        pipeline.earworm("compact", "--month", f"{_YEAR}-{_MONTH}", "--table", "songs")
        took = time.perf_counter() - began
        after = {name: _ask(pipeline, sql, "songs_compacted") for name, sql in _QUERIES.items()}
        files = {
            name: len(pipeline.etags(f"{prefix}/spotify/songs/"))
            for name, prefix in {"before": "processed", "after": "compacted"}.items()
        }
    rows = [
        (
            name,
            f"{before[name].first:.2f}",
            f"{after[name].first:.2f}",
            f"{before[name].again:.2f}",
            f"{after[name].again:.2f}",
            f"{before[name].read / MEGABYTE:.1f}",
            f"{after[name].read / MEGABYTE:.1f}",
        )
        for name in _QUERIES
    ]
    head = ("query", "s before, first", "s after, first", "s before, again", "s after, again", "MB before", "MB after")
    return (
        "## A month of many files, compacted\n\n"
        f"The songs of {_PLAYLISTS} playlists of 50 entries, daily for a month, on the local Athena: "
        f"{files['before']:,} files before, {files['after']:,} after. `earworm compact` took {took:.0f} s. The first "
        "query reads the files that none before it has read, whole; what it has read it keeps, so that asking again "
        f"(medians of {_ROUNDS}) reads nothing. Athena reads them each time, {files['before']:,} requests for one.\n\n"
        f"{table(head, rows)}"
    )


def _fill(pipeline: Pipeline) -> None:
    days = [date(_YEAR, _MONTH, day) for day in range(1, monthrange(_YEAR, _MONTH)[1] + 1)]
    ids = [f"{number:022}" for number in range(_PLAYLISTS)]
    bodies = {each: of_playlist(document(50, copy=number), each) for number, each in enumerate(ids)}
    keys = [SnapshotKey(day, playlist) for day in days for playlist in bodies]
    s3, bucket = pipeline.s3, pipeline.bucket

    def put(key: SnapshotKey) -> None:
        snapshot = read_snapshot(bodies[key.list_id], Provenance(key.list_id, key.snapshot_date))
        rows = encode(TABLES["songs"], judge(TABLES["songs"], songs(snapshot)).rows)
        s3.put_object(Bucket=bucket, Key=key.parquet("songs"), Body=rows)

    with ThreadPoolExecutor(max_workers=4) as pool:
        list(pool.map(put, keys))
    catalog = Catalog(pipeline.glue, pipeline.cloud.platform.database, bucket)
    catalog.register(filter(None, (Partition.of(key.parquet("songs")) for key in keys)))


def _ask(pipeline: Pipeline, sql: str, name: str) -> _Asked:
    where = f"WHERE year = '{_YEAR}' AND month = '{_MONTH}'"
    cloud, seconds = pipeline.cloud, []
    for _ in range(1 + _ROUNDS):
        began = time.perf_counter()
        cloud.athena.ask(sql.format(table=name, where=where))
        seconds.append(time.perf_counter() - began)
    latest = cloud.client("athena").list_query_executions(WorkGroup=cloud.platform.workgroup)["QueryExecutionIds"]
    executions = [cloud.client("athena").get_query_execution(QueryExecutionId=id_) for id_ in latest]
    last = max(executions, key=lambda each: each["QueryExecution"]["Status"]["SubmissionDateTime"])
    return _Asked(seconds[0], median(seconds[1:]), last["QueryExecution"]["Statistics"]["DataScannedInBytes"])
