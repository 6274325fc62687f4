"""A raw document turned into tables, by Earworm and by its peers, each in a process of its own."""

import shutil
import sys
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from contracts.tables import of_kind
from infra.deploying.stacks import ROOT
from tests.benchmarks.measure import BUNDLE, MEGABYTE, PEERS, WORK, Run, median, own_peak, run, table

_LENGTHS = (50, 1_000, 10_000)
_ROUNDS = 5
_EXPLANATION = """\
Each is a process of its own, started in turn; medians of {rounds} rounds (dlt from raw items: one). *Inside* is from \
the document in memory to the files, imports left out; the other columns are the whole process. As deployed each table \
has a function of its own, which decodes the document for itself: wall and memory are those of the largest, processor \
and inside those of all five. Ratios are to Earworm's five tables in one process, of this run alone: above 1 is more \
than Earworm. What was imported is frozen for the garbage collector of each. polars is given the schema of what it \
reads. The values that they wrote were compared: those with five tables \
wrote the same. Earworm and the naive way run on the unpacked bundle, without pyarrow; the others but awswrangler \
without pandas, which pyarrow would import; all on compiled bytecode, with one thread of OpenBLAS. Peers compress as \
they do by themselves, Earworm and the floors with ZSTD. awswrangler is imported, and its tables are written by \
pandas, since it writes to S3 alone. No figure of memory can be below the {least:.0f} MB of the process that starts \
them.
"""


@dataclass(frozen=True, slots=True)
class Contender:
    """A way to turn a document into tables.

    Attributes:
        module: Its module in `contenders`.
        title: What it is, for a person.
        site: The folder with the packages that it may import.
        absent: A package that is there for the sake of another contender, and that pyarrow would import.
        makes_the_tables: Whether it makes the five tables, and not some or others.
        rounds: How often it runs.
        processes: The arguments of each of its processes.
    """

    module: str
    title: str
    site: Path = PEERS
    absent: str = "pandas"
    makes_the_tables: bool = True
    rounds: int = _ROUNDS
    processes: tuple[tuple[str, ...], ...] = ((),)


CONTENDERS = (
    Contender("earworm", "**Earworm**, all five tables in one process", BUNDLE, absent="pyarrow"),
    Contender(
        "earworm_transformer",
        "**Earworm** as deployed, five processes",
        BUNDLE,
        absent="pyarrow",
        processes=tuple((table,) for table in of_kind("playlists")),
    ),
    Contender(
        "earworm_transformer",
        "**Earworm**, one of them (songs)",
        BUNDLE,
        absent="pyarrow",
        makes_the_tables=False,
        processes=(("songs",),),
    ),
    Contender("naive", "json, BaseModel, DataFrame, fastparquet", BUNDLE, absent="pyarrow"),
    Contender("wrangler", "awswrangler, json_normalize", absent="msgspec"),
    Contender("polars_", "polars, not validated"),
    Contender("dlt_rows", "dlt, flat rows, pydantic contracts"),
    Contender("dlt_items", "dlt, raw items, pydantic contract", makes_the_tables=False, rounds=1),
    Contender("dlt_everything", "dlt, raw items, no contract", makes_the_tables=False, rounds=1),
    Contender("orjson_pyarrow", "floor: orjson, pyarrow, not validated"),
    Contender("msgspec_arrow", "floor: typed msgspec, columns to pyarrow"),
)


@dataclass(frozen=True, slots=True)
class _Result:
    runs: list[Run]
    written: int

    def of(self, attribute: str) -> float:
        return median(float(getattr(each, attribute)) for each in self.runs)

    @property
    def inside(self) -> float:
        return median(float(each.printed.split()[-1]) for each in self.runs)


def section() -> str:
    """Measures every contender at every length, and tells the results in Markdown."""
    documents = WORK / "documents"
    documents.mkdir(parents=True, exist_ok=True)
    run([sys.executable, "-m", "tests.benchmarks.documents", documents, *map(str, _LENGTHS)], PYTHONPATH=str(ROOT))
    parts = ["## A document turned into tables\n"]
    for length in _LENGTHS:
        document = documents / f"{length}.json"
        results = _measure(document)
        _check()
        parts.append(f"### {length:,} entries, {document.stat().st_size / MEGABYTE:.1f} MB of JSON\n\n{_told(results)}")
    parts.append(_EXPLANATION.format(rounds=_ROUNDS, least=own_peak() / MEGABYTE))
    return "\n".join(parts)


def _measure(document: Path) -> dict[Contender, _Result]:
    runs: defaultdict[Contender, list[Run]] = defaultdict(list)
    for number in range(_ROUNDS):
        for contender in CONTENDERS:
            if number < contender.rounds:
                runs[contender].append(_run(contender, document))
    return {contender: _Result(done, _written(contender)) for contender, done in runs.items()}


def _run(contender: Contender, document: Path) -> Run:
    folder = _folder(contender)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    contend = ROOT / "tests/benchmarks/contend.py"
    told = (contender.site, contender.module, document, folder, contender.absent)
    runs = [run([sys.executable, "-I", "-S", contend, *told, *each]) for each in contender.processes]
    # Side by side they take as long as the slowest, as much of processors as all, and each has memory of its own.
    inside = sum(float(each.printed.split()[-1]) for each in runs)
    slowest, largest = max(each.wall for each in runs), max(each.rss for each in runs)
    return Run(slowest, sum(each.cpu for each in runs), largest, str(inside), "")


def _folder(contender: Contender) -> Path:
    return (
        WORK
        / "written"
        / "-".join((contender.module, *(argument for each in contender.processes for argument in each)))
    )


def _written(contender: Contender) -> int:
    return sum(file.stat().st_size for file in _folder(contender).rglob("*.parquet"))


def _check() -> None:
    folders = [_folder(contender) for contender in CONTENDERS if contender.makes_the_tables]
    run([sys.executable, "-m", "tests.benchmarks.check", *folders], PYTHONPATH=str(ROOT))


def _told(results: dict[Contender, _Result]) -> str:
    own = results[CONTENDERS[0]]
    rows = []
    for contender, result in results.items():
        times = {name: result.of(name) for name in ("wall", "cpu", "rss")}
        rows.append(
            (
                contender.title,
                f"{times['wall']:.2f}",
                f"{times['wall'] / own.of('wall'):.2f}",
                f"{times['cpu']:.2f}",
                f"{times['cpu'] / own.of('cpu'):.2f}",
                f"{result.inside:.3f}",
                f"{result.inside / own.inside:.2f}",
                f"{times['rss'] / MEGABYTE:.0f}",
                f"{result.written / 1000:,.0f}",
            )
        )
    return table(
        ("", "wall s", "ratio", "CPU s", "ratio", "inside s", "ratio", "peak MB", "written kB"),
        rows,
    )
