"""The simulator over HTTP: Spotify's Web API and token service and ReccoBeats under one address, and its own routes.

Below `/v1/` stands the Web API, at `/authorize` and `/api/token` the token service, below `/reccobeats/v1/` ReccoBeats.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from functools import partial
from typing import Final
from urllib.parse import parse_qsl

from msgspec import json
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from infra.local.answers import Endpoint
from infra.local.clock import CLOCK_PATH
from infra.local.faults import FAULTS_PATH, strike
from infra.local.loopback import INFO_PATH
from infra.local.settings import SettableClock, setting, told
from infra.local.spotify.admin import (
    CONSENT_PATH,
    TIER_PATH,
    ConsentSetting,
    Fault,
    FaultPlan,
    PlaylistInfo,
    SimulatorInfo,
    TierSetting,
)
from infra.local.spotify.authorization import Application, Authorization, TokenError
from infra.local.spotify.catalogue import LAST_RELEASE, Catalogue
from infra.local.spotify.documents import CapturedPlaylist, Documents
from infra.local.spotify.faults import faulty
from infra.local.spotify.playlists import Playlists
from infra.local.spotify.reccobeats import ReccoBeats
from infra.local.spotify.tiers import TIERS, Tier, TierError
from infra.local.spotify.trending import PLAYLISTS, Trends
from infra.local.spotify.web_api import OPERATIONS, Call, Operation, market, unknown_operation

EARLIEST_DATE: Final = LAST_RELEASE + timedelta(days=1)
"""The first day that the clock can be set to; every song of the catalogue is out by then."""

_SERVICE_ROUTES: Final = ("/api/token", "/authorize", "/reccobeats/v1/audio-features")
ENDPOINTS: Final = (*_SERVICE_ROUTES, *(f"/v1{path}" for path in OPERATIONS))
"""The templates of the routes at which faults can strike."""


def create_app(
    catalogue: Catalogue,
    application: Application,
    *,
    tier: Tier = TIERS["extended"],
    captured: Mapping[str, CapturedPlaylist] | None = None,
    seconds: Callable[[], float] = time.monotonic,
) -> Starlette:
    """Return the simulator as an ASGI application.

    Args:
        catalogue: The songs.
        application: The Spotify application that is registered.
        tier: What Spotify grants the application at first.
        captured: Real lists by their ids, served besides.
        seconds: The clock by which access tokens expire.
    """
    simulator = _Simulator(catalogue, application, tier, captured or {}, seconds)
    return Starlette(
        routes=[
            Route(INFO_PATH, simulator.info),
            Route(CLOCK_PATH, simulator.clock.set, methods=["PUT"]),
            Route(TIER_PATH, simulator.set_tier, methods=["PUT"]),
            Route(CONSENT_PATH, simulator.set_consent_date, methods=["PUT"]),
            Route(FAULTS_PATH, simulator.faults),
            Route(FAULTS_PATH, simulator.set_faults, methods=["PUT"]),
            *_routes(simulator),
        ],
        exception_handlers={HTTPException: _error},
    )


def _routes(simulator: "_Simulator") -> Iterator[Route]:
    token, authorize, reccobeats = _SERVICE_ROUTES
    yield Route(token, partial(simulator.answer, token, simulator.token), methods=["POST"])
    yield Route(authorize, partial(simulator.answer, authorize, simulator.authorize))
    yield Route(reccobeats, partial(simulator.answer, reccobeats, simulator.reccobeats))
    for path, operation in {**OPERATIONS, "/{path:path}": unknown_operation}.items():
        endpoint = partial(simulator.answer, f"/v1{path}", partial(simulator.web_api, operation))
        for slash in ("", "/"):
            yield Route(f"/v1{path}{slash}", endpoint)


class _Simulator:
    """What a running simulator knows: its songs, its lists, its clock, its tier, its tokens, its faults."""

    def __init__(
        self,
        catalogue: Catalogue,
        application: Application,
        tier: Tier,
        captured: Mapping[str, CapturedPlaylist],
        seconds: Callable[[], float],
    ) -> None:
        self.clock = SettableClock(EARLIEST_DATE)
        self._catalogue = catalogue
        self._trends = Trends(catalogue)
        self._playlists = Playlists(self._trends, captured)
        self._reccobeats = ReccoBeats(catalogue)
        self._authorization = Authorization(application, seconds=seconds, today=lambda: self.clock.shown.date)
        self._tier = tier
        self._faults: tuple[Fault, ...] = ()

    async def answer(self, template: str, endpoint: Endpoint, request: Request) -> Response:
        """Answer a call that may be struck by a fault."""
        playlist = request.path_params.get("id")
        fault, self._faults = strike(
            self._faults, lambda fault: fault.endpoint == template and fault.playlist in (None, playlist)
        )
        if fault is None:
            return await endpoint(request)
        if fault.kind == "expired_token":
            self._authorization.expire_access_tokens()
        if fault.kind == "edited" and playlist is not None:
            self._playlists.edit(playlist)
        return await faulty(fault, endpoint, request)

    async def web_api(self, operation: Operation, request: Request) -> Response:
        """Answer a call of the Web API: the one way from a request through its application's tier to an answer."""
        caller = self._authorization.caller(request.headers.get("Authorization"))
        documents = Documents(
            catalogue=self._catalogue,
            trends=self._trends,
            on=self.clock.shown.date,
            base=f"{request.base_url}v1",
            market=market(request.query_params),
        )
        document = operation(
            Call(
                tier=self._tier,
                caller=caller,
                playlists=self._playlists,
                documents=documents,
                path=request.path_params,
                query=request.query_params,
            )
        )
        # These are large: JSONResponse takes longer to write one than all else takes to make it.
        return Response(json.encode(self._tier.granted(document)), media_type="application/json")

    async def token(self, request: Request) -> JSONResponse:
        """Answer a call of the token service."""
        form = dict(parse_qsl((await request.body()).decode(errors="replace")))
        try:
            answer = self._authorization.issue(authorization=request.headers.get("Authorization"), form=form)
        except TokenError as refused:
            return JSONResponse({"error": refused.error, "error_description": refused.description}, status_code=400)
        return JSONResponse(answer)

    async def authorize(self, request: Request) -> RedirectResponse:
        """Send the user, who agrees without being asked, back to the application."""
        return RedirectResponse(self._authorization.consent(request.query_params), status_code=303)

    async def reccobeats(self, request: Request) -> JSONResponse:
        """Answer a call of ReccoBeats."""
        return JSONResponse(self._reccobeats.audio_features(request.query_params.getlist("ids")))

    async def info(self, _request: Request) -> JSONResponse:
        """Tell what the simulator is and serves."""
        usual = {playlist.id for playlist in PLAYLISTS}
        playlists = [PlaylistInfo(id=playlist.id, name=playlist.name) for playlist in self._playlists.by_id.values()]
        return told(
            SimulatorInfo(
                name="Earworm's Spotify simulator",
                clock=self.clock.shown,
                tier=self._tier_setting(),
                playlists=tuple(playlist for playlist in playlists if playlist.id in usual),
                other_playlists=tuple(playlist for playlist in playlists if playlist.id not in usual),
            )
        )

    async def set_tier(self, request: Request) -> JSONResponse:
        """Change what Spotify grants the application."""
        form = 'The tier takes {"tier": …} with one of ' + ", ".join(TIERS) + ' and, if you like, {"generation": …}'
        change = await setting(TierSetting, form, request)
        try:
            self._tier = TIERS[change.tier].of_generation(change.generation)
        except TierError as error:
            raise HTTPException(400, str(error)) from None
        return told(self._tier_setting())

    async def set_consent_date(self, request: Request) -> JSONResponse:
        """Change the age of the refresh tokens."""
        change = await setting(ConsentSetting, 'The consent takes {"date": "YYYY-MM-DD"}', request)
        self._authorization.date_consents(change.date)
        return told(change)

    async def faults(self, _request: Request) -> JSONResponse:
        """Tell what is still to go wrong."""
        return told(FaultPlan(faults=self._faults, decorations=self._playlists.decorations))

    async def set_faults(self, request: Request) -> JSONResponse:
        """Let other things go wrong than before."""
        plan = await setting(FaultPlan, 'Faults take {"faults": […], "decorations": […]}', request)
        for fault in plan.faults:
            if fault.endpoint not in ENDPOINTS:
                raise HTTPException(400, f"There is no endpoint {fault.endpoint}; there are {', '.join(ENDPOINTS)}.")
        named = [fault.playlist for fault in plan.faults] + [decoration.playlist for decoration in plan.decorations]
        for playlist in named:
            if playlist is not None and playlist not in self._playlists.by_id:
                known = ", ".join(self._playlists.by_id)
                raise HTTPException(400, f"There is no playlist {playlist}; there are {known}.")
        self._faults = plan.faults
        self._playlists.restore(plan.decorations)
        return await self.faults(request)

    def _tier_setting(self) -> TierSetting:
        return TierSetting(tier=self._tier.name, generation=self._tier.generation)


def _error(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    message = {"message": error.detail} if error.detail else {}
    return JSONResponse(
        {"error": {"status": error.status_code, **message}}, status_code=error.status_code, headers=error.headers
    )
