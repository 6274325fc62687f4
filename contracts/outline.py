"""A JSON document with its long lists cut out, so that only what is needed is decoded, and not all at once.

Decoding makes objects of everything, also of the lists of markets that nobody reads, and a playlist of 10,000 entries
has 40 MB of JSON. Here the lists are only found: msgspec hands out the bytes of a value without decoding it.
Source: https://jcristharif.com/msgspec/api.html#msgspec.Raw
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeAlias, TypeVar

from msgspec import DecodeError, Raw
from msgspec.json import Decoder, encode

Names: TypeAlias = tuple[str, ...]
"""The names of the members that lead to a value."""

_AT_ONCE = 50
"""Elements that are decoded together: more take more memory, fewer more time."""

_MEMBERS = Decoder(dict[str, Raw])
_ELEMENTS = Decoder(list[Raw])
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Outline:
    """A document in two parts.

    Attributes:
        path: JSON path of the document: `$`, or `$[0]` where it is the only element of a list.
        skeleton: The document as JSON, with nothing in the lists that were cut out.
        lists: The elements of those, each as JSON.
    """

    path: str
    skeleton: bytes
    lists: dict[Names, Sequence[Raw]]


@dataclass(frozen=True, slots=True)
class LongList(Generic[T]):
    """The elements of a list that was cut out, decoded each time that they are gone through, a few at a time.

    Attributes:
        elements: Each as JSON.
        decode: Makes objects of a JSON list of some of them.
    """

    elements: Sequence[Raw]
    decode: Callable[[bytes], list[T]]

    def __len__(self) -> int:
        return len(self.elements)

    def __iter__(self) -> Iterator[T]:
        for some in pieces(self.elements):
            yield from self.decode(some)


def pieces(elements: Sequence[Raw]) -> Iterator[bytes]:
    """The elements as JSON lists of some of them each."""
    for start in range(0, len(elements), _AT_ONCE):
        yield b"[" + b",".join(elements[start : start + _AT_ONCE]) + b"]"


def outline(body: bytes, long_lists: Collection[Names]) -> Outline:
    """Cuts lists out of a document.

    Args:
        body: The document, JSON in UTF-8; it may be the only element of a list.
        long_lists: Where they are; what is there and no list stays.

    Raises:
        ValueError: The document is no JSON object, or one of several. NaN, Infinity and half a surrogate pair, which
            other parsers take, are no JSON either. What is wrong within a value, such as text that is not UTF-8, is
            found only when that is decoded.
    """
    lists: dict[Names, Sequence[Raw]] = {}
    path, document = "$", memoryview(body)
    try:
        if _begins(document) == b"[":
            (only,) = _ELEMENTS.decode(document)
            path, document = "$[0]", memoryview(only)
        if _begins(document) != b"{":
            raise ValueError("it is no JSON object")
        return Outline(path, _cut(document, (), long_lists, lists), lists)
    except DecodeError as fault:
        raise ValueError(str(fault)) from fault


def _begins(part: memoryview) -> bytes:
    return bytes(part[:64]).lstrip()[:1]


def _cut(part: memoryview, names: Names, long_lists: Collection[Names], lists: dict[Names, Sequence[Raw]]) -> bytes:
    begins = _begins(part)
    if names in long_lists and begins == b"[":
        lists[names] = _ELEMENTS.decode(part)
        return b"[]"
    deeper = {each[len(names)] for each in long_lists if each[: len(names)] == names and len(each) > len(names)}
    if not deeper or begins != b"{":
        return bytes(part)
    members = (
        encode(name) + b":" + (_cut(memoryview(value), (*names, name), long_lists, lists) if name in deeper else value)
        for name, value in _MEMBERS.decode(part).items()
    )
    return b"{" + b",".join(members) + b"}"
