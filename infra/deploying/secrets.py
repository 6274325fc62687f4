"""The Spotify application's credentials, and a user's consent, in Secrets Manager."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

from pydantic import TypeAdapter, ValidationError

from infra.deploying.deploy import DeployError

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

_SECRET = TypeAdapter(dict[str, str])


def spotify_secret_name(environment: str) -> str:
    """Returns the name of the secret in Secrets Manager that the extractor reads."""
    return f"earworm/{environment}/spotify"


def stored_spotify_secret(secretsmanager: "SecretsManagerClient", environment: str) -> dict[str, str] | None:
    """Returns the secret's content; None if there is no secret.

    Raises:
        DeployError: It is not a JSON object; never contains it.
    """
    name = spotify_secret_name(environment)
    try:
        stored = secretsmanager.get_secret_value(SecretId=name)
    except secretsmanager.exceptions.ResourceNotFoundException:
        return None
    try:
        return _SECRET.validate_json(stored.get("SecretString", ""))
    except ValidationError:
        raise DeployError(
            f"The secret {name} in Secrets Manager is not a JSON object of strings: correct or delete it and try again."
        ) from None


def store_spotify_secret(
    secretsmanager: "SecretsManagerClient",
    environment: str,
    client_id: str,
    client_secret: str,
    consent: Mapping[str, str] | None = None,
) -> bool:
    """Store the Spotify application's credentials where the extractor reads them, and return whether they are new.

    Args:
        secretsmanager: The client.
        environment: The environment whose extractor they are for.
        client_id: The application's.
        client_secret: The application's.
        consent: A user's, as `refresh_token` and `consented_at`. Without one, a consent stored with the same client_id
            stays; one that was given to another application is useless to this one.

    Raises:
        DeployError: The secret has other content already.
    """
    name = spotify_secret_name(environment)
    stored = stored_spotify_secret(secretsmanager, environment)
    kept = stored if stored and stored.get("client_id") == client_id else {}
    secret = {**kept, "client_id": client_id, "client_secret": client_secret, **(consent or {})}
    if stored is None:
        secretsmanager.create_secret(
            Name=name,
            Description="The Spotify application that the extractor acts for.",
            SecretString=json.dumps(secret),
        )
    elif secret != stored:
        secretsmanager.put_secret_value(SecretId=name, SecretString=json.dumps(secret))
    return secret != stored
