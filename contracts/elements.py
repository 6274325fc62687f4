"""The elements of a long list, read one at a time, and the parts of an object that can be read.

A playlist of 10,000 entries has 40 MB of JSON, most of it lists of markets that nobody reads: msgspec hands out the
bytes of an element without making objects of them, and makes none of what no noun names. What it refuses as a whole
is read in pieces, so that a part of another structure costs that part alone.
Source: https://jcristharif.com/msgspec/api.html#msgspec.Raw
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from types import NoneType
from typing import Any, Generic, TypeVar, get_args, get_type_hints

from msgspec import Raw, UnsetType, ValidationError, convert
from msgspec.json import Decoder
from pydantic_core import from_json

from contracts.annotations import alternatives, class_of
from contracts.broken import Broken
from contracts.fields import Unverified
from contracts.spotify import Noun

T = TypeVar("T", bound=Noun)

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
        """Each in order; a part of another structure than the noun's is `Broken` in its place.

        Raises:
            UnreadableSnapshotError: An element is no JSON after all, as its text is not UTF-8.
        """
        decode = decoder(self.noun).decode
        for index, element in enumerate(self.unread):
            try:
                yield decode(element) if isinstance(element, Raw) else convert(element, self.noun)
            except ValueError:
                try:
                    yield in_pieces(element, self.noun)
                except InvalidJsonError as fault:
                    raise UnreadableSnapshotError(f"{self.path}[{index}]", f"Invalid JSON: {fault}") from None


class InvalidJsonError(Exception):
    """What was skipped over as JSON is none."""


def in_pieces(part: Raw | Unverified, model: Any) -> Any:
    """What a model makes of a part, with `Broken` in place of each field or element that it refuses."""
    try:
        return decoder(model).decode(part) if isinstance(part, Raw) else convert(part, model)
    except ValueError as fault:
        _, what = where_and_what(fault)
        reason = what if isinstance(fault, ValidationError) else "not JSON"
    level = decode_level(part)
    if isinstance(level, dict) and (noun := _one_of(model, dict)):
        return _object_in_pieces(part, level, noun)
    if isinstance(level, list) and (found := _one_of(model, list)):
        return [in_pieces(each, get_args(found)[0]) for each in level]
    return Broken(_value(part), reason)


def _object_in_pieces(part: Raw | Unverified, level: dict[str, Any], model: Any) -> Any:
    noun = class_of(model)
    read = {name: in_pieces(level[name], hint) for name, hint in _hints(model).items() if name in level}
    for name in noun.structure:
        if isinstance(broken := read.get(name), Broken):
            return Broken(_value(part), f"{name}: {broken.reason}")
    try:
        return noun(**read)
    except ValueError as fault:
        return Broken(_value(part), str(fault))


@cache
def _hints(model: Any) -> dict[str, Any]:
    """The types of an object's fields, with its own type parameters in place."""
    noun, given = class_of(model), get_args(model)
    hints = ((name, hint) for name, hint in get_type_hints(noun).items() if name in noun.__struct_fields__)
    return {name: hint[given] if getattr(hint, "__parameters__", ()) else hint for name, hint in hints}


def _one_of(model: Any, json_type: type) -> Any:
    """The alternative of a model that is a noun or a list."""
    for each in alternatives(model):
        bare = class_of(each)
        if each in {NoneType, UnsetType} or not isinstance(bare, type):
            continue
        if bare is list if json_type is list else issubclass(bare, Noun):
            return each
    return None


def decode_level(part: Raw | Unverified) -> Unverified:
    """The outermost level of a part; what is within stays unread."""
    if not isinstance(part, Raw):
        return part
    try:
        return decoder(_ONE_LEVEL).decode(part)
    except ValueError:
        return _value(part)


_ONE_LEVEL = dict[str, Raw] | list[Raw] | str | int | float | bool | None


def _value(part: Raw | Unverified) -> Unverified:
    try:
        return from_json(bytes(part)) if isinstance(part, Raw) else part
    except ValueError as fault:
        raise InvalidJsonError(fault) from None


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
            return from_json(replace_lone_surrogates(body))
    except ValueError as fault:
        raise UnreadableSnapshotError(
            "$", f"not a playlist document: Invalid JSON: {fault}; get the whole of it again"
        ) from None


def replace_lone_surrogates(body: bytes) -> bytes:
    """The document with U+FFFD for each half of a surrogate pair: JSON can say it, UTF-8 and the parser cannot.

    Spotify cuts long descriptions by UTF-16 units, which can leave half of an emoji.
    """
    try:
        text = json.dumps(json.loads(body), ensure_ascii=False)
    except (ValueError, RecursionError):
        return body
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode()
