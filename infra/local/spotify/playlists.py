"""The lists that the simulator serves, and what happens to them while it does."""

from collections import Counter
from collections.abc import Mapping
from datetime import date

from infra.local.spotify import seeded
from infra.local.spotify.admin import Decoration
from infra.local.spotify.decorations import decorated
from infra.local.spotify.documents import CapturedPlaylist, Contents
from infra.local.spotify.trending import OTHER_PLAYLISTS, PLAYLISTS, TrendingPlaylist, Trends


class Playlists:
    """Every list by its id, with its contents of a day."""

    def __init__(self, trends: Trends, captured: Mapping[str, CapturedPlaylist]) -> None:
        self._trends = trends
        self.by_id: Mapping[str, TrendingPlaylist | CapturedPlaylist] = {
            **{playlist.id: playlist for playlist in (*PLAYLISTS, *OTHER_PLAYLISTS)},
            **captured,
        }
        self._edits: Counter[str] = Counter()
        self._decorations: dict[str, Decoration] = {}

    def contents(self, playlist: TrendingPlaylist | CapturedPlaylist, on: date) -> Contents:
        """Return what a list holds on a day, with its decoration and after its edits."""
        if isinstance(playlist, CapturedPlaylist):
            contents = playlist.contents
        else:
            contents = Contents(self._trends.snapshot_id(playlist, on), self._trends.entries(playlist, on))
        if playlist.id in self._decorations:
            contents = decorated(contents, self._decorations[playlist.id])
        if edits := self._edits[playlist.id]:
            first = edits % max(1, len(contents.entries))
            contents = Contents(
                seeded.snapshot_id(contents.snapshot_id, edits), contents.entries[first:] + contents.entries[:first]
            )
        return contents

    @property
    def decorations(self) -> tuple[Decoration, ...]:
        """The decorations of all lists."""
        return tuple(self._decorations.values())

    def edit(self, playlist_id: str) -> None:
        """Move the first entry of a list to its end, which changes its snapshot_id."""
        self._edits[playlist_id] += 1

    def restore(self, decorations: tuple[Decoration, ...]) -> None:
        """Forget every edit, and decorate these lists and no others."""
        self._edits.clear()
        self._decorations = {decoration.playlist: decoration for decoration in decorations}
