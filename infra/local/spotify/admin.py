"""What the simulator tells of itself, and takes, on its own routes."""

import datetime as dt
from typing import Annotated, Final, Literal, Self

from pydantic import Field, model_validator

from infra.local.clock import Clock, Message
from infra.local.faults import PlannedFault
from infra.local.loopback import INFO_PATH

TIER_PATH: Final = f"{INFO_PATH}/tier"
CONSENT_PATH: Final = f"{INFO_PATH}/consent"

TierName = Literal["extended", "extended_late", "dev_2024", "dev_2026"]
Generation = Literal["2025", "2026", "both"]
FaultKind = Literal[
    "rate_limited",
    "quota_exceeded",
    "server_error",
    "unavailable",
    "forbidden",
    "timeout",
    "truncated_body",
    "invalid_json",
    "short_page",
    "floats",
    "expired_token",
    "edited",
]

_PLAYLIST_ENDPOINTS: Final = "/v1/playlists/{id}"
_PAGES: Final = ("/items", "/tracks")
_NEED_SECONDS: Final = frozenset({"rate_limited", "timeout"})
_TAKE_SECONDS: Final = _NEED_SECONDS | {"quota_exceeded"}


class TierSetting(Message):
    """What Spotify grants the application, and the names that playlists use; None stands for the tier's own."""

    tier: TierName
    generation: Generation | None = None


class ConsentSetting(Message):
    """The day on which the user shall have consented to every refresh token that was given out so far."""

    date: dt.date


class Fault(PlannedFault):
    """Something that goes wrong at an endpoint, for some calls.

    Attributes:
        endpoint: Template of the route, such as `/v1/playlists/{id}/items` or `/api/token`.
        kind: `rate_limited` and `quota_exceeded` answer 429 (the latter names its reason), `server_error` 500,
            `unavailable` 503, `forbidden` 403. `timeout` holds the answer. `truncated_body` ends the connection in the
            middle of the answer, `invalid_json` ends the answer there. `short_page` leaves out the second half of a
            page's entries. `floats` sends every whole number with a fraction, as in `67.0`. `expired_token` expires
            every access token given out so far. `edited` changes the list before it answers: a new snapshot_id, its
            first entry last.
        playlist: Counts only the calls for this list; None counts every call of the endpoint.
        seconds: `Retry-After` of the 429, or how long the answer is held.
    """

    endpoint: str
    kind: FaultKind
    playlist: str | None = None
    seconds: Annotated[float, Field(gt=0)] | None = None

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Self:
        if self.seconds is None and self.kind in _NEED_SECONDS:
            raise ValueError(f"{self.kind} needs seconds")
        if self.seconds is not None and self.kind not in _TAKE_SECONDS:
            raise ValueError(f"{self.kind} takes no seconds; {', '.join(sorted(_TAKE_SECONDS))} do")
        if self.seconds is not None and self.kind != "timeout" and not self.seconds.is_integer():
            raise ValueError(f"Retry-After is in whole seconds, not {self.seconds}")
        for_a_list = self.endpoint.startswith(_PLAYLIST_ENDPOINTS)
        if (self.playlist is not None or self.kind == "edited") and not for_a_list:
            raise ValueError(f"{self.endpoint} serves no playlist; {_PLAYLIST_ENDPOINTS} and those below it do")
        if self.kind == "short_page" and not self.endpoint.endswith(_PAGES):
            raise ValueError(f"{self.endpoint} serves no pages; {_PLAYLIST_ENDPOINTS}{' and '.join(_PAGES)} do")
        if self.kind == "expired_token" and not self.endpoint.startswith("/v1/"):
            raise ValueError(f"{self.endpoint} takes no access token; the endpoints below /v1/ do")
        return self


class Decoration(Message):
    """Odd entries that are mixed into a list, at places that follow from the seed.

    Attributes:
        playlist: Id of the list.
        seed: Another seed, other places.
        null_entries: Entries whose track is null, as when it was taken down.
        local_files: Tracks from a user's disk, without any id.
        episodes: Episodes of a podcast.
    """

    playlist: str
    seed: int = 0
    null_entries: Annotated[int, Field(ge=0)] = 0
    local_files: Annotated[int, Field(ge=0)] = 0
    episodes: Annotated[int, Field(ge=0)] = 0


class FaultPlan(Message):
    """All that shall go wrong. The first fault that is due strikes, and one call is struck at most once."""

    faults: tuple[Fault, ...] = ()
    decorations: tuple[Decoration, ...] = ()

    @model_validator(mode="after")
    def _decorates_once(self) -> Self:
        lists = [decoration.playlist for decoration in self.decorations]
        twice = sorted({playlist for playlist in lists if lists.count(playlist) > 1})
        if twice:
            raise ValueError(f"decorated more than once: {', '.join(twice)}")
        return self


class PlaylistInfo(Message):
    """A playlist that the simulator serves."""

    id: str
    name: str


class SimulatorInfo(Message):
    """The simulator: its name, its clock, its tier and its playlists.

    Attributes:
        name: What calls itself a simulator.
        clock: The day that it shows.
        tier: What Spotify grants the application.
        playlists: The lists that are worth extracting every week.
        other_playlists: Lists that are served besides: a long one, one that Spotify owns, captured documents.
    """

    name: str
    clock: Clock
    tier: TierSetting
    playlists: tuple[PlaylistInfo, ...]
    other_playlists: tuple[PlaylistInfo, ...]
