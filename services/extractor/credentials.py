"""What Spotify knows the application by, and where it is kept."""

from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from shared.errors import sentence_of
from shared.settings import SettingsError

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient


class Credentials(BaseModel):
    """The application's id and secret, as its page at https://developer.spotify.com/dashboard tells them."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    client_id: Annotated[str, Field(min_length=1)]
    client_secret: Annotated[SecretStr, Field(min_length=1)]


def stored_credentials(secrets: "SecretsManagerClient", name: str) -> Credentials:
    """The credentials that a secret in Secrets Manager holds.

    Raises:
        SettingsError: There is no such secret, or it holds something else; never tells what.
    """
    try:
        secret = secrets.get_secret_value(SecretId=name)
    except secrets.exceptions.ResourceNotFoundException:
        raise SettingsError(
            f"Secrets Manager has no secret {name!r}: create it as JSON with client_id and client_secret, "
            "or let SPOTIFY_SECRET_NAME name another one"
        ) from None
    try:
        return Credentials.model_validate_json(secret.get("SecretString", ""))
    except ValidationError as fault:
        raise SettingsError(
            f"the secret {name!r} in Secrets Manager is no JSON object with client_id and client_secret: "
            f"{sentence_of(fault)}"
        ) from None
