from msgspec import Struct

from contracts.fields import Unverified


class Broken(Struct, frozen=True, gc=False):
    """What no column can hold: a structure that is not Spotify's, or a value that is not what it is called.

    Attributes:
        raw: What was there instead.
        reason: What is wrong with it, and where within it.
    """

    raw: Unverified
    reason: str
