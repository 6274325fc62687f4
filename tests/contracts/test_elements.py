"""The elements of a long list, read one at a time."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from contracts.broken import Broken
from contracts.elements import Elements, UnreadableSnapshotError, parse_leniently
from contracts.spotify import Artist, Entry, Track

INTEGERS = st.integers(-(2**63), 2**64 - 1)
SCALARS = st.none() | st.booleans() | INTEGERS | st.floats(allow_nan=False, allow_infinity=False) | st.text()
NAMES = st.sampled_from(["item", "track", "added_at", "id", "name", "artists", "album"]) | st.text(max_size=3)
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=6), max_leaves=20
)


@given(st.lists(JSON))
def test_each_element_is_read_or_broken_whatever_parser_found_it(elements: list[Any]) -> None:
    as_json = Elements("$", [Raw(json.dumps(each).encode()) for each in elements], Entry)
    as_values = Elements("$", elements, Entry)

    read = list(as_json)

    assert read == list(as_values) == list(as_json)
    assert len(read) == len(as_json) == len(elements)
    assert all(found.raw == each for found, each in zip(read, elements, strict=True) if isinstance(found, Broken))


def test_an_element_is_read_as_far_as_its_noun_goes() -> None:
    body = Raw(b'{"track": {"id": "1", "preview_url": "https://x", "artists": [{"name": "One"}, null]}}')

    assert list(Elements("$", [body], Entry)) == [Entry(track=Track(id="1", artists=[Artist(name="One"), None]))]


def test_what_is_broken_is_so_alone_and_keeps_what_was_there() -> None:
    (found,) = Elements("$", [Raw(b'{"track": {"name": "One", "artists": [{"id": 7}, 8], "album": []}}')], Entry)

    nobody = Artist(id=Broken(7, "Expected `str | null`, got `int`"))
    assert found == Entry(
        track=Track(
            name="One",
            artists=[nobody, Broken(8, "Expected `object | null`, got `int`")],
            album=Broken([], "Expected `object | null`, got `array`"),
        )
    )


def test_without_its_track_an_entry_is_broken_as_a_whole() -> None:
    (found,) = Elements("$", [Raw(b'{"track": 7}')], Entry)

    assert found == Broken({"track": 7}, "track: Expected `object | null`, got `int`")


def test_text_that_is_not_utf_8_is_no_json() -> None:
    elements = Elements("$.items", [Raw(b'{"track": null}'), Raw(b'{"added_at": "\xff", "track": null}')], Entry)

    with pytest.raises(UnreadableSnapshotError, match=r"^\$\.items\[1\]: Invalid JSON"):
        list(elements)


@pytest.mark.parametrize("body", [b"", b'{"a": ', b"{'a': 1}", b'{"a": 1} {}', b'{"a": \xff}'])
def test_what_is_no_json_is_refused(body: bytes) -> None:
    with pytest.raises(UnreadableSnapshotError, match=r"Invalid JSON"):
        parse_leniently(body)
