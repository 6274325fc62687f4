"""The elements of a long list, read one at a time.

A playlist of 10,000 entries has 40 MB of JSON, most of it lists of markets that nobody reads: msgspec hands out the
bytes of an element without making objects of them, and makes none of what no noun names.
Source: https://jcristharif.com/msgspec/api.html#msgspec.Raw
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Generic, TypeVar

from msgspec import Raw, Struct, convert
from msgspec.json import Decoder
from pydantic_core import from_json

from contracts.fields import Unverified

T = TypeVar("T", bound=Struct)

_HALF_A_CHARACTER = "hex escape"
"""What the JSON parser complains of where it meets half of a surrogate pair."""


class UnreadableSnapshotError(ValueError):
    """The document is no snapshot that can be read.

    Attributes:
        location: JSON path of what is wrong.
        problem: What is wrong and what to do.
    """

    def __init__(self, location: str, problem: str) -> None:
        super().__init__(f"{location}: {problem}")
        self.location = location
        self.problem = problem


class Broken(Struct, frozen=True, gc=False):
    """An element whose structure is not Spotify's.

    Attributes:
        raw: What was there instead.
        reason: What is wrong with it, and where within it.
    """

    raw: Unverified
    reason: str


@dataclass(frozen=True, slots=True)
class Elements(Generic[T]):
    """The elements of a list, read each time that they are gone through.

    Attributes:
        path: JSON path of the list.
        unread: Each as JSON, or as the value that another parser made of it.
        noun: What each should be.
    """

    path: str
    unread: Sequence[Raw | Unverified]
    noun: type[T]

    def __len__(self) -> int:
        return len(self.unread)

    def __iter__(self) -> Iterator[T | Broken]:
        """Each in order.

        Raises:
            UnreadableSnapshotError: An element is no JSON after all, as its text is not UTF-8.
        """
        decode = decoder(self.noun).decode
        for index, element in enumerate(self.unread):
            try:
                yield decode(element) if isinstance(element, Raw) else convert(element, self.noun)
            except ValueError as fault:
                where, what = where_and_what(fault)
                yield Broken(self._value(index, element), f"{where.removeprefix('.') or 'entry'}: {what}")

    def _value(self, index: int, element: Raw | Unverified) -> Unverified:
        try:
            return from_json(bytes(element)) if isinstance(element, Raw) else element
        except ValueError as fault:
            raise UnreadableSnapshotError(f"{self.path}[{index}]", f"Invalid JSON: {fault}") from None


@cache
def decoder(of: Any) -> Decoder[Any]:
    """Made when it is first needed, and once."""
    return Decoder(of)


def where_and_what(fault: Exception) -> tuple[str, str]:
    """Where a value is not what it should be, as a JSON path without its root, and what it should be.

    msgspec tells both in one sentence: ``Expected `int`, got `str` - at `$.tracks.total` ``.
    """
    what, _, where = str(fault).partition(" - at `$")
    return where.removesuffix("`"), what


def tolerantly(body: bytes) -> Unverified:
    """What is JSON but for NaN, Infinity and half a character, which msgspec refuses.

    Raises:
        UnreadableSnapshotError: It is no JSON.
    """
    try:
        try:
            return from_json(body)
        except ValueError as fault:
            if _HALF_A_CHARACTER not in str(fault):
                raise
            return from_json(_with_whole_characters(body))
    except ValueError as fault:
        raise UnreadableSnapshotError("$", f"no playlist document: Invalid JSON: {fault}") from None


def _with_whole_characters(body: bytes) -> bytes:
    """The document with U+FFFD for each half of a surrogate pair: JSON can say it, UTF-8 and the parser cannot.

    Spotify cuts long descriptions by UTF-16 units, which can leave half of an emoji.
    """
    try:
        text = json.dumps(json.loads(body), ensure_ascii=False)
    except (ValueError, RecursionError):
        return body
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode()
