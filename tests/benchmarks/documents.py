"""Raw playlist documents of any length, made of a real one: `python -m tests.benchmarks.documents FOLDER N...`."""

import json
import re
import string
import sys
from datetime import date
from pathlib import Path
from typing import Any

from infra.local.spotify.catalogue import load_catalogue
from infra.local.spotify.documents import Contents, Documents, Page, PlaylistShape
from infra.local.spotify.trending import PLAYLISTS, Trends
from tests.benchmarks.contenders.tables import PLAYLIST
from tests.real_documents import REAL_DOCUMENTS

_REAL = REAL_DOCUMENTS / "playlists/top50_global_2024-05-02.json"
_ID = re.compile(r"\b[0-9A-Za-z]{22}\b")
_DIGITS = string.digits + string.ascii_letters


def source() -> str:
    """What the documents are made of."""
    return f"the real document {_REAL.name}" if _REAL.exists() else "the simulator's documents"


def document(entries: int, *, copy: int = 0) -> bytes:
    """A playlist of so many entries in one object, minified.

    Each repetition of the original has ids of its own, from the repetition `copy` on.
    """
    playlist = _original()
    page = playlist["tracks"]
    once = [_minified(entry) for entry in page["items"]]
    repeated = [_renamed(once[number % len(once)], copy + number // len(once)) for number in range(entries)]
    page |= {"items": [], "total": entries, "limit": entries}
    head, tail = _minified([playlist]).split('"items":[]')
    return f'{head}"items":[{",".join(repeated)}]{tail}'.encode()


def of_playlist(body: bytes, playlist_id: str) -> bytes:
    """The same document of another playlist: one that contradicts its key is no snapshot."""
    return body.replace(PLAYLIST.encode(), playlist_id.encode())


def _original() -> dict[str, Any]:
    if _REAL.exists():
        original: dict[str, Any] = json.loads(_REAL.read_bytes())[0]
        return original
    catalogue, playlist, day = load_catalogue(), PLAYLISTS[0], date(2024, 5, 2)
    trends = Trends(catalogue)
    contents = Contents(trends.snapshot_id(playlist, day), trends.entries(playlist, day))
    documents = Documents(catalogue, trends, day, "https://api.spotify.com/v1")
    shape = PlaylistShape(pages=("tracks",), tracks=("track",))
    made_up = documents.playlist(playlist, contents, shape, Page(0, 50), {})
    renamed: dict[str, Any] = json.loads(_minified(made_up).replace(made_up["id"], PLAYLIST))
    return renamed


def _renamed(entry: str, repetition: int) -> str:
    if not repetition:
        return entry
    suffix = "".join(_DIGITS[repetition // 62**place % 62] for place in range(3))
    return _ID.sub(lambda found: found[0][:-3] + suffix, entry)


def _minified(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def main(folder: Path, lengths: list[int]) -> None:
    """Write a document of each length as `<folder>/<length>.json`."""
    for length in lengths:
        (folder / f"{length}.json").write_bytes(document(length))


if __name__ == "__main__":
    main(Path(sys.argv[1]), [int(length) for length in sys.argv[2:]])
