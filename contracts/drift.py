"""Fields and types of a raw document that no contract knows: the sign that Spotify changed something."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, NotRequired, Required, Union, get_args, get_origin, get_type_hints

from msgspec import UNSET, Raw, UnsetType, ValidationError, defstruct
from msgspec.json import Decoder
from pydantic_core import from_json
from typing_extensions import TypedDict, is_typeddict

from contracts.outline import outline, pieces
from contracts.snapshot import LONG_LISTS, RawDocument
from contracts.spotify import (
    Album,
    Artist,
    AudioFeatures,
    Entry,
    ExternalIds,
    Followers,
    Image,
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
    Image: frozenset({"height"}),
    Page: _PAGING,
    Playlist: _PLAYLIST,
    RawDocument: _PLAYLIST | _PAGING,
    Track: _NAVIGATION
    | {"available_markets", "episode", "linked_from", "preview_url", "restrictions", "track"}
    | {"audio_preview_url", "description", "html_description", "images", "is_externally_hosted", "language"}
    | {"languages", "release_date", "release_date_precision", "resume_point", "show"},
    User: _NAVIGATION | {"followers", "images"},
}
"""Fields that Spotify documents and no table needs; on Track those of an episode too, which stands in its place."""


class Drift(TypedDict):
    """A way in which a document is not what Spotify documents.

    Attributes:
        path: JSON path without positions, such as `$.tracks.items[].track.mood`.
        what: `unknown field`, or the type that came in place of the documented one, such as `str for int`.
        count: How often.
    """

    path: str
    what: str
    count: int


def drift(body: bytes) -> list[Drift]:
    """How a readable document differs from what Spotify documents, each way once, by path.

    Args:
        body: A document that `contracts.snapshot.read_snapshot` reads.
    """
    found = Counter(difference for part in _parts(body) for difference in _differences(*part))
    return [{"path": path, "what": what, "count": count} for (path, what), count in sorted(found.items())]


def _parts(body: bytes) -> Iterator[tuple[Any, Any, str]]:
    """The document in parts, each with its model and JSON path; elements of long lists only where any differs."""
    try:
        outlined = outline(body, LONG_LISTS)
    except ValueError:
        document = from_json(body)
        yield document[0] if isinstance(document, list) else document, RawDocument, "$"
        return
    yield from_json(outlined.skeleton), RawDocument, "$"
    for names, elements in outlined.lists.items():
        model = get_args(LONG_LISTS[names])[0]
        documented = _documented(model)
        for some in pieces(elements):
            try:
                documented.decode(some)
            except ValidationError:
                for element in from_json(some):
                    yield element, model, f"$.{'.'.join(names)}[]"


@cache
def _documented(model: Any) -> Decoder[Any]:
    """Refuses JSON lists in which anything differs, a hundred times faster than the differences are found."""
    return Decoder(list[_strict(model)])  # type: ignore[misc]  # the type is known at run time only


def _strict(model: Any) -> Any:
    alternatives = _alternatives(model)
    return Union[(*map(_strict_alternative, alternatives), None)] if alternatives else Raw


@cache
def _strict_alternative(alternative: Any) -> Any:
    if is_typeddict(alternative):
        unused = _KNOWN_BUT_UNUSED.get(alternative, frozenset())
        fields = dict.fromkeys(unused, Raw) | {name: _strict(hint) for name, hint in _fields(alternative).items()}
        return defstruct(
            alternative.__name__,
            [(name, Union[strict, UnsetType], UNSET) for name, strict in fields.items()],  # noqa: UP007 - likewise
            forbid_unknown_fields=True,
        )
    if get_origin(alternative) is list:
        return list[_strict(get_args(alternative)[0])]  # type: ignore[misc]  # likewise
    return _json_types(alternative)[0]


def _differences(value: Any, model: Any, path: str) -> Iterator[tuple[str, str]]:
    alternatives = _alternatives(model)
    if value is None or not alternatives:
        return
    fitting = [each for each in alternatives if type(value) in _json_types(each)]
    if not fitting:
        documented = " or ".join(_json_types(each)[0].__name__ for each in alternatives)
        yield path, f"{type(value).__name__} for {documented}"
    for alternative in fitting:
        if isinstance(value, list) and get_origin(alternative) is list:
            for item in value:
                yield from _differences(item, get_args(alternative)[0], f"{path}[]")
        elif isinstance(value, dict) and is_typeddict(alternative):
            fields = _fields(alternative)
            unused = _KNOWN_BUT_UNUSED.get(alternative, frozenset())
            for name, part in value.items():
                if name in fields:
                    yield from _differences(part, fields[name], f"{path}.{name}")
                elif name not in unused:
                    yield f"{path}.{name}", "unknown field"


@cache
def _fields(model: Any) -> dict[str, Any]:
    return get_type_hints(model, include_extras=True)


def _alternatives(model: Any) -> tuple[Any, ...]:
    """What a field may be, null and what is broken left out; nothing if it may be anything."""
    origin = get_origin(model)
    if origin is Annotated:
        bare, *told = get_args(model)
        return tuple(each for each in told if isinstance(each, type)) if bare is Any else _alternatives(bare)
    if origin in {NotRequired, Required}:
        return _alternatives(get_args(model)[0])
    if origin in {Union, UnionType}:
        return tuple(each for part in get_args(model) for each in _alternatives(part) if each is not NoneType)
    return () if model is Any else (model,)


def _json_types(alternative: Any) -> tuple[type, ...]:
    if is_typeddict(alternative):
        return (dict,)
    origin = get_origin(alternative)
    if origin is Literal:
        return (str,)
    bare = origin or alternative
    return {float: (float, int), datetime: (str,)}.get(bare, (bare,))
