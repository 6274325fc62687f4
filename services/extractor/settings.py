from typing import Annotated

from pydantic import BeforeValidator, Field, SecretStr, ValidationInfo, field_validator

from contracts.playlists import playlist_ids_between_commas
from services.extractor.credentials import Credentials
from shared.settings import Settings


class ExtractorSettings(Settings):
    """What the extractor needs to know.

    Attributes:
        playlist_ids: The playlists of an event that names none, from `PLAYLIST_ID`: ids, links or URIs by commas.
        spotify_market: The country whose view of the catalogue is taken, ISO 3166-1 alpha-2.
        spotify_secret_name: The secret in Secrets Manager with the credentials, where they are not given plainly.
    """

    playlist_ids: Annotated[tuple[str, ...], BeforeValidator(playlist_ids_between_commas)] = Field(
        default=(), alias="PLAYLIST_ID"
    )
    spotify_market: Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
    spotify_api_url: Annotated[str, Field(pattern=r"^https?://.+/$")] = "https://api.spotify.com/v1/"
    spotify_token_url: Annotated[str, Field(pattern=r"^https?://.+$")] = "https://accounts.spotify.com/api/token"  # noqa: S105  # an address
    spotipy_client_id: str | None = None
    spotipy_client_secret: SecretStr | None = None
    spotify_secret_name: Annotated[str | None, Field(validate_default=True)] = None

    @field_validator("spotify_secret_name")
    @classmethod
    def _credentials_are_somewhere(cls, name: str | None, others: ValidationInfo) -> str | None:
        has_id, has_secret = (bool(others.data.get(each)) for each in ("spotipy_client_id", "spotipy_client_secret"))
        if has_id != has_secret:
            raise ValueError("SPOTIPY_CLIENT_ID and SPOTIPY_CLIENT_SECRET belong together: set both or neither")
        if not has_id and not name:
            raise ValueError(
                "no credentials of Spotify's: set SPOTIPY_CLIENT_ID and SPOTIPY_CLIENT_SECRET, "
                "or name the secret that holds them"
            )
        return name

    @property
    def plain_credentials(self) -> Credentials | None:
        """The credentials from the environment, which go before those in Secrets Manager."""
        if not self.spotipy_client_id or not self.spotipy_client_secret:
            return None
        return Credentials(client_id=self.spotipy_client_id, client_secret=self.spotipy_client_secret)
