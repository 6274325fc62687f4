"""From nothing to the first table: a transformer's first invocation, beside the same on other writers of Parquet."""

import json
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import boto3

from infra.catalog import declared_tables
from infra.cli.replay import announcement
from infra.deploying.stacks import CATALOG, ROOT, template
from infra.local.cloud import LocalCloud
from shared.lake import SnapshotKey
from tests.benchmarks.documents import document, of_playlist
from tests.benchmarks.measure import BUNDLE, DEPLOYED, PEERS, WORK, Run, median, run, table

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_ONLY_PYARROW = WORK / "pyarrow"
_BUCKET = "lake"
_DATABASE = "earworm_dev"
_ROUNDS = 7
_PARTS = (
    "pandas", "fastparquet", "numpy", "pyarrow", "awswrangler", "pydantic", "boto3", "aws_lambda_powertools",
    "aws_xray_sdk", "earworm",
)  # fmt: skip
_PART_OF = {
    "botocore": "boto3", "s3transfer": "boto3", "urllib3": "boto3", "pydantic_core": "pydantic",
    "annotated_types": "pydantic", "contracts": "earworm", "shared": "earworm", "services": "earworm",
    "cramjam": "fastparquet", "fsspec": "fastparquet",
}  # fmt: skip
_IMPORT = re.compile(r"import time:\s+(\d+) \|\s+\d+ \|\s+(\w+)")


_SOURCES = ("-B", "-X", f"pycache_prefix={WORK / 'no-bytecode'}")
"""As packages are that are installed without bytecode, into a layer or an archive, and unpacked where nobody writes."""


@dataclass(frozen=True, slots=True)
class Contender:
    """A handler, where its packages are, and Python's flags."""

    handler: str
    title: str
    sites: tuple[Path, ...]
    absent: str
    flags: tuple[str, ...] = ()


_CONTENDERS = (
    Contender("earworm", "**Earworm**", (BUNDLE,), "pyarrow"),
    Contender("earworm", "**Earworm**, bundle as it is deployed", (DEPLOYED,), "pyarrow", ("-B",)),
    Contender("earworm", "**Earworm**, bundle without bytecode", (DEPLOYED,), "pyarrow", _SOURCES),
    Contender("on_pyarrow", "same handler on pyarrow", (BUNDLE, _ONLY_PYARROW), "pandas"),
    Contender("on_awswrangler", "same handler on awswrangler", (PEERS, BUNDLE), "fastparquet"),
    Contender("plain_awswrangler", "plain handler on awswrangler", (PEERS,), "fastparquet"),
    Contender(
        "on_awswrangler", "same handler on awswrangler, without bytecode", (PEERS, BUNDLE), "fastparquet", _SOURCES
    ),
    Contender("plain_awswrangler", "plain handler on awswrangler, without bytecode", (PEERS,), "fastparquet", _SOURCES),
)


def section() -> str:
    """Measures every handler's first invocation, and tells the results in Markdown."""
    _ONLY_PYARROW.mkdir(parents=True, exist_ok=True)
    link = _ONLY_PYARROW / "pyarrow"
    link.unlink(missing_ok=True)
    link.symlink_to(PEERS / "pyarrow")
    runs: defaultdict[Contender, list[Run]] = defaultdict(list)
    with _s3() as (s3, variables):
        body = document(50)
        for number in range(_ROUNDS + 1):
            for place, contender in enumerate(_CONTENDERS):
                key = SnapshotKey(date(2024, 5, 2), f"{number:02}{place:020}")
                s3.put_object(Bucket=_BUCKET, Key=key.raw, Body=of_playlist(body, key.list_id))
                done = _start(contender, key, variables)
                if number:  # the first round warms the disk's cache
                    runs[contender].append(done)
        written = s3.list_objects_v2(Bucket=_BUCKET, Prefix="processed/spotify/songs/")["KeyCount"]
        itemised = {
            contender: _itemised(_start(contender, key, variables, "-X", "importtime").complained)
            for contender in _CONTENDERS
        }
    if written != (_ROUNDS + 1) * len(_CONTENDERS):
        raise SystemExit(f"Only {written} of {(_ROUNDS + 1) * len(_CONTENDERS)} tables were written.")
    return _told(runs, itemised)


def _start(contender: Contender, key: SnapshotKey, variables: dict[str, str], *options: str) -> Run:
    event = {
        "Records": [
            {
                "messageId": "1",
                "body": announcement(_BUCKET, key),
                "attributes": {"ApproximateReceiveCount": "1"},
                "eventSource": "aws:sqs",
            }
        ]
    }
    flags = [*options, "-I", "-S", *contender.flags]
    start = ROOT / "tests/benchmarks/start.py"
    told = [contender.handler, json.dumps(event), contender.absent]
    return run([sys.executable, *flags, start, *told, *contender.sites], **variables)


@contextmanager
def _s3() -> Iterator[tuple["S3Client", dict[str, str]]]:
    cloud = LocalCloud(WORK / "s3", {})
    endpoints = cloud.start()
    try:
        session = boto3.Session(endpoints.access_key_id, endpoints.secret_access_key, region_name="us-east-1")
        s3 = session.client("s3", endpoint_url=endpoints.aws)
        glue = session.client("glue", endpoint_url=endpoints.aws)
        s3.create_bucket(Bucket=_BUCKET)
        glue.create_database(DatabaseInput={"Name": _DATABASE})
        names = {"Environment": "dev", "Bucket": _BUCKET, "Database": _DATABASE}
        for declared in declared_tables(template(CATALOG).read_text(), names).values():
            glue.create_table(DatabaseName=_DATABASE, TableInput=declared)
        yield (
            s3,
            {
                **endpoints.environment(),
                "S3_BUCKET": _BUCKET,
                "GLUE_DATABASE": _DATABASE,
                "QUEUE_URL": f"{endpoints.aws}/000000000000/none",
                "DEAD_LETTER_QUEUE_URL": f"{endpoints.aws}/000000000000/none",
                "SERVICE_VERSION": "1.0.0",
                "POWERTOOLS_SERVICE_NAME": "songs",
                "POWERTOOLS_METRICS_NAMESPACE": "Earworm/dev",
                "LAMBDA_TASK_ROOT": "/var/task",
                "_X_AMZN_TRACE_ID": "Root=1-65000000-000000000000000000000001;Parent=0000000000000001;Sampled=1",
            },
        )
    finally:
        cloud.stop()


def _itemised(trace: str) -> Counter[str]:
    """Milliseconds of imports by package, each with its own modules alone."""
    found: Counter[str] = Counter()
    for microseconds, package in _IMPORT.findall(trace):
        part = _PART_OF.get(package, package)
        found[part if part in _PARTS else "everything else"] += int(microseconds)
    return Counter({part: round(microseconds / 1000) for part, microseconds in found.items()})


def _told(runs: dict[Contender, list[Run]], itemised: dict[Contender, Counter[str]]) -> str:
    own = {name: median(getattr(each, name) for each in runs[_CONTENDERS[0]]) for name in ("wall", "cpu")}
    rows = []
    for contender, done in runs.items():
        inside = [[float(number) for number in each.printed.split()[-2:]] for each in done]
        rows.append(
            (
                contender.title,
                f"{median(each.wall for each in done):.2f}",
                f"{own['wall'] / median(each.wall for each in done):.2f}",
                f"{median(each.cpu for each in done):.2f}",
                f"{own['cpu'] / median(each.cpu for each in done):.2f}",
                f"{median(imports for imports, _ in inside):.2f}",
                f"{median(call for _, call in inside):.2f}",
            )
        )
    whole = table(("", "wall s", "Earworm ÷ it", "CPU s", "Earworm ÷ it", "imports, clients s", "invocation s"), rows)
    parts = [*_PARTS, "everything else"]
    imports = table(
        ("ms of imports", *parts, "sum"),
        [(contender.title, *(told[part] for part in parts), told.total()) for contender, told in itemised.items()],
    )
    return (
        "## From nothing to the first table\n\n"
        f"{whole}\nA new process to the table of songs of 50 entries in an S3 on this machine; medians of {_ROUNDS} "
        "rounds, in turn. The same handler has the same contracts, validation, logs, metrics and traces; only the "
        "writer of Parquet is another. The plain one has nothing of it. Bytecode is compiled beforehand; the bundle as "
        "it is deployed has what `earworm build` gives it, and *without bytecode* is how pip installs packages for "
        f"another machine.\n\n{imports}\n"
        "One run under `-X importtime`, which slows it; each package without what it imports.\n"
    )
