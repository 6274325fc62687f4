from msgspec import Struct

from contracts.fields import Unverified


class Broken(Struct, frozen=True, gc=False):
    """Something that no column can hold: an unknown structure, or a value that is not what its name says.

    Attributes:
        raw: The value that was sent.
        reason: What is wrong with it, and where within it.
    """

    raw: Unverified
    reason: str
