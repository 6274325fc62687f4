import pytest

from contracts.playlists import playlist_ids
from services.extractor.settings import ExtractorSettings
from shared.settings import SettingsError
from tests.unit.extractor.fake_spotify import OTHER_PLAYLIST_ID, PLAYLIST_ID

ENVIRONMENT = {
    "S3_BUCKET": "lake",
    "SERVICE_VERSION": "1.0.0",
    "PLAYLIST_ID": PLAYLIST_ID,
    "SPOTIFY_MARKET": "US",
    "DEFERRED_SCHEDULES": "earworm-dev-deferred",
    "SCHEDULER_ROLE_ARN": "arn:aws:iam::123456789012:role/schedule",
    "DEAD_LETTER_QUEUE_ARN": "arn:aws:sqs:eu-west-1:123456789012:dead-letters",
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
        ("RECCOBEATS_API_URL", "api.reccobeats.com"),
        ("RECCOBEATS_ASKED_BY", "name"),
    ],
)
def test_a_setting_that_cannot_be_right_is_named(name: str, wrong: str) -> None:
    with pytest.raises(SettingsError, match=name):
        settings(**{name: wrong})


def test_spotify_is_where_it_is_unless_told_otherwise() -> None:
    assert settings().spotify_api_url == "https://api.spotify.com/v1/"
    assert settings().spotify_token_url == "https://accounts.spotify.com/api/token"


@pytest.mark.parametrize("wrong", ["0", "-1", "many"])
def test_a_call_budget_is_a_number_of_calls(wrong: str) -> None:
    assert settings().spotify_call_budget == 500
    with pytest.raises(SettingsError, match="SPOTIFY_CALL_BUDGET"):
        settings(SPOTIFY_CALL_BUDGET=wrong)


def test_nobody_but_spotify_measures_where_reccobeats_is_nowhere() -> None:
    assert settings().reccobeats_api_url == "https://api.reccobeats.com/v1/"
    assert settings(RECCOBEATS_API_URL="").reccobeats_api_url == ""
