"""What tells the credentials of the simulators from real ones."""

from typing import Final

CLIENT_ID_PREFIX: Final = "earworm-simulator-"
"""Begins the id of every application that is the simulator's of Spotify."""
CONTACT: Final = "simulated@earworm.example"
"""Whom the local cloud's collector names to the simulator of ListenBrainz."""
