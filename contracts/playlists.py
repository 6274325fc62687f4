"""The names that a playlist goes by."""

import re
from collections.abc import Iterable

from contracts.ids import SPOTIFY_ID

_PLAYLIST = re.compile(
    r"(?:https?://open\.spotify\.com/(?:intl-[a-z-]+/)?(?:user/[^/]+/)?playlist/|spotify:(?:user:[^:]+:)?playlist:)?"
    rf"({SPOTIFY_ID.pattern})/?(?:[?#].*)?"
)


def playlist_ids(references: Iterable[str]) -> tuple[str, ...]:
    """Returns the distinct ids of playlists named by ids, links or URIs, in order.

    Source: https://developer.spotify.com/documentation/web-api/concepts/spotify-uris-ids

    Raises:
        ValueError: Names each reference that is none of these.
    """
    found = {reference: _PLAYLIST.fullmatch(reference.strip()) for reference in references}
    wrong = ", ".join(repr(reference) for reference, match in found.items() if not match)
    if wrong:
        raise ValueError(
            f"not a playlist: {wrong}; give an id of 22 letters and digits, a link "
            "https://open.spotify.com/playlist/<id> or a URI spotify:playlist:<id>"
        )
    return tuple(dict.fromkeys(match[1] for match in found.values() if match))


def playlist_ids_between_commas(references: str) -> tuple[str, ...]:
    """Returns the distinct ids of playlists named in one text, by commas.

    Raises:
        ValueError: As `playlist_ids`.
    """
    return playlist_ids(reference for reference in references.split(",") if reference.strip())
