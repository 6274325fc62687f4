from typing import Annotated

from pydantic import BeforeValidator, Field

from contracts.playlists import playlist_ids_between_commas
from services.extractor.features import JoinedBy
from shared.deferral import DeferralSettings


class ExtractorSettings(DeferralSettings):
    """The settings of the extractor.

    Attributes:
        playlist_ids: The playlists of an event that names none, from `PLAYLIST_ID`: ids, links or URIs, separated by
            commas.
        spotify_market: The market of all requests, ISO 3166-1 alpha-2.
        spotify_call_budget: How many calls to Spotify a run may make beside those for the length of its playlists.
        reccobeats_api_url: Base address of ReccoBeats; empty to leave it out.
        reccobeats_asked_by: `id`, and then by ISRC for what is left; or by `isrc` alone.
        spotify_secret_name: The secret in Secrets Manager with the credentials, unless variables hold them.
    """

    playlist_ids: Annotated[tuple[str, ...], BeforeValidator(playlist_ids_between_commas)] = Field(
        default=(), alias="PLAYLIST_ID"
    )
    spotify_market: Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
    spotify_api_url: Annotated[str, Field(pattern=r"^https?://.+/$")] = "https://api.spotify.com/v1/"
    spotify_token_url: Annotated[str, Field(pattern=r"^https?://.+$")] = "https://accounts.spotify.com/api/token"  # noqa: S105  # an address
    spotify_call_budget: Annotated[int, Field(ge=1)] = 500
    reccobeats_api_url: Annotated[str, Field(pattern=r"^(https?://.+/)?$")] = "https://api.reccobeats.com/v1/"
    reccobeats_asked_by: JoinedBy = "id"
    spotify_secret_name: str | None = None
