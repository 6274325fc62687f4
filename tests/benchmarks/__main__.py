"""Measures Earworm beside its peers: `make bench`, or `python -m tests.benchmarks SECTION...`."""

import compileall
import os
import platform
import shutil
import sys
from datetime import UTC, datetime
from importlib import import_module
from importlib.metadata import distributions
from pathlib import Path
from zipfile import ZipFile

from infra.deploying.build import MEGABYTE
from infra.deploying.stacks import ROOT, SERVICES
from tests.benchmarks import documents
from tests.benchmarks.measure import BUNDLE, DEPLOYED, PEERS, PROJECT, WORK, run, table

_RESULTS = ROOT / "tests/benchmarks/results.md"
_TRANSFORMERS = ("albums", "artists", "playlist_metadata", "songs", "track_features")
_TOLD_VERSIONS = (
    "awswrangler", "boto3", "dlt", "fastparquet", "moto", "msgspec", "ministack", "numpy", "orjson", "pandas", "polars",
    "pyarrow", "pydantic",
)  # fmt: skip
_SECTIONS = ("bundles", "transform", "cold_start", "waiting", "flow", "compaction")


def main(chosen: list[str]) -> None:
    """Measure some sections, all by default, and write the results with the others as they were."""
    WORK.mkdir(parents=True, exist_ok=True)
    _unpack_bundles()
    for name in chosen or _SECTIONS:
        # Imported late: no figure of memory is below that of this process.
        text = _bundles() if name == "bundles" else import_module(f"tests.benchmarks.{name}").section()
        (WORK / f"{name}.md").write_text(text)
        sys.stdout.write(text + "\n")
        sys.stdout.flush()
        told = [file.read_text() for each in _SECTIONS if (file := WORK / f"{each}.md").exists()]
        _RESULTS.write_text("\n".join([_machine(), *told]))


def _unpack_bundles() -> None:
    run([sys.executable, "-m", "infra.cli", "build"], **{**os.environ, "EARWORM_LAMBDA_TARGET": "host"})
    for unpacked in (BUNDLE, DEPLOYED):
        shutil.rmtree(unpacked, ignore_errors=True)
    for service in _TRANSFORMERS:
        with ZipFile(ROOT / f"build/host/{service}.zip") as bundle:
            bundle.extractall(BUNDLE)
    with ZipFile(ROOT / "build/host/songs.zip") as bundle:
        bundle.extractall(DEPLOYED)
    compileall.compile_dir(BUNDLE, quiet=1)
    compileall.compile_dir(Path(__file__).parent, quiet=1)


def _machine() -> str:
    versions: dict[str, set[str]] = {}
    for place in (BUNDLE, PEERS, PROJECT):
        for each in distributions(path=[str(place)]):
            versions.setdefault(each.name, set()).add(each.version)
    told = ", ".join(f"{name} {' and '.join(sorted(versions[name]))}" for name in _TOLD_VERSIONS if name in versions)
    return (
        "# Measured side by side\n\n"
        f"By `make bench` on {datetime.now(UTC):%d %B %Y}: {platform.system()} {platform.release()}, "
        f"{platform.machine()}, {os.cpu_count()} processors, {_processor()}, Python {platform.python_version()}. "
        f"Load average at the end: {os.getloadavg()[0]:.1f}, so more was at work than the benchmark if it is above 1. "
        f"Documents made of {documents.source()}, repeated with ids of their own.\n\n{told}.\n"
    )


def _processor() -> str:
    told = Path("/proc/cpuinfo")
    lines = told.read_text().splitlines() if told.exists() else []
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), "processor unknown")


def _bundles() -> str:
    rows = []
    for service in SERVICES:
        path = ROOT / f"build/aws/{service}.zip"
        with ZipFile(path) as bundle:
            unzipped = sum(member.file_size for member in bundle.infolist())
        rows.append((service, f"{unzipped / MEGABYTE:.1f}", f"{path.stat().st_size / MEGABYTE:.1f}"))
    return "## Bundles for Lambda\n\n" + table(("service", "MB unzipped", "MB zipped"), rows)


if __name__ == "__main__":
    main(sys.argv[1:])
