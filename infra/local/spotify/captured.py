"""Real playlist documents, read from files as others captured them.

A document is a playlist with a page of entries (under `items` since 2026, under `tracks` before, or under both),
the same in a list of one, or a bare page. Pages of one list are put together in the order of their offsets.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from contracts.documents import CONTAINERS, container
from contracts.ids import SPOTIFY_ID
from infra.local.spotify import seeded
from infra.local.spotify.documents import CapturedPlaylist, Contents, JsonObject, VerbatimEntry

_NAMES_OF_TRACKS: Final = ("item", "track")
_LIST_OF_PAGE: Final = re.compile(r"(?P<list>.*/(?P<name>[^/?]+))/(?:items|tracks)(?:\?.*)?")


class CapturedDocumentError(Exception):
    """A file holds no playlist document; the text says which."""


def read_captured(folder: Path) -> dict[str, CapturedPlaylist]:
    """Return the lists that the JSON files of a folder hold, by their ids.

    A list without an id gets one that follows from its address. Of several documents of the same page, the one whose
    file comes last in the order of names counts.

    Raises:
        CapturedDocumentError: There is no such file, one is no playlist document, or pages of a list are missing.
    """
    files = sorted(folder.glob("*.json"))
    if not files:
        raise CapturedDocumentError(f"There is no playlist document in {folder}: *.json is read.")
    metadata: dict[str, JsonObject] = defaultdict(dict)
    pages: dict[str, dict[int, list[JsonObject]]] = defaultdict(dict)
    names: dict[str, str] = {}
    for file in files:
        document = _document(file)
        page = _page(document, file)
        id_ = _id(document, page, file)
        pages[id_][page.get("offset", 0)] = page["items"]
        names.setdefault(id_, file.stem)
        if page is not document:
            metadata[id_] = {name: value for name, value in document.items() if name not in CONTAINERS}
    return {id_: _playlist(id_, names[id_], metadata[id_], parts) for id_, parts in pages.items()}


def _document(file: Path) -> JsonObject:
    try:
        document = json.loads(file.read_bytes())
    except ValueError as fault:
        raise CapturedDocumentError(f"{file} is not JSON: {fault}.") from fault
    if isinstance(document, list) and len(document) == 1:
        [document] = document
    if not isinstance(document, dict):
        raise CapturedDocumentError(f"{file} holds no object but {type(document).__name__}.")
    return document


def _page(document: JsonObject, file: Path) -> JsonObject:
    name = container(document.get)
    page = document[name] if name and isinstance(document[name], dict) else document
    if isinstance(page.get("items"), list):
        return page
    raise CapturedDocumentError(f"{file} is neither a playlist with entries nor a page of one.")


def _id(document: JsonObject, page: JsonObject, file: Path) -> str:
    if page is not document and document.get("id"):
        return str(document["id"])
    address = _LIST_OF_PAGE.fullmatch(str(page.get("href")))
    if address is None:
        raise CapturedDocumentError(f"{file} tells neither its playlist's id nor an address of its page.")
    return address["name"] if SPOTIFY_ID.fullmatch(address["name"]) else seeded.spotify_id(address["list"])


def _playlist(
    id_: str, name_of_file: str, metadata: JsonObject, pages: Mapping[int, list[JsonObject]]
) -> CapturedPlaylist:
    entries: list[JsonObject] = []
    for offset in sorted(pages):
        if offset != len(entries):
            raise CapturedDocumentError(
                f"The pages of {id_} do not follow each other: one begins at entry {offset}, where {len(entries)} "
                "entries came before it."
            )
        entries += pages[offset]
    snapshot_id = metadata.get("snapshot_id") or seeded.snapshot_id(id_, len(entries))
    name = metadata.get("name") or name_of_file
    return CapturedPlaylist(
        id=id_,
        name=name,
        owner_id=(metadata.get("owner") or {}).get("id"),
        fields={**metadata, "name": name},
        contents=Contents(snapshot_id, tuple(_entries(entries))),
    )


def _entries(entries: Iterable[JsonObject]) -> Iterable[VerbatimEntry]:
    for entry in entries:
        fields = {name: value for name, value in entry.items() if name not in _NAMES_OF_TRACKS}
        yield VerbatimEntry(fields, _first(entry, _NAMES_OF_TRACKS))


def _first(entry: JsonObject, names: tuple[str, ...]) -> Any:
    return next((entry[name] for name in names if name in entry), None)
