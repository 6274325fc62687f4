"""How values look on the screen, and what foreign text cannot do to it."""

import re
import unicodedata
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console, RenderableType
from rich.text import Text

from infra.cli import screen
from infra.cli.screen import grid, in_one_line, out, printable

DIRECTIONS = {"LRE", "RLE", "PDF", "LRO", "RLO", "LRI", "RLI", "FSI", "PDI"}
PIECES = st.sampled_from(
    [
        "\x1b",
        "[",
        "]",
        "31m",
        "0;title",
        "\x07",
        "\x1b\\",
        "\x9b",
        "\x9d",
        "\x9c",
        "8;;http://x",
        "a",
        "\n",
        "\u202e",
        ";",
    ]
)
HOSTILE = st.lists(PIECES | st.text(max_size=3), max_size=12).map("".join)


def drawn(what: RenderableType, width: int = 80) -> list[str]:
    console = type(out)(file=StringIO(), width=width, force_terminal=False)
    with console.capture() as printed:
        console.print(what)
    return [line.rstrip() for line in printed.get().splitlines()]


def controls_in(text: str) -> set[str]:
    return {
        character
        for character in text.replace("\n", "")
        if unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"}
        or unicodedata.bidirectional(character) in DIRECTIONS
    }


def test_values_are_printed_for_a_person_and_outside_text_is_no_markup() -> None:
    with out.capture() as printed:
        out.print(grid("", ("a", "b", "c", "d", "e"), [(1234567, 90.00598, True, None, r"\[red]x[/]")]))

    assert printed.get().split()[-5:] == ["1,234,567", "90.0", "yes", "-", r"\[red]x[/]"]


@given(text=HOSTILE)
def test_no_control_character_survives_and_nothing_is_left_to_be_cleaned(text: str) -> None:
    cleaned = printable(text)

    assert not controls_in(cleaned)
    assert printable(cleaned) == cleaned
    assert cleaned.count("\n") <= text.count("\n")
    assert "\n" not in in_one_line(text)


@given(text=st.text(st.characters(exclude_categories=("Cc", "Cf", "Cs", "Zl", "Zp"))))
def test_text_without_them_stays_as_it_is(text: str) -> None:
    assert printable(text) == text


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x9b2Jcleared", "cleared"),
        ("\x1b]0;a title\x07name", "name"),
        ("\x1b]8;;http://example.com\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1bPq#0\x1b\\picture", "picture"),
        ("\x1bc\x1b(0reset", "reset"),
        ("\x1b]0;never ended", "0;never ended"),
        ("\x1b\x1b[0m[31m", "[31m"),
        ("report\u202efdp.exe", "reportfdp.exe"),
        ("gar\x08\x7fbage\x00", "garbage"),
        ("Beyoncé 坂本 🎵 👩\u200d🎤", "Beyoncé 坂本 🎵 👩\u200d🎤"),
    ],
)
def test_sequences_go_as_a_whole(text: str, left: str) -> None:
    assert printable(text) == left


@given(text=HOSTILE)
@pytest.mark.parametrize("console", [screen.out, screen.err])
def test_whatever_a_console_prints_is_printable(console: Console, text: str) -> None:
    for what in (text, Text(text), grid(text, [text], [(text,)])):
        with console.capture() as printed:
            console.print(what, markup=False)
        assert not controls_in(printed.get())


def test_the_ends_of_lines_in_a_cell_are_spaces() -> None:
    assert drawn(grid("", ["name"], [("one\r\ntwo\tthree",)]))[-1] == "one two three"


def test_a_table_that_fits_only_if_words_were_spelled_is_shown_row_by_row() -> None:
    columns = [f"column_{number}" for number in range(9)]
    rows: list[list[object]] = [[f"value {number}" for number in range(9)], [None] * 9]

    wide, narrow = drawn(grid("Wide", columns, rows), width=120), drawn(grid("Wide", columns, rows), width=80)

    assert wide[1].split() == columns
    assert narrow[:4] == ["Wide", "row 1 " + "─" * 74, "column_0 value 0", "column_1 value 1"]
    assert narrow[-1] == "column_8 -"


def test_words_are_whole_where_there_is_room_for_them() -> None:
    row = ("the_name_of_a_query", "What is asked, in many words that say it?", "its parameters and their defaults")

    wide, narrow = (drawn(grid("", ["name", "question", "parameters"], [row]), width=width) for width in (55, 40))

    assert [line for line in wide if line.startswith("the_name_of_a_query  ")]
    assert [line for line in narrow if line.startswith("the_name_of_")]


def test_a_wide_answer_without_rows_names_its_columns() -> None:
    columns = [f"column_{number}" for number in range(9)]

    assert "column_0, column_1" in drawn(grid("", columns, []))[0]


@given(
    widths=st.lists(st.integers(1, 60), min_size=1, max_size=6),
    numbers=st.sets(st.integers(0, 5)),
    available=st.integers(20, 120),
)
def test_no_line_is_wider_than_the_terminal_and_no_text_is_lost(
    widths: list[int], numbers: set[int], available: int
) -> None:
    cells = [chr(ord("a") + place) * width for place, width in enumerate(widths)]

    lines = drawn(grid("", ["n"] * len(cells), [cells], numbers=numbers), available)

    assert all(cell_len(line) <= available for line in lines)
    printed = "".join(lines)
    for place, width in enumerate(widths):
        assert len(re.findall(chr(ord("a") + place), printed)) >= width
