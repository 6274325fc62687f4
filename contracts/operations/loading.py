"""Loads: runs of the console that put documents from elsewhere into the lake."""

from collections.abc import Sequence
from datetime import date

from pydantic import AwareDatetime

from contracts.operations.collecting import ListSummary
from contracts.operations.payload import Payload

NOT_OVER = "not over"


class LoadedDocument(ListSummary):
    """What became of a document.

    Attributes:
        file: Its name, with up to two folders or the archive that it was in.
        day: The day of its snapshot.
    """

    file: str
    day: date

    @property
    def name(self) -> str:
        """Its file's."""
        return self.file


class Load(Payload):
    """The record of a load. It is written before the first document is stored, and again when all is over.

    Attributes:
        began: When the first document was about to be stored.
        ended: When every table had them, or the wait for that was given up; None while it is at work, or if it was cut
            off.
        documents: What it stores, and what became of each.
        expected: How many snapshots there should be in all tables.
        complete: How many there were when it ended.
        rows: How many rows these had.
        rejected: How many rejected rows.
    """

    run_id: str
    began: AwareDatetime
    ended: AwareDatetime | None = None
    documents: tuple[LoadedDocument, ...]
    expected: int
    complete: int = 0
    rows: int = 0
    rejected: int = 0

    @property
    def lists(self) -> Sequence[LoadedDocument]:
        """What became of each list."""
        return self.documents
