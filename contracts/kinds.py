"""The kinds of list that snapshots are taken of."""

from typing import Literal, TypeAlias

Kind: TypeAlias = Literal["playlists", "charts"]
"""What somebody put together, and a ranking that somebody published. `shared.lake` tells where each is kept."""
