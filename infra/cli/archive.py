"""Documents from elsewhere: what each is, whose it is and of which day, before any of them is put into the lake."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import partial
from hashlib import sha256
from itertools import pairwise
from pathlib import PurePosixPath
from typing import Final, Literal, TypeAlias, TypeVar

from contracts.chart import write_raw_chart
from contracts.chart_files import chart_in
from contracts.chart_snapshot import read_chart
from contracts.days import FIRST_DAY, snapshot_day
from contracts.documents import decoded, identify, merged, read_document
from contracts.elements import UnreadableSnapshotError
from contracts.layouts.layout import ChartIdentity
from contracts.snapshot import Provenance, read_snapshot
from infra.cli.sources import Source, SourceError
from shared.errors import PermanentError
from shared.lake import CHARTS, SnapshotKey

_DAY: Final = re.compile(r"(?<!\d)\d{4}-\d{2}-\d{2}(?!\d)", re.ASCII)
_ID: Final = re.compile(r"(?<![0-9A-Za-z])(?=[0-9A-Za-z]*\d)(?=[0-9A-Za-z]*[A-Za-z])[0-9A-Za-z]{22}(?![0-9A-Za-z])")
"""An id of Spotify's, which is no word and no number."""

_NUMBER: Final = re.compile(r"\d{1,18}", re.ASCII)

SameDay: TypeAlias = Literal["refuse", "newest"]
NamedT = TypeVar("NamedT", str, date)


@dataclass(frozen=True, slots=True)
class Asked:
    """What the user says of all documents; None leaves it to each."""

    day: date | None = None
    playlist: str | None = None
    chart: ChartIdentity = field(default_factory=ChartIdentity)


@dataclass(frozen=True, slots=True)
class Document:
    """A document with the key that it belongs under.

    Attributes:
        name: What a person calls it.
        read: Reads what is put under the key; raises SourceError if it cannot be read any more.
        sha256: Of what it reads.
        content: SHA-256 of what equal documents have in common, whatever they are called.
        outcome: `ok`, or what it says of the entries that it lacks.
        extracted_at: When it was extracted, if it says so.
        terms: What its publisher's terms say of such a use, as far as that is known.
    """

    name: str
    key: SnapshotKey
    read: Callable[[], bytes]
    sha256: str
    content: str
    entries: int
    outcome: str
    extracted_at: datetime | None = None
    terms: str | None = None


Reader: TypeAlias = Callable[[Source, bytes, Asked], Document | None]
"""Says where a document of one kind belongs; None for one of another kind.

Raises UnreadableSnapshotError or SourceError for one of its kind that cannot be loaded.
"""


@dataclass(frozen=True, slots=True)
class Note:
    """A source that is not loaded, and why."""

    name: str
    why: str


@dataclass(frozen=True, slots=True)
class Judgement:
    """What is to become of sources.

    Attributes:
        documents: Those that can be loaded, each of another snapshot.
        refused: Those that cannot.
        spared: Those that need not be, as another document stands for them.
    """

    documents: Sequence[Document]
    refused: Sequence[Note]
    spared: Sequence[Note] = ()


def judge(
    sources: Iterable[Source], asked: Asked, *, same_day: SameDay = "refuse", tell: Callable[[], object] = lambda: None
) -> Judgement:
    """Reads each source, one at a time, and finds out where it belongs or why it cannot be loaded.

    Args:
        sources: One document each.
        asked: What the user says of all of them.
        same_day: What becomes of different documents of one playlist and day: they are refused, or the newest is
            taken, which is the one that was extracted last, or the last that was named where none says when.
        tell: Is called after each.
    """
    documents: list[Document] = []
    refused: list[Note] = []
    for source in sources:
        try:
            documents.append(_read(source, asked))
        except SourceError as fault:
            refused.append(Note(str(source), str(fault)))
        except UnreadableSnapshotError as fault:
            where = "" if fault.location == "$" else f" (at {fault.location})"
            refused.append(Note(str(source), f"{fault.problem}{where}"))
        tell()
    return _one_a_snapshot(documents, refused, same_day)


def pages_of_one(sources: Sequence[Source]) -> Source:
    """One source of the pages of one playlist, which are merged in the order of their offsets.

    Raises:
        SourceError: One of them is not a page, they do not follow each other, or they do not say where they stand and
            the numbers in their names say another order.
    """
    bodies = []
    beginning_at: dict[int, Source] = {}
    at_the_top: list[Source] = []
    for source in sources:
        try:
            bodies.append(source.read())
            offset = identify(bodies[-1]).offset
        except UnreadableSnapshotError as fault:
            raise SourceError(f"{source}: {fault.problem}") from None
        except SourceError as fault:
            raise SourceError(f"{source}: {fault}") from None
        beginning_at[offset] = source
        at_the_top += [source] * (offset == 0)
    # Only one page is the first: several at the top are such as do not say where they stand.
    for one, next_ in pairwise(at_the_top):
        if _is_numbered_after(one.path.name, next_.path.name):
            raise SourceError(
                f"the pages do not say where they stand, and {one} is named before {next_}; name them one by one, in "
                "the order of the playlist"
            )
    try:
        whole = merged(bodies)
        pages = read_document(whole).pages
    except UnreadableSnapshotError as fault:
        raise SourceError(f"the pages cannot be merged: {fault.problem} (at {fault.location})") from None
    before = 0
    for page in pages:
        if page.offset != before:
            raise SourceError(
                f"the pages do not follow each other: {beginning_at.get(page.offset, 'one')} begins at entry "
                f"{page.offset}, where {before} entries came before it; name every page, each once"
            )
        before = page.end
    return Source(sources[0].path, lambda: whole)


def _is_numbered_after(one: str, other: str) -> bool:
    """Whether names are equal but for greater numbers in the first: as text, 10 comes before 2."""
    if _NUMBER.sub("#", one) != _NUMBER.sub("#", other):
        return False
    return list(map(int, _NUMBER.findall(one))) > list(map(int, _NUMBER.findall(other)))


def _read(source: Source, asked: Asked) -> Document:
    body = source.read()
    return next(document for reader in _READERS if (document := reader(source, body, asked)))


def _read_playlist(source: Source, body: bytes, asked: Asked) -> Document:
    try:
        decoded(body).decode()
    except UnicodeDecodeError:
        raise SourceError(
            "neither UTF-8 nor UTF-16, nor either of them packed by gzip; save it as one of these"
        ) from None
    identity = identify(body)
    # Judged as a worker would judge it, and before anybody is asked for what it does not say.
    snapshot = read_snapshot(body, Provenance(identity.playlist_id or "unknown", identity.day or FIRST_DAY))
    for _ in snapshot.entries:
        pass
    day = _agreed(
        "day",
        {"the document": identity.day, "its name": _only(map(_day, _DAY.findall(source.path.name)))},
        folder=_nearest(source.path, lambda name: _day(name) if _DAY.fullmatch(name) else None),
        option=("--date", asked.day),
        advice="give it with --date YYYY-MM-DD, or put it into the name",
    )
    playlist = _agreed(
        "playlist's id",
        {"the document": identity.playlist_id, "its name": _only(_ID.findall(source.path.name))},
        folder=_in_lake(source.path, day) or _nearest(source.path, lambda name: name if _ID.fullmatch(name) else None),
        option=("--playlist", asked.playlist),
        advice="give it with --playlist",
    )
    try:
        key = SnapshotKey.from_raw(SnapshotKey(snapshot_day(day), playlist).raw)
    except ValueError as fault:
        raise SourceError(f"its day cannot be loaded: {fault}") from None
    except PermanentError:
        raise SourceError(
            f"its playlist cannot be called {playlist!r}: an id has 1 to 128 letters, digits, hyphens and underscores; "
            "give another with --playlist"
        ) from None
    digest = sha256(body).hexdigest()
    return Document(
        name=str(source),
        key=key,
        read=source.read,
        sha256=digest,
        content=digest,
        entries=identity.entries,
        outcome=snapshot.outcome,
        extracted_at=snapshot.origin["extracted_at"],
    )


def _read_chart(source: Source, body: bytes, asked: Asked) -> Document | None:
    raw = chart_in(source.path.name, body, asked.chart)
    if raw is None:
        return None
    envelope, loaded = raw.envelope, write_raw_chart(raw)
    if asked.playlist is not None:
        raise SourceError("it is a chart, and --playlist is for playlists; leave the option out, or the file")
    if asked.day not in {None, envelope.period_end}:
        raise SourceError(
            f"a chart's day is its last one, {envelope.period_end}, and --date says {asked.day}; leave the option out"
        )
    chart = read_chart(loaded, Provenance(envelope.list_id, envelope.period_end))
    if not len(chart.entries):
        raise SourceError("a header without a chart below it; download it again")
    try:
        snapshot_day(envelope.period_end)
    except ValueError as fault:
        raise SourceError(f"its last day cannot be loaded: {fault}") from None
    return Document(
        name=str(source),
        key=SnapshotKey(envelope.period_end, envelope.list_id, CHARTS),
        read=partial(_chart_anew, source, asked.chart),
        sha256=sha256(loaded).hexdigest(),
        content=sha256(raw.document).hexdigest(),
        entries=len(chart.entries),
        outcome="ok",
        extracted_at=chart.origin["extracted_at"],
        terms=chart.layout.terms,
    )


def _chart_anew(source: Source, given: ChartIdentity) -> bytes:
    """A chart as it is put into the lake, made of its file again: thousands of them need not be kept."""
    try:
        raw = chart_in(source.path.name, source.read(), given)
    except UnreadableSnapshotError as fault:
        raise SourceError(fault.problem) from None
    if raw is None:
        raise SourceError("it is not a chart any more")
    return write_raw_chart(raw)


_READERS: Final[Sequence[Reader]] = (_read_chart, _read_playlist)
"""In the order in which they are asked; the last one knows why a document is of no kind at all."""


def _agreed(
    what: str,
    told: Mapping[str, NamedT | None],
    *,
    folder: NamedT | None,
    option: tuple[str, NamedT | None],
    advice: str,
) -> NamedT:
    """The day or the playlist of a document, as all say who know it; a folder is asked where the document is silent.

    Raises:
        SourceError: They contradict each other, or nobody knows it.
    """
    silent = all(value is None for value in told.values())
    told = {**told, **({"its folder": folder} if silent else {}), option[0]: option[1]}
    known = {who: value for who, value in told.items() if value is not None}
    if not known:
        raise SourceError(f"it does not tell its {what}; {advice}")
    (who, value), *others = known.items()
    for other, contrary in others:
        if contrary != value:
            raise SourceError(
                f"{who} says that its {what} is {value}, and {other} says {contrary}; mend the one that is wrong"
            )
    return value


def _only(found: Iterable[NamedT | None]) -> NamedT | None:
    """What is found there, if it is one thing and no other."""
    distinct = set(found) - {None}
    return distinct.pop() if len(distinct) == 1 else None


def _nearest(path: PurePosixPath, read: Callable[[str], NamedT | None]) -> NamedT | None:
    """What the nearest folder says that says it as a whole."""
    return next((found for folder in path.parents if (found := read(folder.name)) is not None), None)


def _in_lake(path: PurePosixPath, day: date) -> str | None:
    """The playlist's id in a file that lies as in the lake."""
    if len(path.parts) < len(PurePosixPath(SnapshotKey(day, "any").raw).parts) - 1:
        return None
    key = SnapshotKey(day, path.parts[-2])
    return key.list_id if str(path).endswith(f"{day}/{key.list_id}/{PurePosixPath(key.raw).name}") else None


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _one_a_snapshot(documents: Sequence[Document], refused: list[Note], same_day: SameDay) -> Judgement:
    """Keeps one document of each snapshot."""
    snapshots: dict[SnapshotKey, list[Document]] = {}
    for document in documents:
        snapshots.setdefault(document.key, []).append(document)
    kept: list[Document] = []
    spared: list[Note] = []
    for key, found in snapshots.items():
        distinct: dict[str, Document] = {}
        spared += (
            Note(document.name, f"the same as {equal.name}")
            for document in found
            if (equal := distinct.setdefault(document.content, document)) is not document
        )
        # The last of equals counts: what was named later is meant to take the place of what was named before.
        newest = max(reversed(distinct.values()), key=lambda each: each.extracted_at or datetime.min)  # noqa: DTZ901 - as naive as they are
        others = [document for document in distinct.values() if document is not newest]
        if others and same_day == "refuse":
            named = f"another document of {key.list_id} on {key.snapshot_date} than"
            refused += (
                Note(each.name, f"{named} {(newest if each is not newest else others[0]).name}; {_SAME_DAY}")
                for each in distinct.values()
            )
            continue
        spared += (Note(each.name, f"not the newest of its list and day, which is {newest.name}") for each in others)
        kept.append(newest)
    return Judgement(kept, refused, spared)


_SAME_DAY: Final = (
    "take the newest with --same-day newest, merge pages of one list with --pages, or name one of them alone"
)
