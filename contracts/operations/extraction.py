"""Runs of the extractor: their request, summary and log events."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any, ClassVar, Final, Literal, TypeAlias

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field, Strict

from contracts.days import snapshot_day
from contracts.fields import naive_utc
from contracts.operations.payload import Facts, Payload, Request
from contracts.playlists import playlist_ids

MOST_DEFERRALS: Final = 3
"""How often a run may be deferred."""

Stored: TypeAlias = Literal["ok", "partial", "metadata_only"]
"""The outcomes of a playlist whose snapshot was stored."""
NotStored: TypeAlias = Literal["forbidden", "not_found_or_editorial", "quota", "failed"]
"""The outcomes of a playlist without a snapshot."""


def _from_iso(moment: Any) -> Any:
    return datetime.fromisoformat(moment) if isinstance(moment, str) else moment


def _of_a_snapshot(moment: datetime) -> datetime:
    snapshot_day(naive_utc(moment).date())
    return moment


class ExtractionRequest(Request):
    """The event that starts a run.

    Attributes:
        scheduled_time: When the run is due, ISO 8601 with its zone; its day in UTC is the snapshot's.
        playlists: The playlists to take in place of those in the settings: ids, links or URIs.
        deferrals: How often this run was deferred already.
    """

    holds: ClassVar[str] = (
        "It may hold scheduled_time (ISO 8601 with a zone, such as "
        "2026-11-22T06:00:00Z), playlists (a list of ids, links or URIs) and deferrals "
        f"(0 to {MOST_DEFERRALS}), and nothing else"
    )

    scheduled_time: (
        Annotated[AwareDatetime, Strict(), BeforeValidator(_from_iso), AfterValidator(_of_a_snapshot)] | None
    ) = None
    playlists: Annotated[tuple[str, ...], Field(min_length=1), AfterValidator(playlist_ids)] | None = None
    deferrals: Annotated[int, Strict(), Field(ge=0, le=MOST_DEFERRALS)] = 0


class PlaylistSummary(Payload):
    """The outcome of a playlist.

    Attributes:
        key: Where the snapshot is.
        entries: How many were received.
        sentence: What is missing or went wrong, and what to do.
    """

    playlist_id: str
    outcome: Stored | NotStored
    key: str | None = None
    entries: int | None = None
    sentence: str | None = None


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


class RunOver(Facts):
    """The fields of `LogEvent.RUN_OVER`."""

    calls: int
    capabilities: Mapping[str, str]
    playlists: tuple[PlaylistSummary, ...]
