"""The watch list: the artists, labels and recordings whose events come first on the page of a week and in its alert.

It is one CSV file that people and Athena read, so a value holds nothing that the two read differently: no line ends and
no backslashes. What people paste is normalised: links, URIs and ISRCs with hyphens become ids.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from io import StringIO
from typing import Annotated, Final, Literal, TypeAlias, get_args
from unicodedata import category, name, normalize

from pydantic import Field, TypeAdapter, ValidationError

from contracts.documents import decoded
from contracts.elements import UnreadableSnapshotError
from contracts.fields import Text
from contracts.ids import MBID, SPOTIFY_ID
from contracts.spotify import normalised_isrc
from contracts.tables.table import AnyRow

EntryType: TypeAlias = Literal["artist", "label", "isrc", "track"]
ENTRY_TYPES: Final[tuple[EntryType, ...]] = get_args(EntryType)
LONGEST_VALUE: Final = 300
_SCRIPTS_WITH_ACCENTS: Final = ("LATIN ", "GREEK ", "CYRILLIC ", "ARABIC ", "HEBREW ")
"""How Unicode's names of their letters begin."""

_Value = Annotated[Text, Field(min_length=1, max_length=LONGEST_VALUE)]


class WatchEntry(AnyRow):
    """An entry of the watch list."""

    type: Annotated[Text, Field(description="artist, label, isrc or track", pattern=f"^({'|'.join(ENTRY_TYPES)})$")]
    value: Annotated[_Value, Field(description="Name or Spotify id of an artist, name of a label, ISRC, id of a track")]
    note: Annotated[Text, Field(max_length=LONGEST_VALUE, description="Why it is watched, or whom an id stands for")]


class WatchListError(ValueError):
    """A watch list, or a value for it, is not valid; the text says where, what, and what to do."""


class _CellError(Exception):
    """What is wrong with a column."""

    def __init__(self, column: str, sentence: str) -> None:
        super().__init__(column, sentence)
        self.column = column
        self.sentence = sentence


@dataclass(frozen=True, slots=True)
class WatchListFile:
    """What a file holds.

    Attributes:
        entries: The valid entries in order, each once.
        repeated: How many further entries are equal to one of them.
        faults: A sentence for each line that is not valid.
    """

    entries: Sequence[WatchEntry]
    repeated: int = 0
    faults: Sequence[str] = ()


_COLUMNS: Final = ("type", "value", "note")
_ADAPTER: Final = TypeAdapter(WatchEntry)
_RECORDING: Final = re.compile(rf"(?:(?:https?://)?musicbrainz\.org/recording/)?({MBID.pattern})")
_REFERENCE: Final = re.compile(
    r"(?:(?:https?://)?open\.spotify\.com/(?:intl-[a-z-]+/)?(?:embed/)?|spotify:)"
    rf"(?P<what>[a-z]+)[/:](?P<id>{SPOTIFY_ID.pattern})/?(?:[?#].*)?"
)
_ADDRESS: Final = re.compile(r"(?:\w+://|spotify:|open\.spotify\.com|spotify\.link)", re.IGNORECASE)
_INVISIBLE: Final = re.compile("[\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]")
"""What pasting leaves at names: blanks without width and controls of direction. Joiners stay, which emoji need."""
_SEPARATORS: Final = ",;\t"
_EXPECTED: Final = "expected is a header `type,value` or `type,value,note`, and then lines such as `artist,Rosalía`"


def watch_entry(type_: str, value: str, note: str = "") -> WatchEntry:
    """Returns an entry, its value as the tables spell it.

    Raises:
        WatchListError: It is not valid; names the column.
    """
    try:
        return _entry(type_, value, note)
    except _CellError as fault:
        raise WatchListError(f"{fault.column}: {fault.sentence}") from None


def identity(entry: WatchEntry) -> tuple[str, str]:
    """Returns what is equal for entries that watch the same: names in another case or with other accents are equal."""
    value = entry["value"]
    return entry["type"], value if SPOTIFY_ID.fullmatch(value) else _without_accents(value).casefold()


def _without_accents(text: str) -> str:
    """Leaves marks of other scripts, which are vowels or make another consonant, as the views do."""
    kept, has_accents = [], False
    for each in normalize("NFKD", text):
        if category(each) != "Mn":
            has_accents = name(each, "").startswith(_SCRIPTS_WITH_ACCENTS)
        elif has_accents:
            continue
        kept.append(each)
    return "".join(kept)


def read_watch_list(body: bytes) -> WatchListFile:
    """Reads a watch list, also one that a spreadsheet saved: with a byte order mark, semicolons, tabs or UTF-16.

    Raises:
        WatchListError: It is not text, or has no header.
    """
    try:
        text = decoded(body).decode()
    except (UnicodeDecodeError, UnreadableSnapshotError):
        raise WatchListError(
            "it is neither UTF-8 nor UTF-16: save it anew, in Excel as `CSV UTF-8 (Comma delimited)`"
        ) from None
    entries: dict[tuple[str, str], WatchEntry] = {}
    repeated, faults = 0, []
    for line, found in _lines(text):
        if isinstance(found, _CellError):
            faults.append(f"line {line}, {found.column}: {found.sentence}")
        elif identity(found) in entries:
            repeated += 1
        else:
            entries[identity(found)] = found
    return WatchListFile(tuple(entries.values()), repeated, faults)


def write_watch_list(entries: Iterable[WatchEntry]) -> bytes:
    """Returns the file of some entries, as Athena's OpenCSVSerDe reads it."""
    text = StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_COLUMNS)
    writer.writerows([entry["type"], entry["value"], entry["note"]] for entry in entries)
    return text.getvalue().encode()


def _lines(text: str) -> Iterator[tuple[int, WatchEntry | _CellError]]:
    """Yields what each line holds, but for the header and blank ones."""
    text = re.sub(r"\Asep=.(?=\r?\n)", "", text)  # what Excel writes first, for itself
    first = next((line for line in text.splitlines() if line.strip()), "")
    separator = max(_SEPARATORS, key=first.count)
    reader = csv.reader(StringIO(text, newline=""), delimiter=separator, strict=True)
    header: list[str] | None = None
    while True:
        try:
            cells = [cell.strip() for cell in next(reader)]
        except StopIteration:
            break
        except csv.Error as fault:
            yield (
                reader.line_num,
                _CellError("whole line", f"not CSV: {fault}; close quotes, and double those in a name"),
            )
            continue
        if not any(cells):
            continue
        if header is None:
            header = _header(cells)
        else:
            yield reader.line_num, _read(header, cells, separator)
    if header is None:
        raise WatchListError(f"it is empty: {_EXPECTED}")


def _header(cells: Sequence[str]) -> list[str]:
    header = [cell.lower() for cell in cells]
    while header and not header[-1]:
        header.pop()
    unknown = [cell for cell in header if cell not in _COLUMNS]
    if unknown or len(set(header)) < len(header) or not {"type", "value"} <= set(header):
        raise WatchListError(f"its first line is {','.join(cells)[:100]!r}: {_EXPECTED}")
    return header


def _read(header: Sequence[str], cells: Sequence[str], separator: str) -> WatchEntry | _CellError:
    if any(cells[len(header) :]):
        return _CellError(
            f"column {len(header) + 1}",
            f"{cells[len(header)][:100]!r} has no header; put a value with {separator!r} in it into double quotes",
        )
    values = dict(zip(header, cells, strict=False))
    try:
        return _entry(values.get("type", ""), values.get("value", ""), values.get("note", ""))
    except _CellError as fault:
        return fault


def _entry(type_: str, value: str, note: str) -> WatchEntry:
    type_ = type_.strip().lower()
    if type_ not in ENTRY_TYPES:
        raise _CellError("type", f"{type_[:100]!r} is not a type; the types are {', '.join(ENTRY_TYPES)}")
    readers = {"artist": _artist, "label": _label, "isrc": _isrc, "track": _track}
    entry = {"type": type_, "value": readers[type_](_text("value", value)), "note": _text("note", note)}
    try:
        return _ADAPTER.validate_python(entry)
    except ValidationError as fault:
        column = str(fault.errors()[0]["loc"][0])
        length = len(entry[column])
        raise _CellError(
            column,
            f"it has {length} characters; the most are {LONGEST_VALUE}"
            if length
            else "it is empty; give one, or leave the line out",
        ) from None


def _text(column: str, text: str) -> str:
    text = " ".join(_INVISIBLE.sub("", normalize("NFC", text)).split())
    if "\\" in text:
        raise _CellError(
            column, f"{text[:100]!r} has a backslash, which Athena reads as an escape; watch it by an id instead"
        )
    if wrong := next((character for character in text if category(character) in {"Cc", "Cs"}), None):
        raise _CellError(column, f"{text[:100]!r} has the character U+{ord(wrong):04X}, a control; remove it")
    return text


def _artist(text: str) -> str:
    return _id_of("artist", text) or text


def _label(text: str) -> str:
    _refuse_address("label", text)
    return text


def _isrc(text: str) -> str:
    code = normalised_isrc(text)
    if text and code is None:
        raise _CellError(
            "value",
            f"{text[:100]!r} is not an ISRC: two letters, three letters or digits, seven digits, as USRC17607839",
        )
    return code or ""


def _track(text: str) -> str:
    mbid = _RECORDING.fullmatch(text.lower())
    found = mbid[1] if mbid else _id_of("track", text)
    if text and found is None:
        raise _CellError(
            "value",
            f"{text[:100]!r} is not a track; give its link, its URI spotify:track:<id>, its id of 22 letters and "
            "digits, or the MBID of a recording",
        )
    return found or ""


def _id_of(type_: EntryType, text: str) -> str | None:
    """Returns the id that a text is or refers to; None if it is a name."""
    if SPOTIFY_ID.fullmatch(text):
        return text
    found = _REFERENCE.fullmatch(text)
    if found and found["what"] == type_:
        return found["id"]
    _refuse_address(type_, text)
    return None


def _refuse_address(type_: EntryType, text: str) -> None:
    found = _REFERENCE.fullmatch(text)
    if found and found["what"] in ENTRY_TYPES:
        raise _CellError("value", f"{text[:100]!r} is of type {found['what']}, not {type_}; give it as that")
    if found or _ADDRESS.match(text):
        raise _CellError(
            "value",
            f"{text[:100]!r} is not the address of an artist or a track; give https://open.spotify.com/artist/<id> or "
            "https://open.spotify.com/track/<id>, or a name",
        )
