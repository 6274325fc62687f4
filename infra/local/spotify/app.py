"""The simulator over HTTP: Spotify's Web API and token service under one address, and routes of its own."""

import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Final
from urllib.parse import parse_qs

from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from infra.local.spotify.admin import CLOCK_PATH, INFO_PATH, Clock, ClockSetting, PlaylistInfo, SimulatorInfo
from infra.local.spotify.authorization import (
    CLIENT_ID,
    CLIENT_SECRET,
    SECONDS_OF_A_TOKEN,
    Application,
    Authorization,
    Generation,
    Tier,
    TokenError,
)
from infra.local.spotify.catalogue import LAST_RELEASE, Catalogue
from infra.local.spotify.documents import Documents
from infra.local.spotify.trending import PLAYLISTS, Trends
from infra.local.spotify.web_api import OPERATIONS, Call, Operation, market, unknown_operation

EARLIEST_DATE: Final = LAST_RELEASE + timedelta(days=1)
"""The first day that the clock can be set to; every song of the catalogue is out by then."""


def create_app(
    catalogue: Catalogue, *, generation: Generation = "both", seconds: Callable[[], float] = time.monotonic
) -> Starlette:
    """Return the simulator as an ASGI application, with one registered Spotify application.

    Args:
        catalogue: The songs.
        generation: The names that playlists use, see `Tier`.
        seconds: The clock by which tokens expire.
    """
    application = Application(CLIENT_ID, CLIENT_SECRET, Tier(generation))
    simulator = _Simulator(catalogue, Authorization(application, seconds=seconds))
    operations = {**OPERATIONS, "/{path:path}": unknown_operation}
    return Starlette(
        routes=[
            Route("/api/token", simulator.token, methods=["POST"]),
            Route(INFO_PATH, simulator.info),
            Route(CLOCK_PATH, simulator.set_clock, methods=["PUT"]),
            *(
                Route(f"/v1{path}{slash}", partial(simulator.web_api, operation))
                for path, operation in operations.items()
                for slash in ("", "/")
            ),
        ],
        exception_handlers={HTTPException: _error},
    )


class _Simulator:
    """What a running simulator knows: its songs, its clock, its tokens."""

    def __init__(self, catalogue: Catalogue, authorization: Authorization) -> None:
        self._catalogue = catalogue
        self._trends = Trends(catalogue)
        self._authorization = authorization
        self._date: date | None = None

    async def web_api(self, operation: Operation, request: Request) -> JSONResponse:
        """Answer a call of the Web API: the one way from a request through its application's tier to an answer."""
        application = self._authorization.application(request.headers.get("Authorization"))
        documents = Documents(
            catalogue=self._catalogue,
            trends=self._trends,
            on=self._clock().date,
            base=f"{request.base_url}v1",
            market=market(request.query_params),
        )
        return JSONResponse(
            operation(
                Call(
                    tier=application.tier,
                    documents=documents,
                    path=request.path_params,
                    query=request.query_params,
                )
            )
        )

    async def token(self, request: Request) -> JSONResponse:
        """Answer a call of the token service."""
        form = parse_qs((await request.body()).decode(errors="replace"))
        try:
            token = self._authorization.issue(
                authorization=request.headers.get("Authorization"), grant_type=form.get("grant_type", [""])[0]
            )
        except TokenError as refused:
            return JSONResponse({"error": refused.error, "error_description": refused.description}, status_code=400)
        return JSONResponse({"access_token": token, "token_type": "Bearer", "expires_in": SECONDS_OF_A_TOKEN})

    async def info(self, _request: Request) -> JSONResponse:
        """Tell what the simulator is and serves."""
        playlists = tuple(PlaylistInfo(id=playlist.id, name=playlist.name) for playlist in PLAYLISTS)
        info = SimulatorInfo(name="Earworm's Spotify simulator", clock=self._clock(), playlists=playlists)
        return JSONResponse(info.model_dump(mode="json"))

    async def set_clock(self, request: Request) -> JSONResponse:
        """Set the day that the simulator shows, or let it follow the calendar again."""
        try:
            day = ClockSetting.model_validate_json(await request.body()).date
        except ValidationError:
            raise HTTPException(400, 'The clock takes {"date": "YYYY-MM-DD"} or {"date": null}.') from None
        if day is not None and day < EARLIEST_DATE:
            raise HTTPException(400, f"The clock cannot be set to {day}: its first day is {EARLIEST_DATE}.")
        self._date = day
        return JSONResponse(self._clock().model_dump(mode="json"))

    def _clock(self) -> Clock:
        return Clock(date=self._date or datetime.now(UTC).date(), is_set=self._date is not None)


def _error(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    return JSONResponse(
        {"error": {"status": error.status_code, "message": error.detail}},
        status_code=error.status_code,
        headers=error.headers,
    )
