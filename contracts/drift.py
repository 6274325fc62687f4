"""Finds fields and types that no contract knows: a sign that Spotify changed something."""

import re
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from functools import cache
from types import NoneType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from msgspec import UNSET, Raw, Struct, UnsetType, ValidationError, defstruct
from msgspec.json import Decoder
from pydantic_core import to_json
from typing_extensions import TypedDict

from contracts.annotations import alternatives, bare, class_of
from contracts.documents import Parsed, RawDocument, decoded, long_lists, parsed
from contracts.elements import Elements, decode_level
from contracts.fields import integer
from contracts.spotify import (
    Album,
    Artist,
    AudioFeatures,
    ElementT,
    Entry,
    ExternalIds,
    Followers,
    Image,
    LinkedTrack,
    Page,
    Playlist,
    Track,
    User,
)

_NAVIGATION = frozenset({"href", "uri", "type", "external_urls"})
_PAGING = frozenset({"href", "limit", "next", "offset", "previous"})
_PLAYLIST = _NAVIGATION | {"images", "primary_color"}
_KNOWN_BUT_UNUSED: dict[Any, frozenset[str]] = {
    Album: _NAVIGATION
    | {"album_group", "available_markets", "copyrights", "genres", "is_playable", "restrictions"}
    | {"tracks"},
    Artist: _NAVIGATION,
    AudioFeatures: frozenset({"analysis_url", "track_href", "type", "uri"}),
    Entry: frozenset({"primary_color", "video_thumbnail"}),
    ExternalIds: frozenset({"ean"}),
    Followers: frozenset({"href"}),
    Image: frozenset({"height", "width"}),
    LinkedTrack: _NAVIGATION,
    Page: _PAGING,
    Playlist: _PLAYLIST,
    RawDocument: _PLAYLIST | _PAGING,
    Track: _NAVIGATION
    | {"episode", "preview_url", "restrictions", "track"}
    | {"audio_preview_url", "description", "html_description", "images", "is_externally_hosted", "language"}
    | {"languages", "release_date", "release_date_precision", "resume_point", "show"},
    User: _NAVIGATION | {"followers", "images"},
}
"""Fields that Spotify documents and no table needs; on Track also those of an episode, which can take its place."""


_POSITION = re.compile(r"\[\d+\]")


class Drift(TypedDict):
    """A difference between a document and Spotify's documentation.

    Attributes:
        path: JSON path without positions, such as `$.tracks.items[].track.mood`.
        what: `unknown field`, or the type that came in place of the documented one, such as `str for int`.
        count: How often.
    """

    path: str
    what: str
    count: int


def drift(body: bytes) -> list[Drift]:
    """Lists how a readable document differs from Spotify's documentation, each difference once, by path.

    Args:
        body: A document that `contracts.snapshot.read_snapshot` can read.
    """
    return drift_in(parsed(decoded(body)))


def drift_in(found: Parsed) -> list[Drift]:
    """Lists the same for a document whose outermost level has been read."""
    differences = Counter(_in_document(found))
    return [{"path": path, "what": what, "count": count} for (path, what), count in sorted(differences.items())]


def _in_document(found: Parsed) -> Iterator[tuple[str, str]]:
    lists: list[Elements[Any]] = [found.entries] if found.entries else []
    for path, part, document in found.objects:
        place = path if len(found.objects) > 1 else "$"
        raw = _as_raw(part)
        yield from _differences(raw, RawDocument, _POSITION.sub("[]", place))
        if isinstance(document, RawDocument):
            lists += long_lists(document, place)
    for elements in lists:
        path = f"{_POSITION.sub('[]', elements.path)}[]"
        object_type: Any = elements.model
        strict = _strict_decoder(object_type)
        for element in map(_as_raw, elements.unread):
            if not _fits(element, strict):
                yield from _differences(element, object_type, path)


def _as_raw(part: Raw | Any) -> Raw:
    """Returns a part as JSON; NaN and infinity become null."""
    return part if isinstance(part, Raw) else Raw(to_json(part, inf_nan_mode="null"))


def _differences(part: Raw, model: Any, path: str) -> Iterator[tuple[str, str]]:
    """Descends level by level only where something differs: a strict decoder finds the rest equal far faster."""
    if _fits(part, _strict_decoder(model)):
        return
    alternatives = _alternatives(model)
    value = decode_level(part)
    fitting = [each for each in alternatives if type(value) in _json_types(each) or _is_whole(value, each)]
    if not fitting:
        documented = " or ".join(_json_types(each)[0].__name__ for each in alternatives)
        yield path, f"{type(value).__name__} for {documented}"
    for alternative in fitting:
        if get_origin(alternative) is list:
            for item in value:
                yield from _differences(item, get_args(alternative)[0], f"{path}[]")
        elif object_type := _object_type(alternative):
            fields, unused = _fields(object_type), _KNOWN_BUT_UNUSED.get(object_type, frozenset())
            for name, field in value.items():
                if name in fields:
                    yield from _differences(field, fields[name], f"{path}.{name}")
                elif name not in unused:
                    yield f"{path}.{name}", "unknown field"


def _is_whole(value: Any, alternative: Any) -> bool:
    """Returns whether a value is an integer sent as a float, which JSON does not distinguish."""
    return alternative is int and isinstance(value, float) and integer(value) is not None


def _fits(part: Raw, strict: Decoder[Any]) -> bool:
    try:
        strict.decode(part)
    except ValidationError:
        return False
    return True


@cache
def _strict_decoder(model: Any) -> Decoder[Any]:
    return Decoder(_strict(model))


def _strict(model: Any) -> Any:
    """Returns a type that accepts only what a model documents."""
    alternatives = _alternatives(model)
    return Union[(*map(_strict_alternative, alternatives), None)] if alternatives else Raw


@cache
def _strict_alternative(alternative: Any) -> Any:
    if object_type := _object_type(alternative):
        unused = _KNOWN_BUT_UNUSED.get(object_type, frozenset())
        fields = dict.fromkeys(unused, Raw) | {name: _strict(hint) for name, hint in _fields(object_type).items()}
        return defstruct(
            object_type.__name__,
            [(name, Union[strict, UnsetType], UNSET) for name, strict in fields.items()],  # noqa: UP007 - at run time
            forbid_unknown_fields=True,
            gc=False,
        )
    if get_origin(alternative) is list:
        return list[_strict(get_args(alternative)[0])]  # type: ignore[misc]  # the type is known at run time only
    return _json_types(alternative)[0]


def _object_type(alternative: Any) -> Any:
    """Returns the class of an object's model; None if it is not the model of an object."""
    object_type = class_of(alternative)
    return object_type if isinstance(object_type, type) and issubclass(object_type, Struct) else None


@cache
def _fields(object_type: Any) -> dict[str, Any]:
    hints = get_type_hints(object_type, include_extras=True)
    return {name: hints[name] for name in object_type.__struct_fields__}


def _alternatives(model: Any) -> tuple[Any, ...]:
    """Returns the types that a field may have besides null and absence; none if any is allowed."""
    if get_origin(model) is Annotated:
        arguments = get_args(model)[1:]
        documented = tuple(each for each in arguments if isinstance(each, type) or get_origin(each) is list)
        return documented or _alternatives(bare(model))
    members = alternatives(model)
    if members != (model,):
        return tuple(each for part in members for each in _alternatives(part))
    return () if model in {Any, NoneType, UnsetType, ElementT, Raw} else members


def _json_types(alternative: Any) -> tuple[type, ...]:
    if _object_type(alternative):
        return (dict,)
    found = class_of(alternative)
    return {float: (float, int), datetime: (str,), Literal: (str,)}.get(found, (found,))
