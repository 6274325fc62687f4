"""The consent of a user, from the page that asks for it to the refresh token that it leaves."""

from urllib.parse import parse_qs, urlsplit

import pytest
from starlette.testclient import TestClient

from infra.local.spotify.catalogue import Catalogue
from tests.unit.infra_local.simulator import CLIENT_ID, DAY, REDIRECT_URI, bearing, consented, simulator, token

QUERY = {
    "client_id": CLIENT_ID,
    "response_type": "code",
    "redirect_uri": REDIRECT_URI,
    "scope": "playlist-read-private",
    "state": "s+1",
}


@pytest.fixture
def api(catalogue: Catalogue) -> TestClient:
    return simulator(catalogue)


def code(api: TestClient) -> str:
    location = api.get("/authorize", params=QUERY).headers["Location"]
    return parse_qs(urlsplit(location).query)["code"][0]


def test_the_user_is_sent_back_with_a_code_and_the_state(api: TestClient) -> None:
    answer = api.get("/authorize", params=QUERY)

    assert answer.status_code == 303
    assert answer.headers["Location"].startswith(f"{REDIRECT_URI}?code=")
    assert parse_qs(urlsplit(answer.headers["Location"]).query)["state"] == ["s+1"]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"client_id": "other"}, "INVALID_CLIENT: Invalid client"),
        ({"response_type": "token"}, "response_type must be code"),
        ({"redirect_uri": "http://example.com/"}, "INVALID_CLIENT: Insecure redirect URI"),
        ({"redirect_uri": ""}, "INVALID_CLIENT: Insecure redirect URI"),
    ],
)
def test_a_request_that_no_user_would_see_is_refused(api: TestClient, change: dict[str, str], sentence: str) -> None:
    answer = api.get("/authorize", params=QUERY | change)

    assert (answer.status_code, answer.json()["error"]["message"]) == (400, sentence)


def test_a_code_buys_an_access_token_and_a_refresh_token_once(api: TestClient) -> None:
    form = {"grant_type": "authorization_code", "code": code(api), "redirect_uri": REDIRECT_URI}

    first, second = token(api, **form), token(api, **form)

    assert first.keys() == {"access_token", "token_type", "expires_in", "refresh_token", "scope"}
    assert first["scope"] == "playlist-read-private"
    assert second == {"error": "invalid_grant", "error_description": "Invalid authorization code"}


def test_a_code_is_for_the_address_that_asked_for_it(api: TestClient) -> None:
    answer = token(api, grant_type="authorization_code", code=code(api), redirect_uri="http://127.0.0.1:1/")

    assert answer == {"error": "invalid_grant", "error_description": "Invalid redirect URI"}


def test_a_refresh_token_buys_access_again_and_again_but_no_other_refresh_token(api: TestClient) -> None:
    refresh_token = consented(api)["refresh_token"]

    answers = [token(api, grant_type="refresh_token", refresh_token=refresh_token) for _ in range(2)]

    for answer in answers:
        assert answer.keys() == {"access_token", "token_type", "expires_in", "scope"}
        assert bearing(api, answer).get("/v1/tracks/2wrJq5XKLnmhRXHIAf9xBa").status_code == 200


def test_an_unknown_refresh_token_is_refused(api: TestClient) -> None:
    answer = token(api, grant_type="refresh_token", refresh_token="x")

    assert answer == {"error": "invalid_grant", "error_description": "Invalid refresh token"}


@pytest.mark.parametrize("consented_on", ["2025-11-22", "2025-11-23", "2025-11-24"])
def test_a_consent_lasts_for_six_months_whatever_was_refreshed(api: TestClient, consented_on: str) -> None:
    # given
    refresh_token = consented(api)["refresh_token"]
    before = api.post("/api/token").status_code

    # when
    api.put("/_simulator/consent", json={"date": consented_on})
    answer = token(api, grant_type="refresh_token", refresh_token=refresh_token)

    # then
    assert before == 400
    assert DAY == "2026-05-25"
    if consented_on == "2025-11-24":
        assert answer["access_token"]
    else:
        assert answer == {"error": "invalid_grant", "error_description": "Refresh token expired"}


def test_a_consent_grows_old_with_the_clock(api: TestClient) -> None:
    refresh_token = consented(api)["refresh_token"]

    api.put("/_simulator/clock", json={"date": "2026-11-30"})
    answer = token(api, grant_type="refresh_token", refresh_token=refresh_token)

    assert answer["error_description"] == "Refresh token expired"


def test_a_consent_without_a_day_is_refused(api: TestClient) -> None:
    answer = api.put("/_simulator/consent", json={})

    assert answer.status_code == 400
    assert '{"date": "YYYY-MM-DD"}: date: Field required' in answer.json()["error"]["message"]
