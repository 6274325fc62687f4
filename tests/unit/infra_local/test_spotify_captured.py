"""Captured documents, served through the same routes as the simulated lists."""

import json
from pathlib import Path
from typing import Any

import pytest

from infra.local.spotify.captured import CapturedDocumentError, read_captured
from infra.local.spotify.catalogue import Catalogue
from infra.local.spotify.tiers import TIERS
from tests.unit.infra_local.simulator import simulator

ID = "1Cp6VQCKf2VL4sP09jN9oX"


def entry(number: int, *names: str) -> dict[str, Any]:
    track = {"type": "track", "id": f"{number:022}", "popularity": 50}
    return {"added_at": None, "is_local": False, **dict.fromkeys(names or ("track",), track)}


def page(offset: int, numbers: range, *names: str, route: str = "tracks", owner: str = f"playlists/{ID}") -> Any:
    return {
        "href": f"https://api.spotify.com/v1/{owner}/{route}?offset={offset}&limit=100",
        "items": [entry(number, *names) for number in numbers],
        "offset": offset,
    }


HEAD = {"id": ID, "name": "Real", "owner": {"id": "somebody"}, "snapshot_id": "AAA", "novelty": 1}


@pytest.mark.parametrize(
    "document",
    [
        {**HEAD, "tracks": page(0, range(3))},
        {**HEAD, "items": page(0, range(3), "item", route="items")},
        {**HEAD, "items": page(0, range(3), "item", "track"), "tracks": page(0, range(3), "item", "track")},
        [{**HEAD, "tracks": page(0, range(3))}],
        page(0, range(3)),
    ],
    ids=["2025", "2026", "both", "in a list of one", "bare page"],
)
def test_every_shape_is_served_in_the_names_of_the_tier(catalogue: Catalogue, tmp_path: Path, document: Any) -> None:
    # given
    (tmp_path / "real.json").write_text(json.dumps(document))
    api = simulator(catalogue, "extended_late", read_captured(tmp_path))

    # when
    playlist = api.get(f"/v1/playlists/{ID}").json()
    second = api.get(f"/v1/playlists/{ID}/items", params={"offset": 1, "limit": 1}).json()

    # then
    assert [one["item"]["id"] for one in playlist["items"]["items"]] == [f"{number:022}" for number in range(3)]
    assert playlist["tracks"]["items"] == playlist["items"]["items"] == [entry(n, "track", "item") for n in range(3)]
    assert second["items"] == [entry(1, "track", "item")]
    assert (second["total"], second["next"].partition("/v1/")[2]) == (3, f"playlists/{ID}/items?offset=2&limit=1")
    assert playlist["snapshot_id"]


def test_what_surrounds_the_entries_is_kept(catalogue: Catalogue, tmp_path: Path) -> None:
    (tmp_path / "real.json").write_text(json.dumps({**HEAD, "tracks": page(0, range(1))}))

    playlist = simulator(catalogue, captured=read_captured(tmp_path)).get(f"/v1/playlists/{ID}").json()

    assert {name: playlist[name] for name in HEAD} == HEAD


def test_pages_of_one_list_are_put_together(catalogue: Catalogue, tmp_path: Path) -> None:
    # given
    owner = "users/118430647/starred"
    (tmp_path / "1.json").write_text(json.dumps({**HEAD, "id": None, "tracks": page(0, range(2), owner=owner)}))
    (tmp_path / "2.json").write_text(json.dumps(page(2, range(2, 5), owner=owner)))

    # when
    [(id_, playlist)] = read_captured(tmp_path).items()

    # then
    assert len(id_) == 22
    assert playlist.name == "Real"
    served = simulator(catalogue, captured={id_: playlist}).get(f"/v1/playlists/{id_}/items").json()["items"]
    assert [one["item"]["id"] for one in served] == [f"{number:022}" for number in range(5)]


def test_of_two_captures_of_one_list_the_last_by_name_counts(tmp_path: Path) -> None:
    for day in (2, 11):
        (tmp_path / f"2024-05-{day:02}.json").write_text(
            json.dumps({**HEAD, "snapshot_id": str(day), "tracks": page(0, range(day))})
        )

    [playlist] = read_captured(tmp_path).values()

    assert (playlist.contents.snapshot_id, len(playlist.contents.entries)) == ("11", 11)


def test_a_bare_page_of_a_list_of_spotifys_is_known_by_its_id(catalogue: Catalogue, tmp_path: Path) -> None:
    id_ = "37i9dQZEVXbMDoHDwVN2tF"
    (tmp_path / "top.json").write_text(json.dumps(page(0, range(1), owner=f"playlists/{id_}")))
    captured = read_captured(tmp_path)

    statuses = [simulator(catalogue, tier, captured).get(f"/v1/playlists/{id_}").status_code for tier in TIERS]

    assert statuses == [200, 404, 404, 404]


def test_young_development_mode_does_not_open_a_strangers_list(catalogue: Catalogue, tmp_path: Path) -> None:
    (tmp_path / "real.json").write_text(json.dumps({**HEAD, "items": page(0, range(1), "item")}))

    playlist = simulator(catalogue, "dev_2026", read_captured(tmp_path)).get(f"/v1/playlists/{ID}").json()

    assert "items" not in playlist


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ({}, "There is no playlist document in"),
        ({"a.json": "{"}, "a.json is not JSON"),
        ({"a.json": "[]"}, "a.json holds no object but list"),
        ({"a.json": "{}"}, "a.json is neither a playlist with entries nor a page of one"),
        ({"a.json": '{"items": []}'}, "a.json tells neither its playlist's id nor an address of its page"),
        ({"a.json": json.dumps(page(100, range(1)))}, "begins at entry 100, where 0 entries came before it"),
    ],
)
def test_a_folder_of_anything_else_is_refused(tmp_path: Path, files: dict[str, str], sentence: str) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)

    with pytest.raises(CapturedDocumentError, match=sentence):
        read_captured(tmp_path)


def test_the_real_documents_are_served_to_the_last_entry(catalogue: Catalogue, real_documents: Path) -> None:
    # given
    captured = {**read_captured(real_documents / "playlists"), **read_captured(real_documents / "paged")}
    api = simulator(catalogue, captured=captured)

    # when
    totals = {id_: api.get(f"/v1/playlists/{id_}/items").json()["total"] for id_ in captured}

    # then
    starred = next(id_ for id_, playlist in captured.items() if playlist.name == "Starred")
    assert totals == {"37i9dQZEVXbMDoHDwVN2tF": 50, ID: 1, "23Ay9WfURne0LvtlCvYTkj": 4, starred: 185}
