"""An archive put into the lake: everything is judged before anything is written, and what became of each is told."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal, TypeAlias, TypeVar

import typer
from rich.markup import escape
from rich.progress import Progress

from analytics.wording import counted
from contracts.chart import Frequency
from contracts.kinds import Kind
from contracts.layouts.layout import ChartIdentity
from contracts.regions import read_region
from infra.cli import loads
from infra.cli.archive import Asked, Document, Judgement, Note, SameDay, judge, pages_of_one
from infra.cli.cloud import CONNECTIONS, Cloud, confirm, find_cloud
from infra.cli.collect import IncompleteError, Landed, await_tables, stored_versions
from infra.cli.days import read_day
from infra.cli.environment import Environment
from infra.cli.screen import ConsoleError, UsageError, err, grid, in_one_line, out, printable, progress
from infra.cli.sources import SourceError, find_sources
from shared import objects
from shared.lake import Lake, Place, SnapshotKey

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

Standing: TypeAlias = Literal["new", "replaced", "unchanged"]
"""What a document is to the lake before it is loaded: `replaced` is another document of the same snapshot."""

_GRAIN: Final[Mapping[Kind, str]] = {"playlists": "songs", "charts": "charts"}
"""The table of each kind whose receipt counts the entries of a list."""
_NAMES: Final[Mapping[Kind, str]] = {"playlists": "playlist", "charts": "chart"}
_RANKS_MISSING: Final = "ranks missing"
_MOST_SHOWN: Final = 20
_MOST_LACKING: Final = 10
_ROOM_FOR_FILES: Final = 120
"""Columns of a terminal that leave room for the names of files beside the numbers."""
_CHUNK: Final = 1 << 20

ResultT = TypeVar("ResultT")


def load(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE", help="Playlist documents and chart files; folders, patterns or zip archives of them."
        ),
    ],
    day: Annotated[
        date | None,
        typer.Option(
            "--date", parser=read_day, metavar="DAY", help="Day of the snapshots. [default: the document's, its name's]"
        ),
    ] = None,
    playlist: Annotated[str | None, typer.Option(help="Id of the playlist. [default: the document's]")] = None,
    same_day: Annotated[
        SameDay,
        typer.Option(
            help="What becomes of several documents of one playlist and day: none is loaded, or the one that says that "
            "it was extracted last (the last that was named where none says when)."
        ),
    ] = "refuse",
    environment: Environment = "dev",
    *,
    period_end: Annotated[
        date | None,
        typer.Option(
            parser=read_day, metavar="DAY", help="Last day of a chart, included, where its file's name does not say it."
        ),
    ] = None,
    region: Annotated[
        str | None, typer.Option(help="Region of a chart, `global` or a country's two letters, likewise.")
    ] = None,
    frequency: Annotated[Frequency | None, typer.Option(help="How often a chart is published, likewise.")] = None,
    pages: Annotated[
        bool, typer.Option("--pages", help="The files are the pages of one playlist: merge them.")
    ] = False,
    skip_bad: Annotated[bool, typer.Option("--skip-bad", help="Load the good files, though others are bad.")] = False,
    every: Annotated[bool, typer.Option("--all", help="Show every snapshot, not only those that lack something.")] = (
        False
    ),
    yes: Annotated[
        bool,
        typer.Option("--yes", help="Replace other snapshots of the day without a question, which is asked on AWS."),
    ] = False,
) -> None:
    """Load playlists and charts from elsewhere, and wait until every table has them."""
    chart = ChartIdentity(region=region and _region(region), frequency=frequency, period_end=period_end)
    cloud = find_cloud(environment, writes=True)
    with progress() as bar:
        judged = _judged(files, Asked(day, playlist, chart), same_day, bar, pages=pages)
    _print_notes("[red]bad[/]", judged.refused)
    _print_notes("left out", judged.spared)
    _refuse(judged, skip_bad=skip_bad)
    with progress() as bar:
        standing = _standing(cloud, judged.documents, bar)
    replaced = [document.key.raw for document in judged.documents if standing[document.key] == "replaced"]
    if replaced and not cloud.is_local:
        more = f" and {len(replaced) - 3:,} more" if len(replaced) > 3 else ""
        confirm(f"Replace {', '.join(replaced[:3])}{more} in {environment} at {cloud.address}?", yes=yes)
    incomplete: IncompleteError | None = None
    stored = [each for each in judged.documents if standing[each.key] != "unchanged"]
    record = loads.begin(cloud, stored) if stored else None
    with progress() as bar:
        if record:
            _store(cloud, stored, record.run_id, bar)
        try:
            landed: Mapping[Place, Landed] = await_tables(cloud, [each.key for each in judged.documents], bar)
        except IncompleteError as fault:
            incomplete, landed = fault, fault.landed
    of_snapshots = _of_snapshots(judged.documents, landed)
    outcomes = _outcomes(
        judged.documents, of_snapshots, {place.key for place in incomplete.missing} if incomplete else ()
    )
    if record:
        loads.end(cloud, record, outcomes, landed)
    _print(judged, standing, of_snapshots, outcomes, every=every)
    if incomplete:
        raise incomplete


def _region(text: str) -> str:
    try:
        return read_region(text)
    except ValueError as fault:
        raise UsageError(f"{fault}: give one of these with --region.") from None


def _judged(files: Sequence[Path], asked: Asked, same_day: SameDay, bar: Progress, *, pages: bool) -> Judgement:
    sources = find_sources(files)
    if not sources:
        raise UsageError(f"There is no file in {', '.join(map(str, files))}. Name files that hold documents.")
    if pages:
        try:
            sources = [pages_of_one(sources)]
        except SourceError as fault:
            raise ConsoleError(f"These are not the pages of one playlist: {fault}.") from None
    task = bar.add_task("files judged", total=len(sources), note="")
    return judge(sources, asked, same_day=same_day, tell=lambda: bar.advance(task))


def _print_notes(what: str, notes: Iterable[Note]) -> None:
    """Prints each reason once, with all that it is the reason of."""
    names: dict[str, list[str]] = {}
    for note in notes:
        names.setdefault(note.why, []).append(note.name)
    for why, of in names.items():
        err.print(f"{what}: {escape(printable(why))}")
        for name in of:
            err.print(f"  {in_one_line(name)}", soft_wrap=True, markup=False)


def _refuse(judged: Judgement, *, skip_bad: bool) -> None:
    bad, good = len(judged.refused), len(judged.documents)
    if bad and not (skip_bad and good):
        whole = bad + good + len(judged.spared)
        others = f", or load the other {good:,} with --skip-bad" if good else ""
        raise ConsoleError(
            f"{bad:,} of {whole:,} files cannot be loaded, and nothing was. Mend or remove them{others}."
        )


def _standing(cloud: Cloud, documents: Sequence[Document], bar: Progress) -> dict[SnapshotKey, Standing]:
    s3, bucket = cloud.client("s3"), cloud.platform.bucket
    there = stored_versions(s3, bucket, [document.key for document in documents])

    def look(document: Document) -> Standing:
        stored = _stored_sha256(s3, bucket, document.key) if document.key in there else None
        return "new" if stored is None else "unchanged" if stored == document.sha256 else "replaced"

    found = _side_by_side(look, documents, bar, "compared with the lake")
    return {document.key: standing for document, standing in zip(documents, found, strict=True)}


def _stored_sha256(s3: "S3Client", bucket: str, key: SnapshotKey) -> str | None:
    found = objects.get(s3, bucket, key.raw)
    if found is None:
        return None
    digest = sha256()
    while chunk := found["Body"].read(_CHUNK):
        digest.update(chunk)
    return digest.hexdigest()


def _store(cloud: Cloud, documents: Sequence[Document], run_id: str, bar: Progress) -> None:
    """Puts documents under their keys, each in one piece.

    Args:
        cloud: Where to.
        documents: What.
        run_id: The load.
        bar: Shows the progress.

    Raises:
        ConsoleError: A file changed since it was judged.
    """
    lake = Lake(cloud.client("s3"), cloud.platform.bucket)

    def put(document: Document) -> None:
        try:
            body = document.read()
        except SourceError as fault:
            raise ConsoleError(f"{document.name} was there and is no more: {fault}. Load it again.") from None
        if sha256(body).hexdigest() != document.sha256:
            raise ConsoleError(f"{document.name} was changed while it was loaded: load it again.")
        lake.put_raw(document.key, body, run_id=run_id)

    _side_by_side(put, documents, bar, "loaded")


def _side_by_side(
    work: Callable[[Document], ResultT], documents: Sequence[Document], bar: Progress, what: str
) -> list[ResultT]:
    task = bar.add_task(what, total=len(documents), note="")
    done: list[ResultT] = []
    with ThreadPoolExecutor(max_workers=CONNECTIONS) as pool:
        for each in pool.map(work, documents):
            done.append(each)
            bar.advance(task)
    return done


def _print(
    judged: Judgement,
    standing: Mapping[SnapshotKey, Standing],
    of_snapshots: Mapping[SnapshotKey, Mapping[str, Landed]],
    outcome_of: Mapping[SnapshotKey, str],
    *,
    every: bool,
) -> None:
    """Prints a row for each snapshot, or for those that lack something if they are many, and one line for all."""
    rows: list[tuple[object, ...]] = []
    outcomes = Counter(outcome_of.values())
    is_short = len(judged.documents) <= _MOST_SHOWN
    for document in sorted(judged.documents, key=lambda each: each.key.raw):
        outcome = outcome_of[document.key]
        if every or is_short or outcome != "ok":
            rows += _rows(document, outcome, standing[document.key], of_snapshots[document.key])
    if rows:
        title = "Loaded" if is_short or every else "Loaded, and not as a whole"
        names = ("snapshot", "outcome", "rows", "rejected", "refused", "skipped", "total", "file")
        shown = len(names) if out.width >= _ROOM_FOR_FILES else len(names) - 1
        out.print(grid(title, names[:shown], (row[:shown] for row in rows), numbers=range(2, 7)))
    out.print("; ".join(_summary(judged, standing, of_snapshots, outcomes)) + ".")
    if outcomes.keys() & {"partial", "refused values"}:
        err.print("[dim]Places and reasons: the tables rejected_rows and rejected_values.[/]")
    for line in _missing_ranks(of_snapshots):
        err.print(f"[dim]{line}[/]")
    for terms in sorted({document.terms for document in judged.documents if document.terms}):
        err.print(f"[dim]Terms: {escape(terms)}[/]")


def _missing_ranks(of_snapshots: Mapping[SnapshotKey, Mapping[str, Landed]]) -> Iterator[str]:
    """A line for each chart that lacks ranks, or for the first ones."""
    lacking = [(key, ranks) for key, tables in of_snapshots.items() for each in tables.values() if (ranks := each.gaps)]
    for key, ranks in sorted(lacking, key=lambda each: each[0].raw)[:_MOST_LACKING]:
        shown = ", ".join(map(str, ranks[:_MOST_LACKING]))
        more = f" and {len(ranks) - _MOST_LACKING:,} more" if len(ranks) > _MOST_LACKING else ""
        yield f"{key.snapshot_date} {key.list_id} has nothing at rank {shown}{more}."
    if len(lacking) > _MOST_LACKING:
        yield f"Ranks of {len(lacking) - _MOST_LACKING:,} more charts: the column gaps of the table receipts."


def _of_snapshots(
    documents: Sequence[Document], landed: Mapping[Place, Landed]
) -> Mapping[SnapshotKey, Mapping[str, Landed]]:
    of_snapshots: dict[SnapshotKey, dict[str, Landed]] = {document.key: {} for document in documents}
    for (table, key), found in landed.items():
        of_snapshots[key][table] = found
    return of_snapshots


def _outcomes(
    documents: Sequence[Document],
    of_snapshots: Mapping[SnapshotKey, Mapping[str, Landed]],
    incomplete: Collection[SnapshotKey],
) -> Mapping[SnapshotKey, str]:
    return {
        each.key: _outcome(each, of_snapshots[each.key], is_complete=each.key not in incomplete) for each in documents
    }


def _outcome(document: Document, of_tables: Mapping[str, Landed], *, is_complete: bool) -> str:
    if not is_complete:
        return "not complete"
    if not of_tables:
        return f"stored, {_GRAIN[document.key.kind.name]} is not deployed"
    if any(each.rejected for each in of_tables.values()):
        return "partial"
    if any(each.gaps for each in of_tables.values()):
        return _RANKS_MISSING
    if document.outcome == "ok" and any(each.refused_values for each in of_tables.values()):
        return "refused values"
    return document.outcome


def _rows(
    document: Document, outcome: str, standing: Standing, of_tables: Mapping[str, Landed]
) -> Iterator[tuple[object, ...]]:
    """A row in the grain of the list, and one for each other table that did not take everything."""
    key = document.key
    grain = _GRAIN[key.kind.name]
    whole = of_tables.get(grain)
    numbers = _numbers(whole) if whole else [None] * 5
    day = f"{key.snapshot_date}, replaced" if standing == "replaced" else f"{key.snapshot_date}"
    yield f"{day} {key.list_id}", outcome, *numbers, document.name
    for table, landed in sorted(of_tables.items()):
        if table != grain and (landed.rejected or landed.refused_values):
            yield f"  its {table}", "", *_numbers(landed), ""


def _numbers(landed: Landed) -> tuple[int, ...]:
    return landed.rows, landed.rejected, landed.refused_values, landed.skipped, landed.entries


def _summary(
    judged: Judgement,
    standing: Mapping[SnapshotKey, Standing],
    of_snapshots: Mapping[SnapshotKey, Mapping[str, Landed]],
    outcomes: Mapping[str, int],
) -> Iterator[str]:
    days = sorted(key.snapshot_date for key in standing)
    lists = {(key.kind.name, key.list_id) for key in standing}
    number = counted(len(standing), "snapshot")
    of = " and ".join(
        counted(number_of_kind, _NAMES[kind])
        for kind, number_of_kind in Counter(kind for kind, _ in sorted(lists, reverse=True)).items()
    )
    period = f"{days[0]} to {days[-1]}" if days[0] != days[-1] else f"{days[0]}"
    yield f"{number} of {of}, {period}" if len(standing) > 1 else f"{number}, {period}"
    yield _tallied(Counter(standing.values()))
    yield _tallied(outcomes)
    landed = [each for of_tables in of_snapshots.values() for each in of_tables.items()]
    whole = [found for table, found in landed if table in _GRAIN.values()]
    rows, rejected, _, skipped, entries = map(sum, zip(*map(_numbers, whole), strict=True)) if whole else [0] * 5
    refused = sum(found.refused_values for _, found in landed)
    yield (
        f"{counted(entries, 'entry')} = {counted(rows, 'row')} + {rejected:,} rejected + {skipped:,} skipped, "
        f"{counted(refused, 'refused value')}"
    )
    not_loaded = {what: len(notes) for what, notes in (("bad", judged.refused), ("left out", judged.spared)) if notes}
    if not_loaded:
        yield f"files not loaded: {_tallied(not_loaded)}"


def _tallied(numbers: Mapping[str, int]) -> str:
    return ", ".join(f"{number:,} {what}" for what, number in numbers.items())
