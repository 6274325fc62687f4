"""Fields of a raw document that no contract knows: the sign that Spotify changed something."""

from collections.abc import Iterator
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from pydantic_core import from_json
from typing_extensions import is_typeddict

from contracts.snapshot import RawDocument
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
    AudioFeatures: frozenset({"analysis_url", "isrc", "track_href", "type", "uri"}),
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


def unknown_fields(body: bytes) -> list[str]:
    """Names the fields of a readable document that no contract knows.

    Args:
        body: A document that `contracts.snapshot.read_snapshot` reads.

    Returns:
        JSON paths without positions, such as `$.tracks.items[].track.mood`, each once and sorted.
    """
    document = from_json(body)
    return sorted(set(_unknown(document[0] if isinstance(document, list) else document, RawDocument, "$")))


def _unknown(value: Any, model: Any, path: str) -> Iterator[str]:
    for alternative in _alternatives(model):
        if isinstance(value, list) and get_origin(alternative) is list:
            for item in value:
                yield from _unknown(item, get_args(alternative)[0], f"{path}[]")
        elif isinstance(value, dict) and is_typeddict(alternative):
            fields = get_type_hints(alternative, include_extras=True)
            unused = _KNOWN_BUT_UNUSED.get(alternative, frozenset())
            for name, part in value.items():
                if name in fields:
                    yield from _unknown(part, fields[name], f"{path}.{name}")
                elif name not in unused:
                    yield f"{path}.{name}"


def _alternatives(model: Any) -> tuple[Any, ...]:
    if get_origin(model) is Annotated:
        return _alternatives(get_args(model)[0])
    if get_origin(model) in {Union, UnionType}:
        return tuple(each for part in get_args(model) for each in _alternatives(part) if each is not NoneType)
    return (model,)
