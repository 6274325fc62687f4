"""ReccoBeats as the simulator plays it."""

from collections import Counter
from dataclasses import fields
from typing import Any

import pytest
from starlette.testclient import TestClient

from infra.local.spotify.catalogue import AudioFeatures, Catalogue
from tests.unit.infra_local.simulator import simulator

ROUTE = "/reccobeats/v1/audio-features"
FEATURES = {field.name for field in fields(AudioFeatures)} - {"time_signature"}


@pytest.fixture(scope="module")
def api(catalogue: Catalogue) -> TestClient:
    client = simulator(catalogue)
    del client.headers["Authorization"]
    return client


def rows(api: TestClient, ids: list[str]) -> list[dict[str, Any]]:
    content: list[dict[str, Any]] = []
    for start in range(0, len(ids), 40):
        content += api.get(ROUTE, params={"ids": ",".join(ids[start : start + 40])}).json()["content"]
    return content


def spotify_id(row: dict[str, Any]) -> str:
    return str(row["href"]).rpartition("/")[2]


@pytest.fixture(scope="module")
def ids(catalogue: Catalogue) -> list[str]:
    return list(catalogue.tracks)[:1000]


@pytest.fixture(scope="module")
def known(api: TestClient, ids: list[str]) -> list[dict[str, Any]]:
    return rows(api, ids)


def test_a_row_has_the_documented_fields_and_no_time_signature(known: list[dict[str, Any]]) -> None:
    assert all(row.keys() == {"id", "href", "isrc", *FEATURES} for row in known)


def test_it_knows_about_four_fifths_and_leaves_the_rest_out(known: list[dict[str, Any]], ids: list[str]) -> None:
    assert 0.77 < len(known) / len(ids) < 0.83
    assert {spotify_id(row) for row in known} <= set(ids)


def test_it_measures_as_spotify_does_but_does_not_know_every_key(
    known: list[dict[str, Any]], catalogue: Catalogue
) -> None:
    keys = Counter(row["key"] == -1 for row in known)

    assert 0.02 < keys[True] / len(known) < 0.08
    for row in known:
        track = catalogue.tracks[spotify_id(row)]
        assert (row["isrc"], row["tempo"], row["loudness"]) == (
            track.isrc,
            track.features.tempo,
            track.features.loudness,
        )


def test_its_order_is_its_own_and_the_same_every_time(api: TestClient, ids: list[str]) -> None:
    asked = ids[:40]

    answered = [spotify_id(row) for row in rows(api, asked)]

    assert answered == [spotify_id(row) for row in rows(api, asked[::-1])]
    assert answered != [id_ for id_ in asked if id_ in answered]


def test_some_of_the_rest_are_known_by_isrc_as_another_track(
    api: TestClient, known: list[dict[str, Any]], ids: list[str], catalogue: Catalogue
) -> None:
    # given
    found = {spotify_id(row) for row in known}
    isrcs = sorted({catalogue.tracks[id_].isrc for id_ in ids if id_ not in found})

    # when
    by_isrc = rows(api, isrcs)

    # then
    assert 0.3 < len({row["isrc"] for row in by_isrc}) / len(isrcs) < 0.9
    assert {row["isrc"] for row in by_isrc} <= set(isrcs)
    assert any(spotify_id(row) not in catalogue.tracks for row in by_isrc)


def test_one_isrc_may_have_several_rows(api: TestClient, catalogue: Catalogue) -> None:
    isrcs = Counter(track.isrc for track in catalogue.tracks.values())
    [(isrc, releases)] = isrcs.most_common(1)

    answer = rows(api, [isrc])

    assert 1 < len(answer) <= releases
    assert {row["isrc"] for row in answer} == {isrc}


def test_ids_may_be_repeated_parameters_and_a_row_comes_once(api: TestClient, known: list[dict[str, Any]]) -> None:
    one, other = (spotify_id(row) for row in known[:2])

    answer = api.get(ROUTE, params={"ids": [one, f"{other},{one}"]}).json()["content"]

    assert sorted(spotify_id(row) for row in answer) == sorted([one, other])


@pytest.mark.parametrize("query", [{}, {"ids": ""}, {"ids": ",".join(["0" * 22] * 41)}], ids=["none", "empty", "41"])
def test_it_takes_one_to_forty_ids(api: TestClient, query: dict[str, str]) -> None:
    assert api.get(ROUTE, params=query).status_code == 400


def test_what_nobody_knows_is_no_error(api: TestClient) -> None:
    assert api.get(ROUTE, params={"ids": "0" * 22}).json() == {"content": []}
