"""The simulator over HTTP: two routes of ListenBrainz' API, and its own.

Sources: https://listenbrainz.readthedocs.io/en/latest/users/api/statistics.html,
https://listenbrainz.readthedocs.io/en/latest/users/api/metadata.html
"""

import json
from datetime import timedelta
from functools import partial
from typing import Any, Final
from uuid import UUID

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from infra.local.answers import Endpoint, faulty
from infra.local.clock import CLOCK_PATH
from infra.local.faults import FAULTS_PATH, strike
from infra.local.listenbrainz.admin import (
    METADATA_PATH,
    STATISTICS_PATH,
    Fault,
    FaultPlan,
    SimulatorInfo,
)
from infra.local.listenbrainz.listening import MOST_ROWS, Listening
from infra.local.loopback import INFO_PATH
from infra.local.settings import SettableClock, setting, told
from infra.local.spotify.catalogue import LAST_RELEASE, Catalogue

EARLIEST_DATE: Final = LAST_RELEASE + timedelta(days=15)
"""The first day that the clock can be set to; every song of the catalogue was out in the week before by then."""

_DEFAULT_COUNT: Final = 25
_RANGES: Final = frozenset(
    {"this_week", "this_month", "this_year", "week", "month", "quarter", "year", "half_yearly", "all_time"}
)
_INCS: Final = ("artist", "tag", "release")
_GRANTED: Final = {
    "X-RateLimit-Limit": "30",
    "X-RateLimit-Remaining": "29",
    "X-RateLimit-Reset-In": "5",
}
_REFUSALS: Final = {
    "rate_limited": (429, "You have exceeded your rate limit. See the X-RateLimit-* response headers."),
    "bad_request": (400, "Invalid range: week"),
    "server_error": (500, "An unknown error occured."),
    "unavailable": (503, "Service temporarily unavailable."),
}


def create_app(catalogue: Catalogue) -> Starlette:
    """Return the simulator as an ASGI application.

    Args:
        catalogue: The songs that are listened to.
    """
    simulator = _Simulator(catalogue)
    statistics = partial(simulator.answer, STATISTICS_PATH, simulator.statistics)
    metadata = partial(simulator.answer, METADATA_PATH, simulator.metadata)
    return Starlette(
        routes=[
            Route(INFO_PATH, simulator.info),
            Route(CLOCK_PATH, simulator.clock.set, methods=["PUT"]),
            Route(FAULTS_PATH, simulator.faults),
            Route(FAULTS_PATH, simulator.set_faults, methods=["PUT"]),
            Route(STATISTICS_PATH, statistics),
            Route(METADATA_PATH, metadata, methods=["POST"]),
        ],
        exception_handlers={HTTPException: _error},
    )


class _Simulator:
    """What a running simulator knows: its songs, its clock, its faults."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._listening = Listening(catalogue)
        self.clock = SettableClock(EARLIEST_DATE)
        self._faults: tuple[Fault, ...] = ()

    async def answer(self, path: str, endpoint: Endpoint, request: Request) -> Response:
        """Answer a call that may be struck by a fault."""
        fault, self._faults = strike(self._faults, lambda fault: fault.endpoint == path)
        request.state.weeks_behind = int(fault is not None and fault.kind == "last_week")
        if fault is None:
            return await endpoint(request)
        return _refusal(fault) if fault.kind in _REFUSALS else await _faulty(fault, endpoint, request)

    async def statistics(self, request: Request) -> Response:
        """Answer a call for sitewide statistics; only those of weeks are there."""
        asked = request.query_params.get("range", "all_time")
        if asked not in _RANGES:
            raise HTTPException(400, f"Invalid range: {asked}")
        count, offset = _number(request, "count", _DEFAULT_COUNT), _number(request, "offset", 0)
        if asked != "week":
            return Response(status_code=204, headers=_GRANTED)
        today = self.clock.shown.date
        monday = today - timedelta(days=today.weekday(), weeks=1 + request.state.weeks_behind)
        return JSONResponse(self._listening.statistics(monday, count=count, offset=offset), headers=_GRANTED)

    async def metadata(self, request: Request) -> JSONResponse:
        """Answer a call for the metadata of recordings."""
        try:
            asked = json.loads(await request.body())
            mbids, incs = asked["recording_mbids"], str(asked.get("inc", "")).split()
        except (ValueError, KeyError, TypeError, AttributeError):
            raise HTTPException(400, "recording_mbids must be present and be a list of recording MBIDs.") from None
        if unknown := [inc for inc in incs if inc not in _INCS]:
            raise HTTPException(400, f"invalid inc argument '{unknown[0]}'. Must be one of {','.join(_INCS)}.")
        if len(mbids) > MOST_ROWS:
            raise HTTPException(400, f"There can be a maximum of {MOST_ROWS} recording_mbids in a request.")
        if wrong := [mbid for mbid in mbids if not _is_mbid(mbid)]:
            raise HTTPException(400, f"Recording mbid {wrong[0]} is not valid.")
        known = [inc for inc in incs if inc != "tag"]
        return JSONResponse(self._listening.metadata(mbids, known), headers=_GRANTED)

    async def info(self, _request: Request) -> JSONResponse:
        """Tell what the simulator is."""
        return told(SimulatorInfo(name="Earworm's ListenBrainz simulator", clock=self.clock.shown))

    async def faults(self, _request: Request) -> JSONResponse:
        """Tell what is still to go wrong."""
        return told(FaultPlan(faults=self._faults))

    async def set_faults(self, request: Request) -> JSONResponse:
        """Let other things go wrong than before."""
        self._faults = (await setting(FaultPlan, 'Faults take {"faults": […]}', request)).faults
        return await self.faults(request)


def _refusal(fault: Fault) -> Response:
    status, message = _REFUSALS[fault.kind]
    spent = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset-In": f"{fault.seconds:.0f}"} if fault.seconds else {}
    return JSONResponse({"code": status, "error": message}, status, _GRANTED | spent)


async def _faulty(fault: Fault, endpoint: Endpoint, request: Request) -> Response:
    answer = await faulty(fault.kind, fault.seconds, endpoint, request)
    match fault.kind:
        case "not_calculated":
            return Response(status_code=204, headers=_GRANTED)
        case "no_metadata":
            return JSONResponse({}, headers=_GRANTED)
        case _:
            return answer


def _number(request: Request, name: str, default: int) -> int:
    text = request.query_params.get(name, str(default))
    if not text.isdecimal():
        raise HTTPException(400, f"'{name}' should be a non-negative integer")
    return int(text)


def _is_mbid(mbid: Any) -> bool:
    try:
        return isinstance(mbid, str) and str(UUID(mbid)) == mbid.lower()
    except ValueError:
        return False


def _error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    own = request.url.path.startswith(INFO_PATH)
    body = {"error": {"message": error.detail}} if own else {"code": error.status_code, "error": error.detail}
    return JSONResponse(body, status_code=error.status_code, headers=_GRANTED)
