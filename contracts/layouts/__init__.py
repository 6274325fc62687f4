"""The layouts of charts that are known: a reader each, which is one entry of `LAYOUTS`."""

from collections.abc import Sequence
from typing import Final

from contracts.documents import decoded
from contracts.elements import UnreadableSnapshotError
from contracts.layouts import listenbrainz, spotify_charts
from contracts.layouts.layout import DOCUMENT, Layout, first_line

__all__ = ["LAYOUTS", "Layout", "layout_of", "text_of"]

LAYOUTS: Final[Sequence[Layout]] = (*spotify_charts.LAYOUTS, *listenbrainz.LAYOUTS)
"""Every layout; a document has one of them at most."""


def text_of(document: bytes) -> str:
    """A document's text, whatever it came in.

    Raises:
        UnreadableSnapshotError: It is neither UTF-8 nor UTF-16.
    """
    try:
        return decoded(document).decode()
    except UnicodeDecodeError:
        raise UnreadableSnapshotError(
            DOCUMENT, "neither UTF-8 nor UTF-16; download it again, or save it as one of these"
        ) from None


def layout_of(text: str, layouts: Sequence[Layout] = LAYOUTS) -> Layout:
    """The layout that a document has.

    Raises:
        UnreadableSnapshotError: None that is known; names those that are.
    """
    for layout in layouts:
        if layout.recognises(text):
            return layout
    known = "; ".join(f"`{layout.signature}` ({layout.name})" for layout in layouts)
    begins = f"it begins with {first_line(text)!r}" if text.strip() else "it is empty"
    raise UnreadableSnapshotError(DOCUMENT, f"not a chart that is known: {begins}; known are {known}")
