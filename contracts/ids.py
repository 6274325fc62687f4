"""The forms of ids."""

import re
from typing import Final

SPOTIFY_ID: Final = re.compile(r"[0-9A-Za-z]{22}")
"""Source: https://developer.spotify.com/documentation/web-api/concepts/spotify-uris-ids"""
MBID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""Source: https://musicbrainz.org/doc/MusicBrainz_Identifier"""
RUN_ID: Final = re.compile(r"[!-~]{1,128}")
