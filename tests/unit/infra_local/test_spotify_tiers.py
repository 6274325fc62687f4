"""What each tier serves, as the table of tiers says."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from infra.local.spotify.admin import Generation, TierName
from infra.local.spotify.catalogue import Catalogue
from infra.local.spotify.tiers import TIERS
from infra.local.spotify.trending import ARCHIVE, EDITORIAL, OTHER_PLAYLISTS, PLAYLISTS, TRENDING_GLOBAL
from tests.unit.infra_local.simulator import bearing, consented, error, simulator

TRACK = "2wrJq5XKLnmhRXHIAf9xBa"
PLAYLIST = f"/v1/playlists/{TRENDING_GLOBAL.id}"
WITHHELD = {
    "track": {"popularity", "available_markets", "linked_from"},
    "album": {"popularity", "label", "available_markets", "album_group"},
    "artist": {"popularity", "followers"},
}


@pytest.fixture(scope="module")
def apis(catalogue: Catalogue) -> Callable[[TierName], TestClient]:
    clients = {tier: simulator(catalogue, tier) for tier in TIERS}
    return clients.__getitem__


@pytest.fixture(scope="module")
def owner(catalogue: Catalogue) -> TestClient:
    """The user of an application in development mode, who owns the simulated lists."""
    client = simulator(catalogue, "dev_2026")
    return bearing(client, consented(client))


def objects(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        if "type" in value:
            yield value
        value = list(value.values())
    if isinstance(value, list):
        for element in value:
            yield from objects(element)


def fields(document: object, kind: str) -> set[str]:
    return {name for one in objects(document) if one["type"] == kind for name in one}


@pytest.mark.parametrize("tier", TIERS)
class TestEveryTier:
    def test_tracks_albums_and_artists_are_served_one_by_one(
        self, apis: Callable[[TierName], TestClient], tier: TierName
    ) -> None:
        track = apis(tier).get(f"/v1/tracks/{TRACK}", params={"market": "US"}).json()
        album = apis(tier).get(f"/v1/albums/{track['album']['id']}").json()
        artist = apis(tier).get(f"/v1/artists/{track['artists'][0]['id']}").json()

        assert track["external_ids"]["isrc"]
        assert (album["name"], artist["name"]) == (track["album"]["name"], track["artists"][0]["name"])
        assert artist["genres"]

    def test_only_old_extended_quota_gets_audio_features(
        self, apis: Callable[[TierName], TestClient], tier: TierName
    ) -> None:
        answers = [apis(tier).get(f"/v1/audio-features{route}") for route in (f"?ids={TRACK}", f"/{TRACK}")]

        if tier == "extended":
            assert [answer.status_code for answer in answers] == [200, 200]
        else:
            assert [(answer.status_code, answer.json()) for answer in answers] == [(403, error(403, None))] * 2

    def test_only_old_extended_quota_sees_that_spotify_has_lists(
        self, apis: Callable[[TierName], TestClient], tier: TierName
    ) -> None:
        answer = apis(tier).get(f"/v1/playlists/{EDITORIAL.id}")

        if tier == "extended":
            assert answer.json()["owner"]["id"] == "spotify"
        else:
            assert (answer.status_code, answer.json()) == (404, error(404, "Resource not found"))

    @pytest.mark.parametrize("kind", ["tracks", "albums", "artists"])
    def test_only_young_development_mode_has_no_batches(
        self, apis: Callable[[TierName], TestClient], tier: TierName, kind: str
    ) -> None:
        answer = apis(tier).get(f"/v1/{kind}", params={"ids": TRACK})

        if tier == "dev_2026":
            assert (answer.status_code, answer.json()) == (403, error(403, "Forbidden"))
        else:
            assert answer.status_code == 200

    def test_only_young_development_mode_keeps_fields_back(
        self, apis: Callable[[TierName], TestClient], tier: TierName
    ) -> None:
        # given
        client = apis(tier)
        track = client.get(f"/v1/tracks/{TRACK}").json()
        album = client.get(f"/v1/albums/{track['album']['id']}").json()
        artist = client.get(f"/v1/artists/{track['artists'][0]['id']}").json()

        # when
        seen = {kind: fields([track, album, artist], kind) & names for kind, names in WITHHELD.items()}

        # then
        if tier == "dev_2026":
            assert seen == {"track": set(), "album": set(), "artist": set()}
        else:
            assert seen == {
                "track": {"popularity", "available_markets"},
                "album": {"popularity", "label", "available_markets"},
                "artist": {"popularity", "followers"},
            }


class TestContents:
    @pytest.mark.parametrize(
        ("tier", "statuses", "pages", "tracks"),
        [
            ("extended", (200, 200), {"items", "tracks"}, {"item", "track"}),
            ("extended_late", (200, 200), {"items", "tracks"}, {"item", "track"}),
            ("dev_2024", (404, 200), {"tracks"}, {"track"}),
        ],
    )
    def test_a_public_list_is_open_under_the_names_of_the_tiers_generation(
        self,
        apis: Callable[[TierName], TestClient],
        tier: TierName,
        statuses: tuple[int, int],
        pages: set[str],
        tracks: set[str],
    ) -> None:
        playlist = apis(tier).get(PLAYLIST).json()
        items, old = apis(tier).get(f"{PLAYLIST}/items"), apis(tier).get(f"{PLAYLIST}/tracks")

        assert (items.status_code, old.status_code) == statuses
        assert playlist.keys() & {"items", "tracks"} == pages
        assert old.json()["items"][0].keys() & {"item", "track"} == tracks

    def test_young_development_mode_gets_metadata_alone_of_lists_that_nobody_authorized(
        self, apis: Callable[[TierName], TestClient]
    ) -> None:
        playlist = apis("dev_2026").get(PLAYLIST)
        items = apis("dev_2026").get(f"{PLAYLIST}/items")

        assert playlist.status_code == 200
        assert playlist.json()["snapshot_id"]
        assert playlist.json().keys().isdisjoint({"items", "tracks"})
        assert (items.status_code, items.json()) == (403, error(403, "Forbidden"))

    def test_their_owner_gets_the_contents_under_the_new_names_without_what_is_kept_back(
        self, owner: TestClient
    ) -> None:
        playlist = owner.get(PLAYLIST).json()
        page = owner.get(f"{PLAYLIST}/items", params={"limit": 50}).json()

        assert playlist["items"]["items"] == page["items"]
        assert len(page["items"]) == 50
        assert page["items"][0].keys() & {"item", "track"} == {"item"}
        assert all(fields(playlist, kind).isdisjoint(names) for kind, names in WITHHELD.items())

    def test_even_the_owner_finds_the_old_route_removed(self, owner: TestClient) -> None:
        answer = owner.get(f"{PLAYLIST}/tracks")

        assert (answer.status_code, answer.json()) == (403, error(403, "Forbidden"))

    @pytest.mark.parametrize(("tier", "embedded"), [("extended", 100), ("dev_2024", 100), ("dev_2026", 50)])
    def test_a_long_list_brings_along_one_page_of_its_generation(
        self, catalogue: Catalogue, tier: TierName, embedded: int
    ) -> None:
        client = simulator(catalogue, tier)

        playlist = bearing(client, consented(client)).get(f"/v1/playlists/{ARCHIVE.id}").json()

        page = playlist.get("items") or playlist["tracks"]
        assert (page["total"], page["limit"], len(page["items"])) == (250, embedded, embedded)

    def test_a_long_list_is_read_in_five_pages(self, apis: Callable[[TierName], TestClient]) -> None:
        pages = [apis("extended").get(f"/v1/playlists/{ARCHIVE.id}/items", params={"limit": 50}).json()]
        while pages[-1]["next"]:
            pages.append(apis("extended").get(pages[-1]["next"]).json())

        ids = [entry["item"]["id"] for page in pages for entry in page["items"]]
        assert (len(pages), len(ids), len(set(ids))) == (5, 250, 250)

    def test_every_list_has_an_id_as_spotify_writes_it_and_its_own_entries(
        self, apis: Callable[[TierName], TestClient]
    ) -> None:
        lists = [apis("extended").get(f"/v1/playlists/{one.id}").json() for one in (*PLAYLISTS, *OTHER_PLAYLISTS)]

        assert [one["id"] for one in lists] == [one.id for one in (*PLAYLISTS, *OTHER_PLAYLISTS)]
        assert len({one["items"]["items"][0]["item"]["id"] + one["snapshot_id"] for one in lists}) == len(lists)

    def test_lists_for_show_are_not_among_those_worth_extracting_every_week(
        self, apis: Callable[[TierName], TestClient]
    ) -> None:
        info = apis("extended").get("/_simulator").json()

        assert [one["id"] for one in info["playlists"]] == [playlist.id for playlist in PLAYLISTS]
        assert [one["id"] for one in info["other_playlists"]] == [playlist.id for playlist in OTHER_PLAYLISTS]
        assert {ARCHIVE, EDITORIAL} <= set(OTHER_PLAYLISTS)


class TestChange:
    @pytest.mark.parametrize(
        ("tier", "generation", "told"),
        [
            ("dev_2024", None, "2025"),
            ("extended_late", None, "both"),
            ("extended", "2026", "2026"),
            ("dev_2026", "2026", "2026"),
        ],
    )
    def test_a_tier_comes_in_its_own_generation_or_in_the_one_asked_for(
        self, catalogue: Catalogue, tier: TierName, generation: Generation | None, told: str
    ) -> None:
        client = simulator(catalogue)

        answer = client.put("/_simulator/tier", json={"tier": tier, "generation": generation})

        assert answer.json() == client.get("/_simulator").json()["tier"] == {"tier": tier, "generation": told}

    def test_it_holds_from_the_next_call_on_with_the_same_token(self, catalogue: Catalogue) -> None:
        client = simulator(catalogue)
        before = client.get("/v1/artists", params={"ids": TRACK})

        client.put("/_simulator/tier", json={"tier": "dev_2026"})
        after = client.get("/v1/artists", params={"ids": TRACK})

        assert (before.status_code, after.status_code) == (200, 403)

    @pytest.mark.parametrize(
        ("body", "sentence"),
        [
            ({"tier": "free"}, "one of extended, extended_late, dev_2024, dev_2026"),
            ({}, "tier: Field required"),
            ({"tier": "dev_2026", "generation": "both"}, "dev_2026 exists in the generation 2026 alone, not in both."),
        ],
    )
    def test_a_tier_that_does_not_exist_is_refused(
        self, apis: Callable[[TierName], TestClient], body: dict[str, str], sentence: str
    ) -> None:
        answer = apis("extended").put("/_simulator/tier", json=body)

        assert answer.status_code == 400
        assert sentence in answer.json()["error"]["message"]
