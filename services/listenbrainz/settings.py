import re
from typing import Annotated, Final

from pydantic import AfterValidator, BeforeValidator, Field

from shared.deferral import DeferralSettings

_CONTACT: Final = re.compile(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+|https?://[!-'*-\[\]-~]+")
"""What may stand in a comment of a header, in parentheses."""


def _reachable(contact: str) -> str:
    if not _CONTACT.fullmatch(contact):
        raise ValueError("give an e-mail address or the address of a page: ListenBrainz blocks who cannot be asked")
    return contact


class ListenBrainzSettings(DeferralSettings):
    """What the collector of ListenBrainz needs to know.

    Attributes:
        listenbrainz_contact: Whom ListenBrainz asks about these calls, an e-mail address or that of a page.
        listenbrainz_api_url: Base address of its API.
        listenbrainz_secret_name: The secret in Secrets Manager with a user's token; None sends none.
    """

    listenbrainz_contact: Annotated[str, AfterValidator(_reachable)]
    listenbrainz_api_url: Annotated[str, Field(pattern=r"^https?://.+/$")] = "https://api.listenbrainz.org/1/"
    listenbrainz_secret_name: Annotated[str | None, BeforeValidator(lambda name: name or None)] = None
