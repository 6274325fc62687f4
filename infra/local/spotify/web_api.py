"""The Web API's operations, from an authorized call to the answer's document.

Limits and defaults: https://developer.spotify.com/documentation/web-api/reference/. Errors have the texts that clients
of the real API report. An operation reads what the call's tier grants from `Call.tier` alone.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias, TypeVar

from starlette.exceptions import HTTPException

from contracts.ids import SPOTIFY_ID
from infra.local.spotify.authorization import Caller
from infra.local.spotify.catalogue import Album, Artist, Track
from infra.local.spotify.documents import CapturedPlaylist, Documents, JsonObject, Page
from infra.local.spotify.playlists import Playlists
from infra.local.spotify.tiers import Tier
from infra.local.spotify.trending import TrendingPlaylist

ObjectT = TypeVar("ObjectT")

_MARKET: Final = re.compile(r"[A-Z]{2}")
_DIGITS: Final = re.compile(r"[0-9]{1,9}")
_PARAMETERS_OF_LINKS: Final = ("additional_types", "market")
_FORBIDDEN: Final = "Forbidden"
_NOT_FOUND: Final = "Resource not found"
_NO_SERVICE: Final = "Service not found"
_ABSENT: Final = {403: _FORBIDDEN, 404: _NO_SERVICE}
NO_MESSAGE: Final = ""
"""Spotify refuses audio features with a status and nothing else."""


@dataclass(frozen=True, slots=True)
class Call:
    """A request of an application, with the parameters of its path and its query."""

    tier: Tier
    caller: Caller
    playlists: Playlists
    documents: Documents
    path: Mapping[str, str]
    query: Mapping[str, str]


Operation: TypeAlias = Callable[[Call], JsonObject]


def market(query: Mapping[str, str]) -> str | None:
    """Return the market that a query asks for, None when it names none.

    Raises:
        HTTPException: It is no country code (400).
    """
    value = query.get("market")
    if value is not None and not _MARKET.fullmatch(value):
        raise HTTPException(400, "Invalid market code")
    return value


def unknown_operation(_call: Call) -> JsonObject:
    """Answer any other path."""
    raise HTTPException(404, _NO_SERVICE)


def _playlist(call: Call) -> JsonObject:
    playlist = _requested_playlist(call)
    contents = call.playlists.contents(playlist, call.documents.on)
    if not _opens(call, playlist):
        return call.documents.playlist_metadata(playlist, contents, _parameters_of_links(call))
    page = Page(offset=0, limit=call.tier.embedded_entries)
    return call.documents.playlist(playlist, contents, call.tier.playlist_shape, page, _parameters_of_links(call))


def _playlist_page(route: str, *, default_limit: int, largest_limit: int, status_when_absent: int) -> Operation:
    def operation(call: Call) -> JsonObject:
        if route not in call.tier.playlist_shape.pages:
            raise HTTPException(status_when_absent, _ABSENT[status_when_absent])
        limit = _number(call, "limit", default=default_limit, allowed=range(1, largest_limit + 1))
        offset = _number(call, "offset", default=0, allowed=range(100_001))
        playlist = _requested_playlist(call)
        if not _opens(call, playlist):
            raise HTTPException(403, _FORBIDDEN)
        return call.documents.playlist_page(
            playlist.id,
            call.playlists.contents(playlist, call.documents.on),
            call.tier.playlist_shape,
            Page(offset, limit),
            _parameters_of_links(call),
            route=route,
        )

    return operation


def _requested_playlist(call: Call) -> TrendingPlaylist | CapturedPlaylist:
    if "fields" in call.query:
        raise HTTPException(400, "The simulator does not filter fields: leave the parameter out")
    playlist = _found(call.playlists.by_id, _valid_id(call.path["id"]))
    if not call.tier.shows(playlist.id):
        raise HTTPException(404, _NOT_FOUND)
    return playlist


def _opens(call: Call, playlist: TrendingPlaylist | CapturedPlaylist) -> bool:
    return call.tier.opens(playlist.owner_id, reader_id=call.caller.user_id)


def _parameters_of_links(call: Call) -> dict[str, str]:
    return {name: call.query[name] for name in _PARAMETERS_OF_LINKS if name in call.query}


def _number(call: Call, name: str, *, default: int, allowed: range) -> int:
    text = call.query.get(name, str(default))
    if not _DIGITS.fullmatch(text) or int(text) not in allowed:
        raise HTTPException(400, f"Invalid {name}")
    return int(text)


def _one(
    known: Callable[[Documents], Mapping[str, ObjectT]], document: Callable[[Documents, ObjectT], JsonObject]
) -> Operation:
    def operation(call: Call) -> JsonObject:
        return document(call.documents, _found(known(call.documents), _valid_id(call.path["id"])))

    return operation


def _several(
    name: str,
    known: Callable[[Documents], Mapping[str, ObjectT]],
    document: Callable[[Documents, ObjectT], JsonObject],
    *,
    most: int,
) -> Operation:
    """Return the operation that answers with one object or null for each of the ids, in their order."""

    def operation(call: Call) -> JsonObject:
        if not call.tier.batches:
            raise HTTPException(403, _FORBIDDEN)
        if not call.query.get("ids"):
            raise HTTPException(400, "Missing required field: ids")
        ids = call.query["ids"].split(",")
        if len(ids) > most:
            raise HTTPException(400, "too many ids requested")
        objects = known(call.documents)
        found = [objects.get(_valid_id(id_)) for id_ in ids]
        return {name: [None if one is None else document(call.documents, one) for one in found]}

    return operation


def _audio_features(operation: Operation) -> Operation:
    def permitted(call: Call) -> JsonObject:
        if not call.tier.audio_features:
            raise HTTPException(403, NO_MESSAGE)
        return operation(call)

    return permitted


def _found(known: Mapping[str, ObjectT], id_: str) -> ObjectT:
    if id_ not in known:
        raise HTTPException(404, _NOT_FOUND)
    return known[id_]


def _valid_id(id_: str) -> str:
    if not SPOTIFY_ID.fullmatch(id_):
        raise HTTPException(400, "Invalid base62 id")
    return id_


def _tracks(documents: Documents) -> Mapping[str, Track]:
    return documents.catalogue.tracks


def _albums(documents: Documents) -> Mapping[str, Album]:
    return documents.catalogue.albums


def _artists(documents: Documents) -> Mapping[str, Artist]:
    return documents.catalogue.artists


OPERATIONS: Final[Mapping[str, Operation]] = {
    "/playlists/{id}": _playlist,
    "/playlists/{id}/items": _playlist_page("items", default_limit=20, largest_limit=50, status_when_absent=404),
    "/playlists/{id}/tracks": _playlist_page("tracks", default_limit=100, largest_limit=100, status_when_absent=403),
    "/tracks": _several("tracks", _tracks, Documents.track, most=50),
    "/tracks/{id}": _one(_tracks, Documents.track),
    "/albums": _several("albums", _albums, Documents.album, most=20),
    "/albums/{id}": _one(_albums, Documents.album),
    "/artists": _several("artists", _artists, Documents.artist, most=50),
    "/artists/{id}": _one(_artists, Documents.artist),
    "/audio-features": _audio_features(_several("audio_features", _tracks, Documents.audio_features, most=100)),
    "/audio-features/{id}": _audio_features(_one(_tracks, Documents.audio_features)),
}
"""What answers a GET of a path below the API's version."""
