"""The application's credentials at Spotify, and where they are stored."""

import os
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator

from shared.errors import sentence_of
from shared.secrets_manager import secret_string
from shared.settings import SettingsError

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

_WHAT_BELONGS_TOGETHER = (
    "SPOTIPY_CLIENT_ID and SPOTIPY_CLIENT_SECRET belong together: set both or neither; "
    "so do SPOTIPY_REFRESH_TOKEN and SPOTIPY_CONSENTED_AT beside them"
)


class Credentials(BaseModel):
    """The application's id and secret, and a user's consent where there is one.

    Attributes:
        client_id: From the application's page at https://developer.spotify.com/dashboard.
        client_secret: Likewise.
        refresh_token: From a user's consent. Playlists that only their owner may read need it.
        consented_at: When the user consented: a refresh token ends six months later, however often it is used
            (https://developer.spotify.com/blog/2026-06-18-refresh-token-expiration).
    """

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    client_id: Annotated[str, Field(min_length=1)]
    client_secret: Annotated[SecretStr, Field(min_length=1)]
    refresh_token: Annotated[SecretStr, Field(min_length=1)] | None = None
    consented_at: AwareDatetime | None = None

    @model_validator(mode="after")
    def _a_consent_is_whole(self) -> Self:
        if (self.refresh_token is None) != (self.consented_at is None):
            raise ValueError("refresh_token and consented_at belong together: give both or neither")
        return self


def plain_credentials(environment: Mapping[str, str] = os.environ) -> Credentials | None:
    """Returns the credentials in plain variables, named as the fields after `SPOTIPY_`; None if none is set.

    Raises:
        SettingsError: They are incomplete; never contains a value.
    """
    given = {name: environment.get(f"SPOTIPY_{name.upper()}") or None for name in Credentials.model_fields}
    if not any(given.values()):
        return None
    try:
        return Credentials.model_validate({name: value for name, value in given.items() if value})
    except ValidationError as fault:
        raise SettingsError(f"{_WHAT_BELONGS_TOGETHER} ({sentence_of(fault)})") from None


def stored_credentials(secrets: "SecretsManagerClient", name: str) -> Credentials:
    """Returns the credentials in a secret of Secrets Manager.

    Raises:
        SettingsError: There is no such secret, it may not be read, or its content is invalid; never contains a value.
    """
    advice = "create it as JSON with client_id and client_secret, or set SPOTIFY_SECRET_NAME to another one"
    try:
        return Credentials.model_validate_json(secret_string(secrets, name, advice=advice))
    except ValidationError as fault:
        raise SettingsError(
            f"the secret {name!r} in Secrets Manager is not a JSON object with client_id and client_secret: "
            f"{sentence_of(fault)}"
        ) from None


def days_since_consent(credentials: Credentials, now: datetime) -> int | None:
    """Returns the full days since the user's consent, None without one; it should be renewed from 150 on."""
    return None if credentials.consented_at is None else (now - credentials.consented_at).days
