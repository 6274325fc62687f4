"""Recognizes what people mistake for a playlist: other objects of the Web API, and exports of other tools."""

import re
from collections.abc import Sequence
from typing import Any, Final

from contracts.elements import decode_level
from contracts.fields import Unverified

ADVICE: Final = "load the playlist itself (GET /v1/playlists/<id>) or its pages (GET /v1/playlists/<id>/tracks)"
_COLLECT: Final = (
    "it lacks what the Web API says about a track; collect the playlist by its link instead (`earworm run --playlist "
    "<link>`), or load the Web API's own document"
)
_EXPORTIFY: Final = f"an export of Exportify: {_COLLECT}"
_LIBRARY: Final = f"YourLibrary of Spotify's account export, somebody's likes: {_COLLECT}"
_PLAYLISTS: Final = f"the playlists of Spotify's account export: {_COLLECT}"
_HISTORY: Final = (
    "a streaming history of Spotify's account export: it lists what somebody heard, and is not a playlist; leave it out"
)
_RECENTLY_PLAYED: Final = (
    "a user's recently played tracks: it lists what somebody heard, and is not a playlist; leave it out"
)
_LISTENBRAINZ: Final = (
    "an answer of ListenBrainz, of which only sitewide recordings are a chart; load those "
    "(GET /1/stats/sitewide/recordings?range=week)"
)
_WEB_PAGE: Final = (
    "a web page, a login or an error perhaps, that was saved in the document's place; download the document again"
)

_TYPES: Final = {
    "album": "an album",
    "artist": "an artist",
    "audio_features": "audio features of a track",
    "audiobook": "an audiobook",
    "chapter": "a chapter of an audiobook",
    "episode": "an episode",
    "show": "a show",
    "track": "a track",
    "user": "a user",
}
_ADDRESSES: Final = (
    (re.compile(r"/v1/search\b"), "search results"),
    (re.compile(r"/v1/albums/[^/]+/tracks\b"), "the tracks of an album"),
    (re.compile(r"/v1/artists/[^/]+/albums\b"), "the albums of an artist"),
    (re.compile(r"/v1/(?:me|users/[^/]+)/playlists(?:\?|$)"), "the playlists of a user"),
    (re.compile(r"/v1/me/(?:top|albums|shows|episodes|audiobooks|following)\b"), "a user's follows or likes"),
    (re.compile(r"/v1/browse/"), "Spotify's featured content"),
)
_PAGES: Final = (
    *("items", "tracks", "albums", "artists", "playlists", "shows", "episodes", "audiobooks"),
    "audio_features",
)
_PLAYED_AT: Final = "played_at"
_WEB_PAGE_BEGINS: Final = re.compile(rb"\A\s*<")
_EXPORTIFY_HEADER: Final = re.compile(rb'\A\s*"?(?:Track URI|Spotify (?:URI|ID)|Track Name)"?,')


def is_entry(part: Unverified) -> bool:
    """Returns whether an element looks like a playlist's entry: an object whose track is an object or null."""
    level = decode_level(part)
    return (
        isinstance(level, dict)
        and _PLAYED_AT not in level
        and any(name in level and isinstance(decode_level(level[name]), dict | None) for name in ("item", "track"))
    )


def is_null(part: Unverified) -> bool:
    """Returns whether an element is null."""
    return decode_level(part) is None


def foreign_text(body: bytes) -> str | None:
    """Says what a text that is not JSON is, and what to do; None if unknown."""
    return _EXPORTIFY if _EXPORTIFY_HEADER.match(body) else _WEB_PAGE if _WEB_PAGE_BEGINS.match(body) else None


def foreign_type(type_: Unverified) -> str | None:
    """Says what an object is by its Web API type, and what to do; None for a playlist or if unknown."""
    return _of_web_api(_TYPES[type_]) if isinstance(type_, str) and type_ in _TYPES else None


def foreign_address(href: Unverified) -> str | None:
    """Says what a Web API address returns, and what to do; None for a playlist's or if unknown."""
    if not isinstance(href, str):
        return None
    return next((_of_web_api(what) for address, what in _ADDRESSES if address.search(href)), None)


def foreign(part: Unverified) -> str | None:
    """Says what a document is that is not a playlist, and what to do; None if unknown."""
    level = decode_level(part)
    return _list(level) if isinstance(level, list) else _object(level) if isinstance(level, dict) else None


def _object(level: dict[str, Any]) -> str | None:
    if what := foreign_type(decode_level(level.get("type"))) or foreign_address(decode_level(level.get("href"))):
        return what
    pages = {name: decode_level(level[name]) for name in _PAGES if name in level}
    if "lastModifiedDate" in _first(pages.get("playlists")):
        return _PLAYLISTS
    if "bannedTracks" in level or {"artist", "uri"} <= _first(pages.get("tracks")).keys():
        return _LIBRARY
    for name, page in pages.items():
        elements = page
        if isinstance(page, dict):
            if what := foreign_address(decode_level(page.get("href"))):
                return what
            elements = decode_level(page.get("items"))
        if isinstance(elements, list):
            type_ = decode_level(_first(elements).get("type"))
            of = "playlists" if type_ == "playlist" else name if name not in {"items", "tracks"} else None
            return _list(elements) or (of and _of_web_api(f"a list of {of.replace('_', ' ')}"))
    return _listenbrainz(level) or _error(level) or next(filter(None, map(_wrapped, level, level.values())), None)


def _listenbrainz(level: dict[str, Any]) -> str | None:
    return _LISTENBRAINZ if isinstance(decode_level(level.get("payload")), dict) else None


def _error(level: dict[str, Any]) -> str | None:
    error = decode_level(level.get("error"))
    told = (error.get("status"), error.get("message")) if isinstance(error, dict) else (error,)
    words = [str(word) for word in map(decode_level, told) if isinstance(word, str | int)]
    return f"an error that the Web API answered, {' '.join(words)!r}; {ADVICE}" if words else None


def _wrapped(name: str, part: Unverified) -> str | None:
    level = decode_level(part)
    is_playlist = isinstance(level, dict) and decode_level(level.get("type")) == "playlist"
    return f"an object with a playlist in {name!r}; load that alone, without what is around it" if is_playlist else None


def _list(elements: Sequence[Unverified]) -> str | None:
    first = _first(elements)
    if {"endTime", "msPlayed"} <= first.keys() or {"ts", "ms_played"} <= first.keys():
        return _HISTORY
    if _PLAYED_AT in first:
        return _RECENTLY_PLAYED
    if first.keys() & {"Track URI", "Track Name"}:
        return _EXPORTIFY
    type_ = decode_level(first.get("type"))
    several = "audio features" if type_ == "audio_features" else f"{type_}s"
    return _of_web_api(f"a list of {several}") if foreign_type(type_) else None


def _first(elements: Unverified) -> dict[str, Any]:
    """Returns the first object among elements."""
    levels = map(decode_level, elements if isinstance(elements, list) else ())
    return next((level for level in levels if isinstance(level, dict)), {})


def _of_web_api(what: str) -> str:
    return f"{what}; {ADVICE}"
