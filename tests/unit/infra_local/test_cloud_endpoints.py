from infra.local.cloud import Endpoints

AWS = "http://127.0.0.1:1"


def test_the_simulator_takes_the_place_of_spotify_and_of_reccobeats() -> None:
    environment = Endpoints(aws=AWS, spotify="http://127.0.0.1:2").environment()

    assert environment["SPOTIFY_API_URL"] == "http://127.0.0.1:2/v1/"
    assert environment["SPOTIFY_TOKEN_URL"] == "http://127.0.0.1:2/api/token"
    assert environment["RECCOBEATS_API_URL"] == "http://127.0.0.1:2/reccobeats/v1/"


def test_beside_the_real_spotify_stands_the_real_reccobeats() -> None:
    environment = Endpoints(aws=AWS, spotify=None).environment()

    assert not [name for name in environment if name.startswith(("SPOTIFY", "SPOTIPY", "RECCOBEATS"))]
