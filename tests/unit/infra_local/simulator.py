"""A simulator in process, as the tests of its parts talk to it."""

from collections.abc import Mapping
from typing import Any

from starlette.testclient import TestClient

from infra.local.spotify.admin import Decoration, Fault, FaultPlan, TierName
from infra.local.spotify.app import create_app
from infra.local.spotify.authorization import Application
from infra.local.spotify.catalogue import Catalogue
from infra.local.spotify.documents import CapturedPlaylist
from infra.local.spotify.tiers import TIERS

CLIENT_ID, CLIENT_SECRET = "the-client-id", "the-client-secret"
APPLICATION = Application(CLIENT_ID, CLIENT_SECRET)
DAY = "2026-05-25"
REDIRECT_URI = "http://127.0.0.1:8080/callback"


def simulator(
    catalogue: Catalogue, tier: TierName = "extended", captured: Mapping[str, CapturedPlaylist] | None = None
) -> TestClient:
    """A client of a new simulator, with a token of the application's own."""
    client = TestClient(create_app(catalogue, APPLICATION, tier=TIERS[tier], captured=captured), follow_redirects=False)
    client.put("/_simulator/clock", json={"date": DAY})
    return authorized(client)


def authorized(client: TestClient) -> TestClient:
    """The client with another token of the application's own."""
    return bearing(client, token(client, grant_type="client_credentials"))


def bearing(client: TestClient, answer: Mapping[str, Any]) -> TestClient:
    """The client with the access token of an answer."""
    client.headers["Authorization"] = f"Bearer {answer['access_token']}"
    return client


def token(client: TestClient, **form: str) -> dict[str, Any]:
    """The token service's answer to a grant."""
    answer: dict[str, Any] = client.post("/api/token", data=form, auth=(CLIENT_ID, CLIENT_SECRET)).json()
    return answer


def consented(client: TestClient) -> dict[str, Any]:
    """The tokens of the user who owns the simulated lists."""
    query = {"client_id": CLIENT_ID, "response_type": "code", "redirect_uri": REDIRECT_URI}
    location = client.get("/authorize", params=query).headers["Location"]
    code = location.partition("code=")[2]
    return token(client, grant_type="authorization_code", code=code, redirect_uri=REDIRECT_URI)


def plan(client: TestClient, *faults: Fault, decorations: tuple[Decoration, ...] = ()) -> None:
    """Let faults come."""
    body = FaultPlan(faults=faults, decorations=decorations).model_dump_json()
    client.put("/_simulator/faults", content=body).raise_for_status()


def error(status: int, message: str | None) -> dict[str, object]:
    """The body of an error as Spotify writes it."""
    return {"error": {"status": status} | ({} if message is None else {"message": message})}
