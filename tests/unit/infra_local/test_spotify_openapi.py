"""The simulator's answers beside Spotify's own OpenAPI documents, of before February 2026 and since.

What departs from them is named here: captured answers of the real API do the same, unless another reason is given.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

import pytest
from starlette.testclient import TestClient

from infra.local.spotify.admin import Decoration, Generation, TierName
from infra.local.spotify.catalogue import Catalogue
from infra.local.spotify.trending import TRENDING_GLOBAL
from tests.unit.infra_local.openapi import OpenApi
from tests.unit.infra_local.simulator import bearing, consented, plan, simulator

DOCUMENTS: Final = {
    "2025": "official-spotify-open-api_2025-10-03_pre-rename.yml",
    "2026": "official-spotify-open-api.yml",
}
ROUTES_OF_A_PLAYLIST: Final = (
    "/playlists/{playlist_id}",
    "/playlists/{playlist_id}/items",
    "/playlists/{playlist_id}/tracks",
)
ROUTES_OF_OBJECTS: Final = (
    "/tracks",
    "/tracks/{id}",
    "/albums",
    "/albums/{id}",
    "/artists",
    "/artists/{id}",
    "/audio-features",
    "/audio-features/{id}",
)

SENT_BUT_NEVER_DOCUMENTED: Final = frozenset(
    {
        "answer.followers: undocumented",
        "answer.primary_color: undocumented",
        "items[].primary_color: undocumented",
        "items[].video_thumbnail: undocumented",
    }
)
OF_SIMULATORS: Final = frozenset({"answer.simulated: undocumented"})
"""So that what is stored of a made-up list says so."""
WITH_A_MARKET: Final = frozenset({"album.available_markets: missing", "album.is_playable: undocumented"})
"""A track's album tells whether it can be played in the market instead of in which markets."""
WITHHELD: Final = frozenset(
    {
        "album.available_markets: missing",
        "answer.available_markets: missing",
        "answer.label: missing",
        "answer.popularity: missing",
    }
)
"""Albums require them, and young development mode does not get them; its guide to the migration says so."""
OF_LOCAL_FILES: Final = frozenset(
    {
        "album.album_type: null",
        "album.href: null",
        "album.id: null",
        "album.release_date: null",
        "album.release_date_precision: null",
        "album.total_tracks: missing",
        "album.uri: null",
        "artists[].href: null",
        "artists[].id: null",
        "artists[].uri: null",
    }
)


class Setting(NamedTuple):
    """What the simulator is set to, the document that describes it, and the names that tracks have there."""

    tier: TierName
    generation: Generation | None
    document: str
    tracks: frozenset[str]


SETTINGS: Final = (
    Setting("extended", "2025", "2025", frozenset({"track"})),
    Setting("extended", "2026", "2026", frozenset({"item"})),
    Setting("extended", "both", "2026", frozenset({"item", "track"})),
    Setting("dev_2024", None, "2025", frozenset({"track"})),
    Setting("dev_2026", None, "2026", frozenset({"item"})),
)
in_every_setting = pytest.mark.parametrize("setting", SETTINGS, ids=lambda one: f"{one.tier}-{one.generation}")


@in_every_setting
def test_a_playlist(catalogue: Catalogue, openapi: Mapping[str, OpenApi], setting: Setting) -> None:
    api = granted(catalogue, setting)

    departures = found(api, openapi[setting.document], ROUTES_OF_A_PLAYLIST, catalogue)

    assert departures == usual(setting)


@in_every_setting
def test_a_playlist_with_odd_entries(catalogue: Catalogue, openapi: Mapping[str, OpenApi], setting: Setting) -> None:
    # given
    api = granted(catalogue, setting)
    plan(api, decorations=(Decoration(playlist=TRENDING_GLOBAL.id, null_entries=1, local_files=1, episodes=1),))

    # when
    departures = found(api, openapi[setting.document], ROUTES_OF_A_PLAYLIST, catalogue)

    # then
    without_address = {f"{name}.{field}: null" for name in setting.tracks for field in ("href", "id")}
    without_track = {f"items[].{name}: null" for name in setting.tracks}
    assert departures - usual(setting) == OF_LOCAL_FILES | without_address | without_track


@in_every_setting
def test_tracks_albums_artists_and_audio_features(
    catalogue: Catalogue, openapi: Mapping[str, OpenApi], setting: Setting
) -> None:
    api = granted(catalogue, setting)

    departures = found(api, openapi[setting.document], ROUTES_OF_OBJECTS, catalogue)
    in_a_market = found(api, openapi[setting.document], ("/tracks/{id}",), catalogue, market="US")

    assert departures == (WITHHELD if setting.tier == "dev_2026" else frozenset())
    assert in_a_market == WITH_A_MARKET


def test_a_departure_is_found(catalogue: Catalogue, openapi: Mapping[str, OpenApi]) -> None:
    answer = simulator(catalogue).get("/v1/artists", params={"ids": next(iter(catalogue.artists))}).json()
    [artist] = answer["artists"]

    del artist["followers"]["total"]
    artist |= {"popularity": "50", "type": "band", "name": None, "mood": "blue"}
    artist["images"][0]["url"] = 1
    del artist["images"][1]["url"]

    assert openapi["2026"].departures("/artists", answer) == {
        "artists[].popularity: str",
        "artists[].type: 'band'",
        "artists[].name: null",
        "artists[].mood: undocumented",
        "images[].url: int",
        "images[].url: missing",
    }


@pytest.fixture(scope="module")
def openapi() -> Mapping[str, OpenApi]:
    folder = Path(__file__).parents[4] / "shared" / "data" / "openapi"
    if not folder.is_dir():
        pytest.skip(f"no OpenAPI documents of Spotify's at {folder}: they are not part of the repository")
    return {year: OpenApi(folder / name) for year, name in DOCUMENTS.items()}


def granted(catalogue: Catalogue, setting: Setting) -> TestClient:
    """A simulator in a tier, with the token of the user who owns its lists."""
    api = simulator(catalogue)
    api.put("/_simulator/tier", json={"tier": setting.tier, "generation": setting.generation})
    return bearing(api, consented(api))


def found(
    api: TestClient, openapi: OpenApi, routes: tuple[str, ...], catalogue: Catalogue, **query: str
) -> frozenset[str]:
    """The departures of all answers to the routes that the tier and the document both have."""
    track = next(iter(catalogue.tracks.values()))
    ids = {"albums": track.album_id, "artists": track.artist_ids[0]}
    departures: frozenset[str] = frozenset()
    answered = 0
    for route in routes:
        id_ = TRENDING_GLOBAL.id if "playlist_id" in route else ids.get(route.split("/")[1], track.id)
        several = {} if "{" in route else {"ids": id_}
        answer = api.get("/v1" + route.replace("{playlist_id}", id_).replace("{id}", id_), params=several | query)
        if answer.is_success and route in openapi.paths:
            departures |= openapi.departures(route, answer.json())
            answered += 1
    assert answered
    return departures


def usual(setting: Setting) -> frozenset[str]:
    """What departs in every list. A track says there, and there alone, that it is a track and no episode."""
    flags = {f"{name}.{flag}: undocumented" for name in setting.tracks for flag in ("episode", "track")}
    withheld = {"album.available_markets: missing"} if setting.tier == "dev_2026" else set()
    return SENT_BUT_NEVER_DOCUMENTED | OF_SIMULATORS | flags | withheld
