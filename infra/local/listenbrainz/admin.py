"""What the simulator tells of itself, and takes, on its own routes."""

from typing import Annotated, Final, Literal, Self

from pydantic import Field, model_validator

from infra.local.clock import Clock, Message
from infra.local.faults import PlannedFault

STATISTICS_PATH: Final = "/1/stats/sitewide/recordings"
METADATA_PATH: Final = "/1/metadata/recording/"

FaultKind = Literal[
    "not_calculated",
    "last_week",
    "rate_limited",
    "bad_request",
    "server_error",
    "unavailable",
    "timeout",
    "truncated_body",
    "invalid_json",
    "no_metadata",
]
_OF_THE_STATISTICS: Final = frozenset({"not_calculated", "last_week"})
_WITH_SECONDS: Final = frozenset({"rate_limited", "timeout"})


class Fault(PlannedFault):
    """Something that goes wrong at an endpoint, for some calls.

    Attributes:
        endpoint: Path of the route.
        kind: `not_calculated` answers 204, `last_week` with the week before, as on a Monday morning; `rate_limited`
            429, `bad_request` 400, `server_error` 500, `unavailable` 503. `timeout` holds the answer. `truncated_body`
            ends the connection in the middle of the answer, `invalid_json` ends the answer there. `no_metadata` knows
            no recording.
        seconds: `X-RateLimit-Reset-In` of the 429, or how long the answer is held.
    """

    endpoint: Literal["/1/stats/sitewide/recordings", "/1/metadata/recording/"]
    kind: FaultKind
    seconds: Annotated[float, Field(gt=0)] | None = None

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Self:
        if (self.seconds is None) is (self.kind in _WITH_SECONDS):
            raise ValueError(f"{' and '.join(sorted(_WITH_SECONDS))} need seconds, and nothing else takes them")
        if self.kind in _OF_THE_STATISTICS and self.endpoint != STATISTICS_PATH:
            raise ValueError(f"{self.kind} strikes {STATISTICS_PATH} alone")
        if self.kind == "no_metadata" and self.endpoint != METADATA_PATH:
            raise ValueError(f"{self.kind} strikes {METADATA_PATH} alone")
        return self


class FaultPlan(Message):
    """All that shall go wrong. The first fault that is due strikes, and one call is struck at most once."""

    faults: tuple[Fault, ...] = ()


class SimulatorInfo(Message):
    """The simulator: its name and its clock."""

    name: str
    clock: Clock
