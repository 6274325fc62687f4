"""What a layout is: the port through which charts of any source come in.

A layout recognises a document by its header or shape, never by the name of its file, and reads its entries. It is pure,
and knows nothing of tables, keys or services.
"""

import csv
import re
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import date
from io import StringIO
from itertools import islice
from typing import Final, TypeAlias

from msgspec import Struct

from contracts.broken import Broken
from contracts.candidates import Reject
from contracts.chart import Frequency, Lookup
from contracts.fields import Unverified
from contracts.ids import SPOTIFY_ID

SIMULATED: Final = "simulated"
"""By which a document says that a simulator made it up: a file in the first word of a line before its header."""

DOCUMENT: Final = "$.document"
"""JSON path of the document in the raw object."""


class ChartEntry(Struct, frozen=True, gc=False):
    """A place of a chart.

    Values are as the source means them: numbers are numbers, what it does not say is None, and what is not what it is
    called is `Broken`. A table's contract judges them.

    Attributes:
        location: Where it stands in the raw object.
        previous_position: As the source says; None for a new entry and for a re-entry.
        metric_value: What the source ranks by: streams, listens.
        artist_credit: All artists in one text, which nothing can take apart: names have commas.
        isrcs: Every ISRC that is known of the recording.
    """

    location: str
    position: Unverified = None
    previous_position: Unverified = None
    peak_position: Unverified = None
    weeks_on_chart: Unverified = None
    days_on_chart: Unverified = None
    metric_value: Unverified = None
    title: Unverified = None
    artist_credit: Unverified = None
    label: Unverified = None
    spotify_track_id: Unverified = None
    isrcs: Unverified = None
    recording_mbid: Unverified = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChartIdentity:
    """Which chart something is, as far as it says so.

    Attributes:
        ranking: What it ranks by, first part of a chart's id: `regional`, `viral`, `recordings`.
        region: `global` or a country, ISO 3166-1 alpha-2 in capitals.
        period_start: First day that it counts.
        period_end: Last day that it counts, inclusive.
    """

    ranking: str | None = None
    region: str | None = None
    frequency: Frequency | None = None
    period_start: date | None = None
    period_end: date | None = None

    def contradiction(self, other: "ChartIdentity") -> str | None:
        """The name of what two say differently; None if they agree as far as both say anything."""
        for name in (each.name for each in fields(self)):
            mine, others = getattr(self, name), getattr(other, name)
            if mine is not None and others is not None and mine != others:
                return name
        return None

    def with_defaults(self, other: "ChartIdentity") -> "ChartIdentity":
        """What either says; this one where both do."""
        return ChartIdentity(
            **{
                each.name: mine if (mine := getattr(self, each.name)) is not None else getattr(other, each.name)
                for each in fields(self)
            }
        )


class ChartIdentityError(ValueError):
    """A file's name contradicts itself, or says what cannot be."""


NameReader: TypeAlias = Callable[[str], ChartIdentity]
"""Reads the name of a file, without its folders: raises ChartIdentityError if it says what cannot be."""


def no_name(_: str) -> ChartIdentity:
    """Reads nothing from a name."""
    return ChartIdentity()


class Layout(ABC):
    """One way in which one source lays out its charts.

    Attributes:
        name: What people call it.
        source: Who publishes it, as the envelope names it.
        metric: What it counts by; None if it tells no numbers.
        signature: What it is recognised by, for people.
        weeks_end_on: The weekday, 0 is Monday, that its weekly charts end on; None if on any.
        terms: What its publisher's terms say of such a use, for whoever loads it.
    """

    name: str
    source: str
    metric: str | None
    signature: str
    weeks_end_on: int | None
    terms: str

    @abstractmethod
    def recognises(self, text: str) -> bool:
        """Whether a document has this layout."""

    @abstractmethod
    def says(self, text: str) -> ChartIdentity:
        """What a document of this layout says of itself."""

    @abstractmethod
    def name_says(self, name: str) -> ChartIdentity:
        """What the name of a file of this layout says.

        Raises:
            ChartIdentityError: It contradicts itself, or says what cannot be.
        """

    @abstractmethod
    def is_simulated(self, text: str) -> bool:
        """Whether a document of this layout says that a simulator made it up."""

    @abstractmethod
    def length(self, text: str) -> int | None:
        """How many ranks a document says that its chart has; None if it does not say."""

    @abstractmethod
    def entries(self, text: str, lookups: Sequence[Lookup]) -> Iterator[ChartEntry | Reject]:
        """The entries of a document of this layout, in its order."""


Cell: TypeAlias = Callable[[str], Unverified]
"""Reads a field of a CSV file."""


@dataclass(frozen=True)
class CsvLayout(Layout):
    """A layout of CSV files.

    Attributes:
        columns: For each field of the header, in its order, the attribute of an entry that it is, and how it is read.
        said: What the header alone says.
        name_reader: Reads the names of its files.
    """

    name: str
    source: str
    metric: str | None
    columns: Mapping[str, tuple[str, Cell]]
    terms: str
    weeks_end_on: int | None = None
    said: ChartIdentity = field(default_factory=ChartIdentity)
    name_reader: NameReader = no_name

    @property
    def signature(self) -> str:  # type: ignore[override]  # it follows from the columns
        """The header."""
        return ",".join(self.columns)

    def recognises(self, text: str) -> bool:
        """Whether the header is this one: on the first line, or after a preface."""
        return self._header(text) is not None

    def says(self, text: str) -> ChartIdentity:  # noqa: ARG002 - other layouts look into it
        """What the header says."""
        return self.said

    def name_says(self, name: str) -> ChartIdentity:
        """What the name of a file says."""
        return self.name_reader(name)

    def is_simulated(self, text: str) -> bool:
        """Whether a line of preface begins with `simulated`."""
        preface = islice(_records(text), self._header(text) or 0)
        return any(record.values[0].lower().startswith(SIMULATED) for record in preface)

    def length(self, text: str) -> int | None:  # noqa: ARG002 - no file says
        """Unknown."""
        return None

    def entries(self, text: str, lookups: Sequence[Lookup]) -> Iterator[ChartEntry | Reject]:  # noqa: ARG002 - a file has none
        """Each record below the header; blank lines are none."""
        header = self._header(text) or 0
        for record in islice(_records(text), header + 1, None):
            if isinstance(record.values, str):
                yield Reject(record.location, record.values, record.text)
            elif len(record.values) != len(self.columns):
                reason = f"{len(self.columns)} fields expected, {len(record.values)} found"
                yield Reject(record.location, reason, record.text)
            else:
                cells = zip(self.columns.values(), record.values, strict=True)
                yield ChartEntry(record.location, **{attribute: read(value) for (attribute, read), value in cells})

    def _header(self, text: str) -> int | None:
        """Before how many records the header comes; None if it does not."""
        if text.startswith(_JSON):  # of one line, perhaps, and that of megabytes
            return None
        wanted = [*self.columns]
        return next(
            (index for index, record in enumerate(islice(_records(text), _HEADER_WITHIN)) if record.values == wanted),
            None,
        )


_HEADER_WITHIN: Final = 3
"""Records among which a header is looked for: files of 2017 to 2021 may have a line of preface."""
_LONGEST_RECORD_QUOTED: Final = 10_000
_JSON: Final = ("{", "[")


@dataclass(frozen=True, slots=True)
class _Record:
    """A record of a CSV file.

    Attributes:
        line: The line that it begins on, from 1.
        values: Its fields; what is wrong with it, if it cannot be read.
        text: What stands there.
    """

    line: int
    values: list[str] | str
    text: str

    @property
    def location(self) -> str:
        return f"{DOCUMENT} line {self.line}"


def _records(text: str) -> Iterator[_Record]:
    """The records of a CSV text but for blank lines. One that cannot be read costs its first line alone.

    A quote that nothing closes would otherwise cost all lines up to the next quote, or to the end.
    """
    source = StringIO(text, newline="")
    again: deque[str] = deque()
    number = 1
    while first := again.popleft() if again else source.readline():
        lines = [first]
        values = _fields(lines, iter(lambda: again.popleft() if again else source.readline(), ""))
        if isinstance(values, str):
            again.extendleft(reversed(lines[1:]))
            del lines[1:]
        record = "".join(lines)
        if record.strip():
            yield _Record(number, values, record.rstrip("\r\n")[:_LONGEST_RECORD_QUOTED])
        number += len(lines)


def _fields(lines: list[str], more: Iterator[str]) -> list[str] | str:
    """The fields of the record that a line begins, or what is wrong with it; lines that it goes on in are added."""

    def read() -> Iterator[str]:
        yield lines[0]
        for line in more:
            lines.append(line)
            yield line

    try:
        # `strict` refuses what would otherwise be read as something else: text after a quote, a quote left open.
        fields = next(csv.reader(read(), strict=True))
    except csv.Error as fault:
        return f"not CSV: {fault}"
    if any(line.count(",") + 1 >= len(fields) > 1 for line in lines[1:]):
        return "not CSV: a quote is left open, and another record begins within it"
    return fields


def first_line(text: str) -> str:
    """What an unknown document begins with, for an error message."""
    return text.lstrip("\ufeff\r\n ").split("\n", 1)[0].rstrip("\r")[:200]


def words(text: str) -> Unverified:
    """A text as it came; None for an empty one."""
    return text or None


_WHOLE_NUMBER = re.compile(r"\s*([+-]?[0-9]{1,4000})\s*")
"""Python converts no more digits."""


def whole_number(text: str) -> Unverified:
    """A whole number; None for an empty field."""
    if found := _WHOLE_NUMBER.fullmatch(text):
        return int(found[1])
    return Broken(text, "not a whole number") if text.strip() else None


_NO_PREVIOUS_RANK: Final = -1


def previous_rank(text: str) -> Unverified:
    """A rank; None for the -1 of an entry that is new or has come back."""
    rank = whole_number(text)
    return None if rank == _NO_PREVIOUS_RANK else rank


_TRACK = re.compile(rf"(?:spotify:track:|https?://open\.spotify\.com/track/)({SPOTIFY_ID.pattern})(?:[?#].*)?")


def spotify_track_id(text: str) -> Unverified:
    """The id of a track by its URI or link; None for an empty field."""
    if not text:
        return None
    found = _TRACK.fullmatch(text)
    return found[1] if found else Broken(text, "neither spotify:track:<id> nor https://open.spotify.com/track/<id>")
