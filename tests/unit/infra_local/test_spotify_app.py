import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from infra.local.spotify.admin import Generation
from infra.local.spotify.app import create_app
from infra.local.spotify.catalogue import Catalogue, load_catalogue
from infra.local.spotify.tiers import TIERS
from infra.local.spotify.trending import OTHER_PLAYLISTS, PLAYLISTS, TRENDING_GLOBAL, Trends
from tests.clock import NOW
from tests.unit.infra_local.simulator import APPLICATION, CLIENT_ID, CLIENT_SECRET

DAY = "2026-05-25"
PLAYLIST = f"/v1/playlists/{TRENDING_GLOBAL.id}"
UNKNOWN = "0" * 22
TRACK = "2wrJq5XKLnmhRXHIAf9xBa"


@dataclass
class Seconds:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue()


@pytest.fixture(scope="module")
def api(catalogue: Catalogue) -> TestClient:
    return authorized(TestClient(create_app(catalogue, APPLICATION)))


@pytest.fixture
def anonymous(catalogue: Catalogue) -> Iterator[TestClient]:
    with TestClient(create_app(catalogue, APPLICATION)) as client:
        yield client


def authorized(client: TestClient) -> TestClient:
    answer = client.post("/api/token", data={"grant_type": "client_credentials"}, auth=(CLIENT_ID, CLIENT_SECRET))
    client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
    client.put("/_simulator/clock", json={"date": DAY})
    return client


def shape(value: object) -> object:
    """The names of the fields at every depth; a list has the shape of its first element."""
    if isinstance(value, dict):
        return {name: shape(field) for name, field in value.items()}
    if isinstance(value, list):
        return [shape(value[0])] if value and isinstance(value[0], dict) else []
    return "value"


def error(status: int, message: str) -> dict[str, object]:
    return {"error": {"status": status, "message": message}}


class TestToken:
    def test_the_application_gets_a_token_for_an_hour(self, anonymous: TestClient) -> None:
        answer = anonymous.post(
            "/api/token", data={"grant_type": "client_credentials"}, auth=(CLIENT_ID, CLIENT_SECRET)
        )

        assert answer.status_code == 200
        assert answer.json() == {
            "access_token": answer.json()["access_token"],
            "token_type": "Bearer",
            "expires_in": 3600,
        }

    @pytest.mark.parametrize(
        "headers",
        [
            {},
            {"Authorization": "Basic ZWFyd29ybTp3cm9uZw=="},
            {"Authorization": "Basic %"},
            {"Authorization": "Bearer x"},
        ],
        ids=["no credentials", "wrong credentials", "not base64", "not basic"],
    )
    def test_anyone_else_is_an_invalid_client(self, anonymous: TestClient, headers: dict[str, str]) -> None:
        answer = anonymous.post("/api/token", data={"grant_type": "client_credentials"}, headers=headers)

        assert answer.status_code == 400
        assert answer.json() == {"error": "invalid_client", "error_description": "Invalid client"}

    def test_there_is_no_other_grant(self, anonymous: TestClient) -> None:
        answer = anonymous.post("/api/token", data={"grant_type": "password"}, auth=(CLIENT_ID, CLIENT_SECRET))

        assert answer.status_code == 400
        assert answer.json()["error"] == "unsupported_grant_type"

    @pytest.mark.parametrize(
        ("authorization", "expected"),
        [
            (None, error(401, "No token provided")),
            ("Bearer unknown", error(401, "Invalid access token")),
            ("Basic abc", error(400, "Only valid bearer authentication supported")),
        ],
    )
    def test_no_call_is_answered_without_a_valid_token(
        self, anonymous: TestClient, authorization: str | None, expected: dict[str, Any]
    ) -> None:
        answer = anonymous.get(PLAYLIST, headers={"Authorization": authorization} if authorization else {})

        assert answer.json() == expected
        assert answer.status_code == expected["error"]["status"]

    def test_a_token_expires_after_an_hour(self, catalogue: Catalogue) -> None:
        # given
        seconds = Seconds()
        client = authorized(TestClient(create_app(catalogue, APPLICATION, seconds=seconds)))

        # when
        seconds.now = 3599.9
        before = client.get(f"/v1/tracks/{TRACK}")
        seconds.now = 3600
        after = client.get(f"/v1/tracks/{TRACK}")

        # then
        assert before.status_code == 200
        assert after.status_code == 401
        assert after.json() == error(401, "The access token expired")


class TestShapes:
    """Field for field like the captured documents of the real API, but that a made-up list says what it is."""

    def test_a_playlist(self, real_documents: Path, api: TestClient) -> None:
        real = json.loads((real_documents / "playlists/api2026_tracks_and_items.json").read_text())

        simulated = api.get(PLAYLIST).json()

        assert simulated.pop("simulated") is True
        assert shape(simulated) == shape(real)

    def test_a_playlist_of_before_2026(self, real_documents: Path, catalogue: Catalogue) -> None:
        [real] = json.loads((real_documents / "playlists/top50_global_2024-05-02.json").read_text())

        simulated = (
            authorized(TestClient(create_app(catalogue, APPLICATION, tier=TIERS["dev_2024"]))).get(PLAYLIST).json()
        )

        assert simulated.pop("simulated") is True
        assert shape(simulated) == shape(real)

    def test_an_artist(self, real_documents: Path, api: TestClient, catalogue: Catalogue) -> None:
        [real, *_] = json.loads((real_documents / "artists/followed_artists_48.json").read_text())["artists"]["items"]

        simulated = api.get(f"/v1/artists/{next(iter(catalogue.artists))}").json()

        assert shape(simulated) == shape(real)

    def test_albums(self, real_documents: Path, api: TestClient, catalogue: Catalogue) -> None:
        real = json.loads((real_documents / "exportify/albums.json").read_text())

        simulated = api.get("/v1/albums", params={"ids": next(iter(catalogue.albums))}).json()

        assert shape(simulated) == shape(real)

    def test_audio_features(self, real_documents: Path, api: TestClient) -> None:
        real = json.loads((real_documents / "exportify/audio_features.json").read_text())

        simulated = api.get("/v1/audio-features", params={"ids": TRACK}).json()

        assert shape(simulated) == shape(real)


class TestPlaylist:
    @pytest.mark.parametrize(
        ("generation", "pages", "tracks"),
        [
            ("2025", {"tracks"}, {"track"}),
            ("2026", {"items"}, {"item"}),
            ("both", {"tracks", "items"}, {"track", "item"}),
        ],
    )
    def test_each_generation_has_its_names(
        self, catalogue: Catalogue, generation: Generation, pages: set[str], tracks: set[str]
    ) -> None:
        client = authorized(
            TestClient(create_app(catalogue, APPLICATION, tier=TIERS["extended"].of_generation(generation)))
        )

        playlist = client.get(PLAYLIST).json()
        [entry] = client.get(f"{PLAYLIST}/{min(pages)}", params={"limit": 1}).json()["items"]

        assert playlist.keys() & {"tracks", "items"} == pages
        assert entry.keys() & {"track", "item"} == tracks

    def test_it_is_the_model_at_the_simulators_day(self, api: TestClient, catalogue: Catalogue) -> None:
        # given
        trends = Trends(catalogue)
        day = datetime.fromisoformat(DAY).date()

        # when
        playlist = api.get(PLAYLIST).json()

        # then
        served = [
            (entry["item"]["id"], entry["item"]["popularity"], entry["added_at"])
            for entry in playlist["items"]["items"]
        ]
        assert served == [
            (entry.track.id, trends.popularity(entry.track, day), f"{entry.added_on}T00:00:00Z")
            for entry in trends.entries(TRENDING_GLOBAL, day)
        ]
        assert playlist["snapshot_id"] == trends.snapshot_id(TRENDING_GLOBAL, day)

    def test_following_next_reads_every_entry_once_in_order(self, api: TestClient) -> None:
        # given
        whole = [entry["item"]["id"] for entry in api.get(PLAYLIST).json()["items"]["items"]]

        # when
        pages = [api.get(f"{PLAYLIST}/items", params={"market": "US", "additional_types": "track"}).json()]
        while pages[-1]["next"]:
            pages.append(api.get(pages[-1]["next"]).json())

        # then
        assert [entry["item"]["id"] for page in pages for entry in page["items"]] == whole
        assert [(page["offset"], page["limit"], page["total"]) for page in pages] == [
            (0, 20, 50),
            (20, 20, 50),
            (40, 20, 50),
        ]
        assert [page["previous"] for page in pages] == [None, *(page["href"] for page in pages[:-1])]
        assert all("market=US" in page["href"] for page in pages)

    def test_a_page_behind_the_end_is_empty(self, api: TestClient) -> None:
        page = api.get(f"{PLAYLIST}/items", params={"offset": 50}).json()

        assert (page["items"], page["next"], page["total"]) == ([], None, 50)

    @pytest.mark.parametrize(
        ("route", "query", "message"),
        [
            ("items", {"limit": "51"}, "Invalid limit"),
            ("items", {"limit": "0"}, "Invalid limit"),
            ("items", {"limit": "many"}, "Invalid limit"),
            ("items", {"offset": "-1"}, "Invalid offset"),
            ("tracks", {"limit": "101"}, "Invalid limit"),
            ("items", {"market": "usa"}, "Invalid market code"),
        ],
    )
    def test_parameters_out_of_range_are_refused(
        self, api: TestClient, route: str, query: dict[str, str], message: str
    ) -> None:
        answer = api.get(f"{PLAYLIST}/{route}", params=query)

        assert (answer.status_code, answer.json()) == (400, error(400, message))

    def test_a_filter_that_it_does_not_have_is_refused_rather_than_ignored(self, api: TestClient) -> None:
        assert api.get(PLAYLIST, params={"fields": "id"}).status_code == 400

    def test_the_old_route_gives_100_a_page(self, api: TestClient) -> None:
        page = api.get(f"{PLAYLIST}/tracks").json()

        assert (page["limit"], len(page["items"])) == (100, 50)
        assert f"{PLAYLIST}/tracks?offset=0&limit=100" in page["href"]

    def test_a_market_tells_whether_instead_of_where(self, api: TestClient) -> None:
        [anywhere, us, nowhere] = (
            api.get(f"/v1/tracks/{TRACK}", params=query).json() for query in ({}, {"market": "US"}, {"market": "AQ"})
        )

        assert "US" in anywhere["available_markets"]
        assert "is_playable" not in anywhere
        assert us["is_playable"] is True
        assert nowhere["is_playable"] is False
        assert "available_markets" not in us


class TestObjects:
    @pytest.mark.parametrize("kind", ["tracks", "albums", "artists", "audio-features"])
    def test_one_by_its_id_is_the_same_as_in_a_batch(self, api: TestClient, catalogue: Catalogue, kind: str) -> None:
        known = {"albums": catalogue.albums, "artists": catalogue.artists}.get(kind, catalogue.tracks)
        ids = list(known)[:3]

        batch = api.get(f"/v1/{kind}", params={"ids": ",".join(ids)}).json()[kind.replace("-", "_")]

        assert batch == [api.get(f"/v1/{kind}/{id_}").json() for id_ in ids]
        assert [one["id"] for one in batch] == ids

    @pytest.mark.parametrize(
        ("kind", "most"), [("tracks", 50), ("albums", 20), ("artists", 50), ("audio-features", 100)]
    )
    def test_a_batch_has_its_limit_and_null_for_unknown_ids(self, api: TestClient, kind: str, most: int) -> None:
        at_most = api.get(f"/v1/{kind}", params={"ids": ",".join([UNKNOWN] * most)})
        too_many = api.get(f"/v1/{kind}", params={"ids": ",".join([UNKNOWN] * (most + 1))})

        assert at_most.json() == {kind.replace("-", "_"): [None] * most}
        assert (too_many.status_code, too_many.json()) == (400, error(400, "too many ids requested"))

    @pytest.mark.parametrize("kind", ["playlists", "tracks", "albums", "artists", "audio-features"])
    def test_an_unknown_id_is_not_found_and_a_malformed_one_refused(self, api: TestClient, kind: str) -> None:
        unknown, malformed = (api.get(f"/v1/{kind}/{id_}") for id_ in (UNKNOWN, "not-an-id"))

        assert (unknown.status_code, unknown.json()) == (404, error(404, "Resource not found"))
        assert (malformed.status_code, malformed.json()) == (400, error(400, "Invalid base62 id"))

    def test_a_batch_needs_ids(self, api: TestClient) -> None:
        assert api.get("/v1/tracks").json() == error(400, "Missing required field: ids")

    def test_an_operation_that_is_not_simulated_is_not_found(self, api: TestClient) -> None:
        answer = api.get("/v1/recommendations")

        assert (answer.status_code, answer.json()) == (404, error(404, "Service not found"))

    def test_popularity_of_an_album_and_an_artist_comes_from_their_tracks(
        self, api: TestClient, catalogue: Catalogue
    ) -> None:
        track = api.get(f"/v1/tracks/{TRACK}").json()
        album = api.get(f"/v1/albums/{track['album']['id']}").json()
        artist = api.get(f"/v1/artists/{track['artists'][0]['id']}").json()

        assert catalogue.albums[album["id"]].track_ids == (TRACK,)
        assert album["popularity"] == track["popularity"]
        assert 0 <= artist["popularity"] <= 100


class TestClock:
    def test_it_shows_today_until_it_is_set(self, anonymous: TestClient) -> None:
        clock = anonymous.get("/_simulator").json()["clock"]

        assert clock == {"date": str(NOW.date()), "is_set": False}

    def test_setting_it_moves_the_whole_api_and_null_resets_it(self, catalogue: Catalogue) -> None:
        # given
        client = authorized(TestClient(create_app(catalogue, APPLICATION)))
        may = client.get(PLAYLIST).json()

        # when
        moved = client.put("/_simulator/clock", json={"date": "2026-06-01"})
        june = client.get(PLAYLIST).json()
        reset = client.put("/_simulator/clock", json={"date": None})

        # then
        assert moved.json() == {"date": "2026-06-01", "is_set": True}
        assert june["snapshot_id"] != may["snapshot_id"]
        assert june["items"]["items"] != may["items"]["items"]
        assert reset.json()["is_set"] is False

    def test_it_names_the_simulator_and_its_playlists(self, anonymous: TestClient) -> None:
        info = anonymous.get("/_simulator").json()

        assert info["name"] == "Earworm's Spotify simulator"
        assert info["tier"] == {"tier": "extended", "generation": "both"}
        assert info["playlists"] == [{"id": playlist.id, "name": playlist.name} for playlist in PLAYLISTS]
        assert info["other_playlists"] == [{"id": playlist.id, "name": playlist.name} for playlist in OTHER_PLAYLISTS]

    @pytest.mark.parametrize("body", [b"", b"{}", b'{"date": "May"}', b'{"date": 5}', b'{"day": "2026-05-25"}'])
    def test_anything_but_a_day_is_refused_with_the_form_that_it_takes(
        self, anonymous: TestClient, body: bytes
    ) -> None:
        answer = anonymous.put("/_simulator/clock", content=body)

        assert answer.status_code == 400
        assert '{"date": "YYYY-MM-DD"}' in answer.json()["error"]["message"]

    def test_a_day_before_the_catalogue_is_refused(self, anonymous: TestClient) -> None:
        answer = anonymous.put("/_simulator/clock", json={"date": "2022-09-30"})

        assert answer.status_code == 400
        assert "first day is 2022-10-01" in answer.json()["error"]["message"]
