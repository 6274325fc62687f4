"""The kinds of list that snapshots are taken of."""

from typing import Literal, TypeAlias

Kind: TypeAlias = Literal["playlists", "charts"]
"""A curated list, and a published ranking. `shared.lake` knows where each is kept."""
