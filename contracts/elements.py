"""Reads the elements of a long list one at a time, and of a broken object the parts that are readable.

A playlist of 10,000 entries has 40 MB of JSON, most of it lists of markets that no table needs: msgspec hands out the
bytes of an element without decoding them, and skips fields that no model names. An object that it refuses is read in
pieces, so that a broken part costs that part alone.
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
from contracts.spotify import ApiObject

ObjectT = TypeVar("ObjectT", bound=ApiObject)

_ONE_LEVEL = dict[str, Raw] | list[Raw] | str | int | float | bool | None
_LONE_SURROGATE = "hex escape"
"""Part of the JSON parser's message about half of a surrogate pair."""
_ADVICE = {
    "trailing characters": "give each document a file of its own",  # such as the second line of JSON Lines
    "EOF while": "get the whole of it again",
}
"""What to do by a part of the JSON parser's message."""
AS_SENT = "load it as the Web API or the extractor gave it"


class UnreadableSnapshotError(ValueError):
    """The document is not a readable snapshot.

    Attributes:
        location: JSON path of what is wrong.
        problem: What is wrong and what to do.
    """

    def __init__(self, location: str, problem: str) -> None:
        super().__init__(f"{location}: {problem}")
        self.location = location
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Elements(Generic[ObjectT]):
    """The elements of a list, decoded on each iteration.

    Attributes:
        path: JSON path of the list.
        unread: Each as JSON, or as a value from another parser.
        model: The type of each.
    """

    path: str
    unread: Sequence[Raw | Unverified]
    model: type[ObjectT]

    def __len__(self) -> int:
        return len(self.unread)

    def __iter__(self) -> Iterator[ObjectT | Broken]:
        """Yields each in order, with `Broken` in place of a part whose structure is not the model's.

        Raises:
            UnreadableSnapshotError: An element is not JSON, as its text is not UTF-8.
        """
        decode = decoder(self.model).decode
        for index, element in enumerate(self.unread):
            try:
                yield decode(element) if isinstance(element, Raw) else convert(element, self.model)
            except ValueError:
                try:
                    yield in_pieces(element, self.model)
                except InvalidJsonError as fault:
                    raise UnreadableSnapshotError(f"{self.path}[{index}]", f"Invalid JSON: {fault}") from None


class InvalidJsonError(Exception):
    """Bytes that were skipped as JSON are not JSON."""


def in_pieces(part: Raw | Unverified, model: Any) -> Any:
    """Decodes a part, with `Broken` in place of each field or element that its model refuses."""
    try:
        return decoder(model).decode(part) if isinstance(part, Raw) else convert(part, model)
    except ValueError as fault:
        _, what = where_and_what(fault)
        reason = what if isinstance(fault, ValidationError) else "not JSON"
    level = decode_level(part)
    if isinstance(level, dict) and (object_type := _one_of(model, dict)):
        return _object_in_pieces(part, level, object_type)
    if isinstance(level, list) and (list_type := _one_of(model, list)):
        return [in_pieces(each, get_args(list_type)[0]) for each in level]
    return Broken(_value(part), reason)


def _object_in_pieces(part: Raw | Unverified, level: dict[str, Any], model: Any) -> Any:
    object_type = class_of(model)
    read = {name: in_pieces(level[name], hint) for name, hint in _hints(model).items() if name in level}
    for name in object_type.structure:
        if isinstance(broken := read.get(name), Broken):
            return Broken(_value(part), f"{name}: {broken.reason}")
    try:
        return object_type(**read)
    except ValueError as fault:
        return Broken(_value(part), str(fault))


@cache
def _hints(model: Any) -> dict[str, Any]:
    """Returns the types of an object's fields, with its type arguments in place of parameters."""
    object_type, arguments = class_of(model), get_args(model)
    hints = (
        (name, hint) for name, hint in get_type_hints(object_type).items() if name in object_type.__struct_fields__
    )
    return {name: hint[arguments] if getattr(hint, "__parameters__", ()) else hint for name, hint in hints}


def _one_of(model: Any, json_type: type) -> Any:
    """Returns the alternative of a model that is an object or a list."""
    for each in alternatives(model):
        bare = class_of(each)
        if each in {NoneType, UnsetType} or not isinstance(bare, type):
            continue
        if bare is list if json_type is list else issubclass(bare, ApiObject):
            return each
    return None


def decode_level(part: Raw | Unverified) -> Unverified:
    """Decodes the outermost level of a part and no further."""
    if not isinstance(part, Raw):
        return part
    try:
        return decoder(_ONE_LEVEL).decode(part)
    except ValueError:
        return _value(part)


def _value(part: Raw | Unverified) -> Unverified:
    try:
        return from_json(bytes(part)) if isinstance(part, Raw) else part
    except ValueError as fault:
        raise InvalidJsonError(fault) from None


@cache
def decoder(of: Any) -> Decoder[Any]:
    """Returns the decoder of a type, made once."""
    return Decoder(of)


def where_and_what(fault: Exception) -> tuple[str, str]:
    """Splits msgspec's message into a JSON path without its root, and what is wrong there.

    A message reads: ``Expected `int`, got `str` - at `$.tracks.total` ``.
    """
    what, _, where = str(fault).partition(" - at `$")
    return where.removesuffix("`"), what


def parse_leniently(body: bytes) -> Unverified:
    """Parses JSON that may hold NaN, Infinity and lone surrogates, which msgspec refuses.

    Raises:
        UnreadableSnapshotError: It is not JSON.
    """
    try:
        try:
            return from_json(body)
        except ValueError as fault:
            if _LONE_SURROGATE not in str(fault):
                raise
            return from_json(replace_lone_surrogates(body))
    except ValueError as fault:
        advice = next((advice for part, advice in _ADVICE.items() if part in str(fault)), AS_SENT)
        raise UnreadableSnapshotError("$", f"not a playlist document: Invalid JSON: {fault}; {advice}") from None


def replace_lone_surrogates(body: bytes) -> bytes:
    """Replaces each half of a surrogate pair by U+FFFD: JSON can express it, UTF-8 and the parser cannot.

    Spotify truncates long descriptions by UTF-16 units, which can leave half of an emoji.
    """
    try:
        text = json.dumps(json.loads(body), ensure_ascii=False)
    except (ValueError, RecursionError):
        return body
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode()
