from infra.local.cloud import Endpoints

AWS = Endpoints(
    aws="http://127.0.0.1:1", spotify=None, access_key_id="LOCAL0123456789ABCDEF", secret_access_key="the secret"
)
BOTH = Endpoints(
    aws="http://127.0.0.1:1",
    spotify="http://127.0.0.1:2",
    access_key_id="LOCAL0123456789ABCDEF",
    secret_access_key="the secret",
    client_id="client",
    client_secret="the client's secret",
    simulator_secret="the simulator's secret",
    listenbrainz="http://127.0.0.1:3",
)


def spotify(variables: dict[str, str]) -> list[str]:
    return [name for name in variables if name.startswith(("SPOTIFY", "SPOTIPY", "RECCOBEATS"))]


def test_the_simulator_takes_the_place_of_spotify_and_of_reccobeats() -> None:
    environment = BOTH.environment()

    assert environment["SPOTIFY_API_URL"] == "http://127.0.0.1:2/v1/"
    assert environment["SPOTIFY_TOKEN_URL"] == "http://127.0.0.1:2/api/token"
    assert environment["RECCOBEATS_API_URL"] == "http://127.0.0.1:2/reccobeats/v1/"
    assert (environment["SPOTIPY_CLIENT_ID"], environment["SPOTIPY_CLIENT_SECRET"]) == ("client", "the client's secret")


def test_the_simulator_of_listenbrainz_takes_its_place_and_names_somebody() -> None:
    environment = BOTH.environment()

    assert environment["LISTENBRAINZ_API_URL"] == "http://127.0.0.1:3/1/"
    assert environment["LISTENBRAINZ_CONTACT"].endswith(".example")
    assert not any(name.startswith("LISTENBRAINZ") for name in AWS.environment())


def test_beside_the_real_spotify_stands_the_real_reccobeats() -> None:
    assert spotify(AWS.environment()) == []


def test_other_tools_are_told_of_aws_alone() -> None:
    assert BOTH.environment_of_aws() == AWS.environment()
    assert AWS.environment()["AWS_ACCESS_KEY_ID"] == "LOCAL0123456789ABCDEF"
    assert AWS.environment()["AWS_SECRET_ACCESS_KEY"] == "the secret"


def test_secrets_are_not_shown() -> None:
    assert "secret" not in repr(BOTH).replace("_secret", "").replace("secret_", "")
