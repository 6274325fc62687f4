"""The raw snapshot, in the shape that `contracts.snapshot` reads."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from contracts.documents import SCHEMA_VERSION
from services.extractor.enrichment import Enrichment
from services.extractor.features import Features
from services.extractor.playlist import CompletePlaylist


@dataclass(frozen=True, slots=True)
class Extraction:
    """All that a run has learned of a playlist.

    Attributes:
        extracted_at: When Spotify was read, in UTC.
        market: The country whose view was taken, ISO 3166-1 alpha-2.
        calls: Calls spent on this playlist, one for an access token included if it was needed.
        found: What the run has found out of Spotify so far.
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
        """What was given and what was not, and why: `ok`, `none needed`, `absent` or a fault's finding."""
        return {
            **self.found,
            "contents": self.playlist.finding,
            "artists": self.artists.finding,
            "albums": self.albums.finding,
            **{f"audio_features.{source}": finding for source, finding in self.features.findings.items()},
        }


def as_raw_snapshot(extraction: Extraction) -> bytes:
    """The raw object's body, JSON in UTF-8, with what Spotify sent as Spotify sent it.

    Half of a surrogate pair, which JSON can say and UTF-8 cannot, stays the escape that it came as.
    """
    document = {
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
        "albums": extraction.albums.items,
        "audio_features": extraction.features.blocks,
    }
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    return text.encode(errors="backslashreplace")
