r"""Prints the console's output.

Names, documents, log lines and faults are untrusted text: the name of a playlist could move the cursor of an operator's
terminal, retitle its window, or reorder the text on it. So everything that is printed passes `printable`.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.rule import Rule
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

_SEQUENCES: Final = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"  # CSI: colours, the cursor, erasure
    r"|(?:\x1b[]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)"  # OSC and the like: titles, links
    r"|\x1b[ -/]*[0-~]"  # resets and character sets
)
"""Source: https://ecma-international.org/publications-and-standards/standards/ecma-48/"""
_CONTROLS: Final = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""C0 except line ends, DEL, C1, controls of text direction, and lone surrogates.

Source: https://www.unicode.org/reports/tr9/
"""
_SPACES: Final = re.compile("[\t\n\v\f\r\x85\u2028\u2029]+")
_READABLE: Final = 12
"""The width in columns below which text is unreadable."""
_GAP: Final = 2


def printable(text: str) -> str:
    """Drop escape sequences and control characters, but keep line ends."""
    return _CONTROLS.sub("", _SEQUENCES.sub("", text))


def in_one_line(text: str) -> str:
    """Make text printable, with a space for each line end."""
    return printable(_SPACES.sub(" ", text))


class _PrintableConsole(Console):
    """A console that prints no control characters but those of its own styles and progress bars."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Render an object, with every text in it made printable."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(printable(segment.text), segment.style)


out: Console = _PrintableConsole(highlight=False)
"""Results, on standard output."""
err: Console = _PrintableConsole(stderr=True, highlight=False)
"""Progress and faults, on standard error."""


class ConsoleError(Exception):
    """A command cannot be carried out; the text says why, where and what to do."""

    exit_code = 1


class StoppedError(ConsoleError):
    """The user pressed Ctrl-C; the text says how far the command came."""

    exit_code = 130


class UsageError(ConsoleError):
    """A command was given invalid arguments."""

    exit_code = 2


def complain(text: str) -> None:
    """Print a fault."""
    err.print(f"[red]earworm:[/] {escape(printable(text))}", soft_wrap=True)


def progress() -> Progress:
    """Returns a progress bar for work that takes over a second."""
    return Progress(
        SpinnerColumn(finished_text="[green]✓[/]"),
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("[dim]{task.fields[note]}[/]"),
        console=err,
    )


@dataclass(frozen=True, slots=True)
class Grid:
    """A table, or row by row if the terminal is too narrow for all columns."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Text]]
    numbers: frozenset[int]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw it in the available width."""
        widths = self._widths(options.max_width)
        if widths:
            yield self._table(widths)
        else:
            yield from self._row_by_row()

    def _widths(self, available: int) -> list[int] | None:
        """Returns the width of each column, its text's or less while readable; None if they do not fit.

        Words, such as a name that somebody copies, are broken only where there is no room for whole ones.
        """
        columns = [(name, *(row[place].plain for row in self.rows)) for place, name in enumerate(self.columns)]
        wanted = [max(map(cell_len, column)) for column in columns]
        readable = [max(cell_len(name), _READABLE) for name in self.columns]
        words = [max(map(cell_len, " ".join(column).split()), default=0) for column in columns]
        for least in (map(max, readable, words), readable):
            widths = [
                width if place in self.numbers else min(width, narrowest)
                for place, (width, narrowest) in enumerate(zip(wanted, least, strict=True))
            ]
            left = available - sum(widths) - _GAP * (len(widths) - 1)
            if left >= 0:
                break
        else:
            return None
        narrowed = sorted(range(len(widths)), key=lambda place: wanted[place] - widths[place])
        for number, place in enumerate(narrowed):
            more = min(wanted[place] - widths[place], left // (len(narrowed) - number))
            widths[place] += more
            left -= more
        return widths

    def _table(self, widths: Sequence[int]) -> Table:
        table = Table(
            title=Text(self.title, "bold") if self.title else None,
            title_justify="left",
            header_style="bold cyan",
            box=SIMPLE_HEAD,
            show_edge=False,
            pad_edge=False,
            padding=(0, 1, 0, 0),
        )
        for place, (name, width) in enumerate(zip(self.columns, widths, strict=True)):
            is_number = place in self.numbers
            table.add_column(Text(name), justify="right" if is_number else "left", overflow="fold", width=width)
        for row in self.rows:
            table.add_row(*row)
        return table

    def _row_by_row(self) -> Iterator[RenderableType]:
        if self.title:
            yield Text(self.title, "bold")
        if not self.rows:
            yield Text(f"No rows of {', '.join(self.columns)}.")
        for number, row in enumerate(self.rows, start=1):
            yield Rule(f"row {number:,}", align="left", style="dim")
            record = Table.grid(padding=(0, 1, 0, 0))
            record.add_column(style="cyan", overflow="fold", max_width=3 * _READABLE)
            record.add_column(overflow="fold")
            for name, value in zip(self.columns, row, strict=True):
                record.add_row(Text(name), value)
            yield record


def grid(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]], *, numbers: Iterable[int] = ()) -> Grid:
    """Returns a table whose columns at the indexes in `numbers` are right-aligned; None prints as a dim dash."""
    return Grid(
        in_one_line(title),
        [in_one_line(name) for name in columns],
        [[Text("-", "dim") if value is None else Text(_printed(value)) for value in row] for row in rows],
        frozenset(numbers),
    )


def _printed(value: object) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case int():
            return f"{value:,}"
        case float():
            return f"{value:.1f}"
        case _:
            return in_one_line(str(value))
