"""Faults on demand: the calls that they strike, and what those are answered."""

import json
import time
from typing import Any

import pytest
from starlette.testclient import TestClient

from infra.local.spotify.admin import Decoration, Fault, FaultKind
from infra.local.spotify.catalogue import Catalogue
from infra.local.spotify.trending import ARCHIVE, TRENDING_GLOBAL, TRENDING_METAL_ROCK
from tests.unit.infra_local.simulator import authorized, bearing, consented, error, plan, simulator, token

ITEMS = "/v1/playlists/{id}/items"
TRACK = "2wrJq5XKLnmhRXHIAf9xBa"
GLOBAL = f"/v1/playlists/{TRENDING_GLOBAL.id}/items"
ROCK = f"/v1/playlists/{TRENDING_METAL_ROCK.id}/items"


@pytest.fixture(scope="module")
def running(catalogue: Catalogue) -> TestClient:
    return simulator(catalogue)


@pytest.fixture
def api(running: TestClient) -> TestClient:
    plan(running)
    return authorized(running)


def entries(api: TestClient, playlist: str = TRENDING_GLOBAL.id) -> list[dict[str, Any]]:
    page = {"next": f"/v1/playlists/{playlist}/items?limit=50"}
    found = []
    while page["next"]:
        page = api.get(page["next"]).json()
        found += page["items"]
    return found


class TestWhichCalls:
    def test_those_after_the_first_ones_as_often_as_said(self, api: TestClient) -> None:
        plan(api, Fault(endpoint=ITEMS, kind="server_error", after=2, times=3))

        statuses = [api.get(GLOBAL).status_code for _ in range(7)]

        assert statuses == [200, 200, 500, 500, 500, 200, 200]

    def test_those_for_one_list_alone_if_one_is_named(self, api: TestClient) -> None:
        plan(api, Fault(endpoint=ITEMS, kind="unavailable", playlist=TRENDING_METAL_ROCK.id, after=1))

        statuses = [api.get(address).status_code for address in (ROCK, GLOBAL, GLOBAL, ROCK, ROCK)]

        assert statuses == [200, 200, 200, 503, 200]

    def test_those_with_a_slash_at_the_end_too(self, api: TestClient) -> None:
        plan(api, Fault(endpoint="/v1/artists", kind="unavailable"))

        assert api.get("/v1/artists/", params={"ids": TRACK}).status_code == 503

    def test_no_call_is_struck_twice(self, api: TestClient) -> None:
        plan(api, Fault(endpoint=ITEMS, kind="server_error"), Fault(endpoint=ITEMS, kind="unavailable"))

        assert [api.get(GLOBAL).status_code for _ in range(3)] == [500, 503, 200]

    def test_what_is_left_is_told(self, api: TestClient) -> None:
        # given
        decoration = Decoration(playlist=ARCHIVE.id, episodes=1)
        spent = Fault(endpoint=ITEMS, kind="server_error")
        begun = Fault(endpoint=ITEMS, kind="rate_limited", seconds=1, after=2, times=2)
        plan(api, spent, begun, decorations=(decoration,))

        # when
        api.get(GLOBAL)
        left = api.get("/_simulator/faults").json()

        # then
        assert left == {
            "faults": [begun.model_copy(update={"after": 1}).model_dump()],
            "decorations": [decoration.model_dump()],
        }

    def test_an_empty_plan_ends_them_all(self, api: TestClient) -> None:
        before = entries(api)
        plan(
            api,
            Fault(endpoint=ITEMS, kind="edited"),
            decorations=(Decoration(playlist=TRENDING_GLOBAL.id, episodes=1),),
        )
        api.get(GLOBAL)

        plan(api)

        assert entries(api) == before


class TestAnswers:
    @pytest.mark.parametrize("seconds", [1, 86_400])
    def test_a_rate_limit_tells_when_to_come_again(self, api: TestClient, seconds: int) -> None:
        plan(api, Fault(endpoint=ITEMS, kind="rate_limited", seconds=seconds))

        answer = api.get(GLOBAL)

        assert (answer.status_code, answer.headers["Retry-After"]) == (429, str(seconds))
        assert answer.json() == error(429, "API rate limit exceeded")

    def test_a_spent_quota_says_so(self, api: TestClient) -> None:
        plan(api, Fault(endpoint=ITEMS, kind="quota_exceeded"))

        answer = api.get(GLOBAL)

        assert answer.status_code == 429
        assert answer.json()["error"]["reason"] == "QUOTA_EXCEEDED"
        assert "Retry-After" not in answer.headers

    @pytest.mark.parametrize(("kind", "status"), [("server_error", 500), ("unavailable", 503)])
    @pytest.mark.parametrize("endpoint", ["/v1/tracks/{id}", "/reccobeats/v1/audio-features", "/authorize"])
    def test_every_service_can_fail(self, api: TestClient, endpoint: str, kind: FaultKind, status: int) -> None:
        plan(api, Fault(endpoint=endpoint, kind=kind))

        assert api.get(endpoint.replace("{id}", TRACK)).status_code == status

    def test_the_token_service_can_fail(self, api: TestClient) -> None:
        plan(api, Fault(endpoint="/api/token", kind="unavailable"))

        assert api.post("/api/token").status_code == 503

    def test_a_timeout_holds_the_answer(self, api: TestClient) -> None:
        plan(api, Fault(endpoint=ITEMS, kind="timeout", seconds=0.2))

        begin = time.monotonic()
        answer = api.get(GLOBAL)

        assert time.monotonic() - begin >= 0.2
        assert answer.status_code == 200

    def test_a_held_request_is_answered_as_it_was_sent(self, api: TestClient) -> None:
        plan(api, Fault(endpoint="/api/token", kind="timeout", seconds=0.05))

        assert token(api, grant_type="client_credentials")["access_token"]

    def test_a_truncated_body_promises_more_than_comes(self, api: TestClient) -> None:
        whole = api.get(GLOBAL).content
        plan(api, Fault(endpoint=ITEMS, kind="truncated_body"))

        answer = api.get(GLOBAL)

        assert int(answer.headers["Content-Length"]) == len(whole)
        assert answer.content == whole[: len(whole) // 2]

    def test_invalid_json_is_all_that_was_promised_and_no_json(self, api: TestClient) -> None:
        plan(api, Fault(endpoint=ITEMS, kind="invalid_json"))

        answer = api.get(GLOBAL)

        assert answer.status_code == 200
        assert int(answer.headers["Content-Length"]) == len(answer.content)
        with pytest.raises(json.JSONDecodeError):
            answer.json()

    def test_a_refusal_is_no_fault_that_passes(self, api: TestClient) -> None:
        plan(api, Fault(endpoint=ITEMS, kind="forbidden"))

        answer = api.get(GLOBAL)

        assert (answer.status_code, answer.json()) == (403, error(403, "Forbidden"))

    def test_a_short_page_says_that_it_is_a_whole_one(self, api: TestClient) -> None:
        whole = api.get(GLOBAL, params={"limit": 50}).json()
        plan(api, Fault(endpoint=ITEMS, kind="short_page"))

        short = api.get(GLOBAL, params={"limit": 50}).json()

        assert short == whole | {"items": whole["items"][:25]}

    def test_floats_are_the_same_numbers(self, api: TestClient) -> None:
        page = api.get(GLOBAL).json()
        plan(api, Fault(endpoint=ITEMS, kind="floats"))

        floats = api.get(GLOBAL)

        assert floats.json() == page
        assert '"total":50.0' in floats.text

    def test_a_token_expires_in_the_middle_and_a_new_one_goes_on(self, api: TestClient) -> None:
        plan(api, Fault(endpoint=ITEMS, kind="expired_token", after=1))

        first, second, third = (api.get(GLOBAL) for _ in range(3))
        fourth = authorized(api).get(GLOBAL)

        assert first.status_code == fourth.status_code == 200
        for refused in (second, third):
            assert (refused.status_code, refused.json()) == (401, error(401, "The access token expired"))

    def test_a_consent_outlives_its_access_token(self, api: TestClient) -> None:
        tokens = consented(api)
        plan(api, Fault(endpoint=ITEMS, kind="expired_token"))

        assert bearing(api, tokens).get(GLOBAL).status_code == 401
        assert bearing(api, consented(api)).get(GLOBAL).status_code == 200


class TestLists:
    def test_an_edit_between_two_pages_hides_an_entry_and_shows_another_twice(self, api: TestClient) -> None:
        # given
        before = entries(api, ARCHIVE.id)
        head = f"/v1/playlists/{ARCHIVE.id}"
        snapshot_id = api.get(head).json()["snapshot_id"]
        plan(api, Fault(endpoint=ITEMS, kind="edited", playlist=ARCHIVE.id, after=1))

        # when
        paged = [entry["item"]["id"] for entry in entries(api, ARCHIVE.id)]

        # then
        whole = [entry["item"]["id"] for entry in before]
        assert paged == [*whole[:50], *whole[51:], whole[0]]
        assert api.get(head).json()["snapshot_id"] != snapshot_id
        assert [entry["item"]["id"] for entry in entries(api, ARCHIVE.id)] == [*whole[1:], whole[0]]

    def test_a_decoration_mixes_in_what_real_lists_hold(self, api: TestClient) -> None:
        # given
        before = entries(api)
        plan(api, decorations=(Decoration(playlist=TRENDING_GLOBAL.id, null_entries=2, local_files=3, episodes=4),))

        # when
        after = entries(api)

        # then
        odd = [entry for entry in after if entry not in before]
        tracks = [entry["item"] for entry in odd if entry["item"]]
        assert [entry for entry in after if entry in before] == before
        assert [entry["item"] for entry in odd].count(None) == 2
        assert [(one["id"], one["album"]["id"], one["popularity"]) for one in tracks if one.get("is_local")] == [
            (None, None, 0)
        ] * 3
        assert len({one["id"] for one in tracks if one["type"] == "episode" and one["show"]}) == 4
        assert len(odd) == 9

    def test_the_places_are_a_function_of_the_seed(self, api: TestClient) -> None:
        def places(seed: int) -> list[int]:
            plan(api, decorations=(Decoration(playlist=TRENDING_GLOBAL.id, null_entries=5, seed=seed),))
            return [place for place, entry in enumerate(entries(api)) if entry["item"] is None]

        assert places(1) == places(1) != places(2)

    @pytest.mark.parametrize("kind", ["track", "episode"])
    def test_local_files_and_episodes_look_like_captured_ones(
        self, api: TestClient, real_documents: Any, kind: str
    ) -> None:
        # given
        files = {"track": "exportify/local_tracks.json", "episode": "playlists/items_episodes_and_tracks.json"}
        real = json.loads((real_documents / files[kind]).read_text())["items"][0]
        plan(api, decorations=(Decoration(playlist=TRENDING_GLOBAL.id, local_files=1, episodes=1),))

        # when
        [simulated] = [
            entry
            for entry in entries(api)
            if entry["item"]["type"] == kind and (kind == "episode" or entry["item"]["is_local"])
        ]

        # then
        assert simulated.keys() - {"item", "track"} == real.keys() - {"track"}
        assert simulated["track"].keys() - {"episode", "track"} == real["track"].keys() - {"episode", "track"}
        if kind == "episode":
            assert simulated["track"]["show"].keys() == real["track"]["show"].keys()


class TestRefusals:
    @pytest.mark.parametrize(
        ("fault", "sentence"),
        [
            ({"endpoint": "/v1/me", "kind": "unavailable"}, "There is no endpoint /v1/me; there are /api/token, "),
            ({"endpoint": ITEMS, "kind": "explosion"}, "faults.0.kind: Input should be 'rate_limited', "),
            ({"endpoint": ITEMS, "kind": "rate_limited"}, "rate_limited needs seconds"),
            ({"endpoint": ITEMS, "kind": "rate_limited", "seconds": 0.5}, "Retry-After is in whole seconds, not 0.5"),
            ({"endpoint": ITEMS, "kind": "unavailable", "seconds": 1}, "unavailable takes no seconds"),
            ({"endpoint": ITEMS, "kind": "unavailable", "times": 0}, "greater than or equal to 1"),
            ({"endpoint": ITEMS, "kind": "unavailable", "playlist": "x"}, "There is no playlist x; there are "),
            ({"endpoint": "/v1/playlists/{id}", "kind": "short_page"}, "/v1/playlists/{id} serves no pages"),
            ({"endpoint": "/v1/tracks", "kind": "edited"}, "/v1/tracks serves no playlist"),
            ({"endpoint": "/api/token", "kind": "expired_token"}, "/api/token takes no access token"),
            ({"kind": "unavailable"}, "faults.0.endpoint: Field required"),
        ],
    )
    def test_a_fault_that_cannot_be_is_refused_and_nothing_changes(
        self, api: TestClient, fault: dict[str, object], sentence: str
    ) -> None:
        plan(api, Fault(endpoint=ITEMS, kind="unavailable"))
        before = api.get("/_simulator/faults").json()

        answer = api.put("/_simulator/faults", json={"faults": [fault]})

        assert answer.status_code == 400
        assert sentence in answer.json()["error"]["message"]
        assert api.get("/_simulator/faults").json() == before

    def test_a_list_is_decorated_once(self, api: TestClient) -> None:
        decorations = [{"playlist": ARCHIVE.id, "episodes": 1}, {"playlist": ARCHIVE.id, "local_files": 1}]

        answer = api.put("/_simulator/faults", json={"decorations": decorations})

        assert answer.status_code == 400
        assert f"decorated more than once: {ARCHIVE.id}" in answer.json()["error"]["message"]
