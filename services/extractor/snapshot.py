"""Builds the raw snapshot in the shape that `contracts.snapshot` reads."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from io import BytesIO
from typing import Any

from contracts.documents import SCHEMA_VERSION
from services.extractor.earlier import as_blocks
from services.extractor.enrichment import Enrichment
from services.extractor.features import Features
from services.extractor.playlist import RUN_AGAIN, CompletePlaylist


@dataclass(frozen=True, slots=True)
class Extraction:
    """The result of reading a playlist.

    Attributes:
        extracted_at: When Spotify was read, in UTC.
        market: The market of the requests, ISO 3166-1 alpha-2.
        calls: Calls spent on this playlist, including one for an access token if it was needed.
        found: The capabilities that the run has found so far.
    """

    run_id: str
    extracted_at: datetime
    snapshot_date: date
    market: str
    calls: int
    playlist: CompletePlaylist
    artists: Enrichment
    albums: Enrichment
    features: Features
    found: Mapping[str, str]

    @property
    def capabilities(self) -> dict[str, str]:
        """The finding for each part: `ok`, `none needed`, `absent` or a fault's finding."""
        return {
            **self.found,
            "contents": self.playlist.finding,
            "artists": self.artists.finding,
            "albums": self.albums.finding,
            **{f"audio_features.{source}": finding for source, finding in self.features.findings.items()},
        }

    @property
    def sentence(self) -> str | None:
        """What is missing and what to do; None unless another run may bring it."""
        return ". ".join(filter(None, (self.playlist.sentence, self._missing_enrichment))) or None

    @property
    def _missing_enrichment(self) -> str | None:
        enrichments = {"artists": self.artists, "albums": self.albums}
        missing = [
            f"{len(each.open):,} {kind} are unknown: {each.cause or 'Spotify left them out of its answer'}"
            for kind, each in enrichments.items()
            if each.is_worth_another_run
        ]
        if self.features.open and (faults := self.features.faults):
            missing.append(f"{self.features.open:,} tracks have no audio features: {faults}")
        return f"{'; '.join(missing)}. {RUN_AGAIN}" if missing else None


def as_raw_snapshot(extraction: Extraction) -> bytes:
    """Returns the raw object's body, JSON in UTF-8, with Spotify's data verbatim.

    A lone surrogate, which JSON can express and UTF-8 cannot, stays an escape.
    """
    document: dict[str, Any] = {
        "snapshot": {
            "schema_version": SCHEMA_VERSION,
            "run_id": extraction.run_id,
            "extracted_at": extraction.extracted_at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "snapshot_date": extraction.snapshot_date.isoformat(),
            "source": "spotify",
            "market": extraction.market,
            "capabilities": extraction.capabilities,
            "calls": extraction.calls,
            "outcome": extraction.playlist.outcome,
        },
        "playlist": extraction.playlist.document,
        "artists": extraction.artists.items,
        "earlier_artists": as_blocks(extraction.artists.earlier),
        "albums": extraction.albums.items,
        "audio_features": extraction.features.blocks,
    }
    body = BytesIO()
    for name, value in document.items():
        body.write(b"," if body.tell() else b"{")
        body.write(_encoded(name) + b":")
        if isinstance(value, list):
            _write_list(value, body)
        else:
            body.write(_encoded(value))
    body.write(b"}")
    return body.getvalue()


def _write_list(elements: Sequence[Any], body: BytesIO) -> None:
    """Writes element by element: the text of ten thousand albums would double the memory of their bytes."""
    body.write(b"[")
    body.writelines(b"," * bool(index) + _encoded(element) for index, element in enumerate(elements))
    body.write(b"]")


def _encoded(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode(errors="backslashreplace")
