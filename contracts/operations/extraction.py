"""Runs of the extractor: their request, summary and log events."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, ClassVar, Literal, TypeAlias

from pydantic import AfterValidator, AwareDatetime, Field

from contracts.operations.collecting import MOST_DEFERRALS, ListSummary, ScheduledRequest
from contracts.operations.payload import Facts, Payload
from contracts.playlists import playlist_ids

Stored: TypeAlias = Literal["ok", "partial", "metadata_only"]
"""The outcomes of a playlist whose snapshot was stored."""
NotStored: TypeAlias = Literal["forbidden", "not_found_or_editorial", "quota", "failed"]
"""The outcomes of a playlist without a snapshot."""


class ExtractionRequest(ScheduledRequest):
    """The event that starts a run. The day of its scheduled time in UTC is the snapshot's.

    Attributes:
        playlists: The playlists to take in place of those in the settings: ids, links or URIs.
    """

    holds: ClassVar[str] = (
        "It may hold scheduled_time (ISO 8601 with a zone, such as "
        "2026-11-22T06:00:00Z), playlists (a list of ids, links or URIs) and deferrals "
        f"(0 to {MOST_DEFERRALS}), and nothing else"
    )

    playlists: Annotated[tuple[str, ...], Field(min_length=1), AfterValidator(playlist_ids)] | None = None


class PlaylistSummary(ListSummary):
    """The outcome of a playlist."""

    playlist_id: str
    outcome: Stored | NotStored

    @property
    def name(self) -> str:
        """Its id."""
        return self.playlist_id


class DeferredRun(Payload):
    """The playlists that are left to another run, and when that starts."""

    due: AwareDatetime
    playlists: tuple[str, ...]


class RunSummary(Payload):
    """The outcome of a run; `calls` is the number of calls to Spotify."""

    run_id: str
    snapshot_date: date
    calls: int
    playlists: tuple[PlaylistSummary, ...]
    deferred: DeferredRun | None = None


class RunBegins(Facts):
    """The fields of `LogEvent.RUN_BEGINS`."""

    snapshot_date: date
    playlists: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """What it calls its lists."""
        return self.playlists


class RunOver(Facts):
    """The fields of `LogEvent.RUN_OVER`."""

    calls: int
    capabilities: Mapping[str, str]
    playlists: tuple[PlaylistSummary, ...]

    @property
    def lists(self) -> tuple[PlaylistSummary, ...]:
        """What became of each list."""
        return self.playlists
