"""What Spotify grants an application: the routes, the lists and the fields of each tier.

Sources: https://developer.spotify.com/blog/2024-11-27-changes-to-the-web-api and
https://developer.spotify.com/documentation/web-api/tutorials/february-2026-migration-guide
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Self

from infra.local.spotify.admin import Generation, TierName
from infra.local.spotify.documents import JsonObject, PlaylistShape

_SHAPES: Final[dict[Generation, PlaylistShape]] = {
    "2025": PlaylistShape(pages=("tracks",), tracks=("track",)),
    "2026": PlaylistShape(pages=("items",), tracks=("item",)),
    "both": PlaylistShape(pages=("tracks", "items"), tracks=("track", "item")),
}
_WITHHELD: Final[Mapping[str, frozenset[str]]] = {
    "track": frozenset({"popularity", "available_markets", "linked_from"}),
    "album": frozenset({"popularity", "label", "available_markets", "album_group"}),
    "artist": frozenset({"popularity", "followers"}),
}
"""By the type of an object, the fields that restricted applications do not see."""

_PREFIX_OF_SPOTIFY_LISTS: Final = "37i9"


class TierError(Exception):
    """No such combination of a tier and a generation; the text says which there are."""


@dataclass(frozen=True, slots=True)
class Tier:
    """What Spotify grants an application.

    Attributes:
        name: What the tier is called here.
        generation: The names that playlists use: those of before February 2026, the ones since, or both at once.
        audio_features: Whether audio features are served; otherwise 403.
        spotify_lists: Whether lists that Spotify owns are served; otherwise 404.
        batches: Whether several objects may be asked for by `?ids=`; otherwise 403.
        foreign_contents: Whether the entries of lists are served that the authorizing user does not own.
        all_fields: Whether popularity, label, followers and the like are in the answers.
    """

    name: TierName
    generation: Generation
    audio_features: bool = False
    spotify_lists: bool = False
    batches: bool = True
    foreign_contents: bool = True
    all_fields: bool = True

    @property
    def playlist_shape(self) -> PlaylistShape:
        """The names that playlists use in this tier."""
        return _SHAPES[self.generation]

    @property
    def embedded_entries(self) -> int:
        """How many entries a playlist itself brings along at most."""
        return 50 if self.generation == "2026" else 100

    def of_generation(self, generation: Generation | None) -> Self:
        """Return this tier with the names of another generation; None keeps its own.

        Raises:
            TierError: The tier does not exist in that generation.
        """
        if generation in (None, self.generation):
            return self
        if not self.all_fields:  # fields were withheld when the names changed, not before
            raise TierError(f"{self.name} exists in the generation {self.generation} alone, not in {generation}.")
        return replace(self, generation=generation)

    def shows(self, playlist_id: str) -> bool:
        """Tell whether the application gets to see that a list exists."""
        return self.spotify_lists or not playlist_id.startswith(_PREFIX_OF_SPOTIFY_LISTS)

    def opens(self, owner_id: str | None, *, reader_id: str | None) -> bool:
        """Tell whether the entries of a user's list are served to a reader; None stands for nobody."""
        return self.foreign_contents or (reader_id is not None and reader_id == owner_id)

    def granted(self, document: JsonObject) -> JsonObject:
        """Return a document with the fields that the tier grants, at every depth."""
        granted: JsonObject = document if self.all_fields else _without_withheld(document)
        return granted


TIERS: Final[Mapping[TierName, Tier]] = {
    tier.name: tier
    for tier in (
        Tier("extended", "both", audio_features=True, spotify_lists=True),
        Tier("extended_late", "both"),
        Tier("dev_2024", "2025"),
        Tier("dev_2026", "2026", batches=False, foreign_contents=False, all_fields=False),
    )
}
"""Every tier that exists at the end of 2026, in the generation that it is served in."""


def _without_withheld(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_withheld(element) for element in value]
    if not isinstance(value, dict):
        return value
    withheld = _WITHHELD.get(str(value.get("type")), frozenset())
    return {name: _without_withheld(field) for name, field in value.items() if name not in withheld}
