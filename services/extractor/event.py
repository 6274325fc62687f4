from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field, Strict

from contracts.playlists import playlist_ids
from shared.deferral import MOST_DEFERRALS
from shared.invocation import Invocation, ScheduledTime


class Event(Invocation):
    """What starts a run.

    Attributes:
        scheduled_time: When the run was due, ISO 8601 with its zone; its day in UTC is the snapshot's.
        playlists: The playlists to take in place of those in the settings: ids, links or URIs.
        deferrals: How often this run was deferred already.
    """

    holds: ClassVar[str] = (
        "It may hold scheduled_time (ISO 8601 with a zone, such as "
        "2026-11-22T06:00:00Z), playlists (a list of ids, links or URIs) and deferrals "
        f"(0 to {MOST_DEFERRALS}), and nothing else"
    )

    scheduled_time: ScheduledTime | None = None
    playlists: Annotated[tuple[str, ...], Field(min_length=1), AfterValidator(playlist_ids)] | None = None
    deferrals: Annotated[int, Strict(), Field(ge=0, le=MOST_DEFERRALS)] = 0
