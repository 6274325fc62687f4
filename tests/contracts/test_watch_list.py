"""The watch list's file: what people paste becomes what the tables hold, and what is wrong is named with its place."""

import csv
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.watch_list import (
    ENTRY_TYPES,
    LONGEST_VALUE,
    WatchListError,
    read_watch_list,
    watch_entry,
    write_watch_list,
)

ID = "7ltDVBr6mKbRvohxheJ9h1"
MBID = "0e5ad2b1-6b5c-4a6b-9d3f-000000000001"


@pytest.mark.parametrize(
    ("type_", "pasted", "value"),
    [
        ("artist", "  Rosalía ", "Rosalía"),
        ("artist", "Tyler,\u00a0The  Creator", "Tyler, The Creator"),
        ("artist", "\u200fفيروز\u200e", "فيروز"),
        ("artist", "Rosali\u0301a", "Rosal\u00eda"),
        ("artist", "!!!", "!!!"),
        ("artist", "👩\u200d🎤", "👩\u200d🎤"),
        ("artist", ID, ID),
        ("artist", f"https://open.spotify.com/intl-de/artist/{ID}?si=abc", ID),
        ("artist", f"open.spotify.com/artist/{ID}", ID),
        ("artist", f"spotify:artist:{ID}", ID),
        ("label", "XL Recordings", "XL Recordings"),
        ("isrc", "US-RC1-76-07839", "USRC17607839"),
        ("isrc", "isrc usrc17607839", "USRC17607839"),
        ("track", f"https://open.spotify.com/track/{ID}", ID),
        ("track", f"spotify:track:{ID}", ID),
        ("track", f"https://musicbrainz.org/recording/{MBID.upper()}", MBID),
        (" Artist ", "Rosalía", "Rosalía"),
    ],
)
def test_what_people_paste_becomes_what_the_tables_hold(type_: str, pasted: str, value: str) -> None:
    assert watch_entry(type_, pasted) == {"type": type_.strip().lower(), "value": value, "note": ""}


@pytest.mark.parametrize(
    ("type_", "pasted", "sentence"),
    [
        ("song", "x", "type: 'song' is not a type; the types are artist, label, isrc, track"),
        ("artist", " ", "value: it is empty; give one, or leave the line out"),
        ("artist", "x" * 301, "value: it has 301 characters; the most are 300"),
        ("artist", "AC\\DC", r"value: 'AC\\\\DC' has a backslash, which Athena reads as an escape; watch it by an id"),
        ("artist", "A\x00B", "value: .* has the character U[+]0000, a control; remove it"),
        ("artist", "A\udc80", "value: .* has the character U[+]DC80"),
        ("artist", f"spotify:track:{ID}", "is of type track, not artist; give it as that"),
        ("label", f"spotify:artist:{ID}", "is of type artist, not label; give it as that"),
        ("artist", f"https://open.spotify.com/album/{ID}", "is not the address of an artist or a track; give https"),
        ("track", "https://spotify.link/abc", "is not the address of an artist or a track; give https"),
        ("track", "Despechá", "'Despechá' is not a track; give its link, its URI spotify:track:<id>, its id"),
        ("isrc", "USRC1760783", "'USRC1760783' is not an ISRC: two letters, three letters or digits, seven digits"),
    ],
)
def test_what_cannot_be_watched_is_named_with_what_to_do(type_: str, pasted: str, sentence: str) -> None:
    with pytest.raises(WatchListError, match=sentence):
        watch_entry(type_, pasted)


def test_a_spreadsheet_may_have_saved_it() -> None:
    # given what Excel writes: a byte order mark, its own first line, semicolons, CRLF, blank lines, empty columns
    saved = (
        "\ufeffsep=;\r\n"
        "Value;TYPE;Note;\r\n"
        ";;;\r\n"
        '"The ""King""; and Queen";artist;;\r\n'
        "\r\n"
        "usrc17607839;ISRC;ours;\r\n"
    )

    found = read_watch_list(saved.encode())

    assert found.entries == (
        {"type": "artist", "value": 'The "King"; and Queen', "note": ""},
        {"type": "isrc", "value": "USRC17607839", "note": "ours"},
    )
    assert (found.repeated, found.faults) == (0, [])
    assert (
        read_watch_list(saved.removeprefix("\ufeff").replace(";", "\t").encode("utf-16")).entries[1] == found.entries[1]
    )


def test_a_name_with_other_accents_is_watched_once_and_one_with_other_letters_besides() -> None:
    names = ("Sigur Rós", "SIGUR ROS", "أصالة", "اصالة", "ガラス", "カラス", "कुल", "कल")
    text = "".join(["type,value\n", *(f"artist,{name}\n" for name in names)])

    found = read_watch_list(text.encode())

    assert [entry["value"] for entry in found.entries] == ["Sigur Rós", "أصالة", "ガラス", "カラス", "कुल", "कल"]
    assert found.repeated == 2


def test_each_fault_is_named_with_line_and_column_and_costs_no_other_line() -> None:
    text = 'type,value,note\nartist,A\nartist,a\n\nsong,B\nisrc,1\nartist,C,,D\nartist,"E\nF"\nlabel,G'

    found = read_watch_list(text.encode())

    assert [entry["value"] for entry in found.entries] == ["A", "E F", "G"]
    assert found.repeated == 1
    assert found.faults == [
        "line 5, type: 'song' is not a type; the types are artist, label, isrc, track",
        "line 6, value: '1' is not an ISRC: two letters, three letters or digits, seven digits, as USRC17607839",
        "line 7, column 4: 'D' has no header; put a value with ',' in it into double quotes",
    ]


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"", "it is empty: expected is a header `type,value`"),
        (b"\xef\xbb\xbf\r\n \r\n", "it is empty"),
        (b"Rosal\xc3\xada\nBad Bunny\n", "its first line is 'Rosalía': expected is a header"),
        (b"type,name\nartist,A\n", "its first line is 'type,name'"),
        (b"type,value,value\n", "its first line is"),
        (
            "type,value\nartist,Rosalía\n".encode("latin-1"),
            "neither UTF-8 nor UTF-16: save it anew, in Excel as `CSV UTF-8",
        ),
        (b"PK\x03\x04\x14\x00\xff", "neither UTF-8 nor UTF-16"),
    ],
)
def test_what_is_not_a_watch_list_is_refused(body: bytes, sentence: str) -> None:
    with pytest.raises(WatchListError, match=sentence):
        read_watch_list(body)


def test_a_quote_that_nothing_closes_costs_the_rest_and_is_named() -> None:
    found = read_watch_list(b'type,value\nartist,A\nartist,"B\nartist,C\n')

    assert [entry["value"] for entry in found.entries] == ["A"]
    assert found.faults[0].startswith("line 4, whole line: not CSV: unexpected end of data; close quotes")


@given(
    st.lists(
        st.tuples(st.sampled_from(["artist", "label"]), st.text(max_size=LONGEST_VALUE), st.text(max_size=20)),
        max_size=6,
    )
)
def test_what_is_written_is_read_as_it_was(given_entries: list[tuple[str, str, str]]) -> None:
    entries = []
    for type_, value, note in given_entries:
        try:
            entries.append(watch_entry(type_, value, note))
        except WatchListError:
            continue

    body = write_watch_list(entries)

    found = read_watch_list(body)
    assert len(found.entries) + found.repeated == len(entries)
    assert all(entry in entries for entry in found.entries)
    assert found.faults == []
    # and each line is a record, as Athena reads it
    lines = body.decode().split("\n")
    assert [next(csv.reader(StringIO(line))) for line in lines[1:-1]] == [[*entry.values()] for entry in entries]


def test_the_types_are_those_that_its_column_tells() -> None:
    assert ENTRY_TYPES == ("artist", "label", "isrc", "track")
