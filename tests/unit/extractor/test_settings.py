import pytest

from contracts.playlists import playlist_ids
from services.extractor.settings import ExtractorSettings
from shared.settings import SettingsError
from tests.unit.extractor.fake_spotify import CLIENT_ID, CLIENT_SECRET, OTHER_PLAYLIST_ID, PLAYLIST_ID

ENVIRONMENT = {
    "S3_BUCKET": "lake",
    "SERVICE_VERSION": "1.0.0",
    "PLAYLIST_ID": PLAYLIST_ID,
    "SPOTIFY_MARKET": "US",
    "SPOTIFY_SECRET_NAME": "earworm/dev/spotify",
}


def settings(**changes: str) -> ExtractorSettings:
    return ExtractorSettings.from_environment(ENVIRONMENT | changes)


@pytest.mark.parametrize(
    "reference",
    [
        PLAYLIST_ID,
        f" {PLAYLIST_ID} ",
        f"https://open.spotify.com/playlist/{PLAYLIST_ID}",
        f"https://open.spotify.com/playlist/{PLAYLIST_ID}?si=0a1b2c3d&pi=x",
        f"http://open.spotify.com/playlist/{PLAYLIST_ID}/",
        f"https://open.spotify.com/intl-de/playlist/{PLAYLIST_ID}",
        f"https://open.spotify.com/user/spotify/playlist/{PLAYLIST_ID}",
        f"spotify:playlist:{PLAYLIST_ID}",
        f"spotify:user:spotify:playlist:{PLAYLIST_ID}",
    ],
)
def test_a_playlist_is_named_by_id_link_or_uri(reference: str) -> None:
    assert playlist_ids([reference]) == (PLAYLIST_ID,)


def test_several_playlists_are_named_by_commas_and_each_counts_once() -> None:
    named = f"spotify:playlist:{OTHER_PLAYLIST_ID}, {PLAYLIST_ID},{OTHER_PLAYLIST_ID},"

    assert settings(PLAYLIST_ID=named).playlist_ids == (OTHER_PLAYLIST_ID, PLAYLIST_ID)


def test_every_wrong_playlist_is_named() -> None:
    named = f"Top 50,{PLAYLIST_ID},https://open.spotify.com/album/{PLAYLIST_ID}"

    with pytest.raises(SettingsError, match="PLAYLIST_ID") as fault:
        settings(PLAYLIST_ID=named)

    assert "'Top 50'" in str(fault.value)
    assert f"'https://open.spotify.com/album/{PLAYLIST_ID}'" in str(fault.value)
    assert f"'{PLAYLIST_ID}'" not in str(fault.value)


def test_the_playlists_may_be_left_to_the_event() -> None:
    assert settings(PLAYLIST_ID="").playlist_ids == ()


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("SPOTIFY_MARKET", "usa"),
        ("SPOTIFY_API_URL", "https://api.spotify.com/v1"),
        ("SPOTIFY_TOKEN_URL", "accounts.spotify.com"),
    ],
)
def test_a_setting_that_cannot_be_right_is_named(name: str, wrong: str) -> None:
    with pytest.raises(SettingsError, match=name):
        settings(**{name: wrong})


def test_spotify_is_where_it_is_unless_told_otherwise() -> None:
    assert settings().spotify_api_url == "https://api.spotify.com/v1/"
    assert settings().spotify_token_url == "https://accounts.spotify.com/api/token"


def test_plain_credentials_go_before_the_stored_ones() -> None:
    plain = settings(SPOTIPY_CLIENT_ID=CLIENT_ID, SPOTIPY_CLIENT_SECRET=CLIENT_SECRET).plain_credentials

    assert plain is not None
    assert (plain.client_id, plain.client_secret.get_secret_value()) == (CLIENT_ID, CLIENT_SECRET)
    assert settings(SPOTIPY_CLIENT_ID="", SPOTIPY_CLIENT_SECRET="").plain_credentials is None


def test_credentials_must_be_somewhere() -> None:
    with pytest.raises(SettingsError, match="no credentials of Spotify's: set SPOTIPY_CLIENT_ID and"):
        settings(SPOTIFY_SECRET_NAME="")


@pytest.mark.parametrize("alone", ["SPOTIPY_CLIENT_ID", "SPOTIPY_CLIENT_SECRET"])
def test_half_of_the_credentials_is_a_mistake_and_stays_untold(alone: str) -> None:
    with pytest.raises(SettingsError, match="set both or neither") as fault:
        settings(**{alone: CLIENT_SECRET})

    assert CLIENT_SECRET not in str(fault.value)


def test_no_secret_is_shown_with_the_settings() -> None:
    shown = settings(SPOTIPY_CLIENT_ID=CLIENT_ID, SPOTIPY_CLIENT_SECRET=CLIENT_SECRET)

    assert CLIENT_SECRET not in f"{shown!r} {shown} {shown.plain_credentials!r} {shown.model_dump_json()}"
