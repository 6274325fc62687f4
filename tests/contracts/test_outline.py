"""Long lists are cut out of a document and come back as they were."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.outline import LongList, outline

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
JSON = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20)


@given(
    entries=st.lists(JSON, max_size=120),
    document=st.dictionaries(st.text(), JSON),
    indent=st.sampled_from([None, 1]),
    wrapped=st.booleans(),
)
def test_skeleton_and_lists_make_the_document(
    entries: list[Any], document: dict[str, Any], indent: int | None, *, wrapped: bool
) -> None:
    whole = {**document, "tracks": {"items": entries, "total": 7}}
    body = json.dumps([whole] if wrapped else whole, indent=indent).encode()

    found = outline(body, {("tracks", "items"), ("artists",)})

    assert found.path == ("$[0]" if wrapped else "$")
    skeleton = json.loads(found.skeleton)
    assert skeleton["tracks"] == {"items": [], "total": 7}
    elements = LongList(found.lists["tracks", "items"], json.loads)
    assert len(elements) == len(entries)
    skeleton["tracks"]["items"] = list(elements)
    if isinstance(artists := whole.get("artists"), list):
        skeleton["artists"] = list(LongList(found.lists["artists",], json.loads))
        assert skeleton["artists"] == artists
    assert skeleton == whole


@pytest.mark.parametrize("value", [None, 7, "text", {"items": 1}])
def test_what_stands_in_the_place_of_a_list_stays(value: Any) -> None:
    found = outline(json.dumps({"tracks": {"items": value}}).encode(), {("tracks", "items")})

    assert (json.loads(found.skeleton), found.lists) == ({"tracks": {"items": value}}, {})


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"[1, 2]", b'{"a": ', b'{"a": NaN}', rb'{"a": "\ud83c"}', b"{'a': 1}", b'{"a": 1} {}']
)
def test_what_is_no_json_or_one_of_several_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        outline(body, {("a",)})
