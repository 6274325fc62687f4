"""Values that look random and are a function of their key alone: the same on every machine and run."""

import base64
import struct
from hashlib import blake2b

_BASE62 = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


def digest(*key: object, size: int) -> bytes:
    """Return `size` bytes (at most 64) that depend on the parts of the key and nothing else."""
    return blake2b("\x1f".join(map(str, key)).encode(), digest_size=size).digest()


def fractions(*key: object, count: int) -> tuple[float, ...]:
    """Return `count` (at most 8) numbers, uniform over the open interval from 0 to 1."""
    integers = struct.unpack(f"{count}Q", digest(*key, size=8 * count))
    return tuple(((integer >> 12) + 0.5) / 2**52 for integer in integers)


def spotify_id(*key: object) -> str:
    """Return an identifier as Spotify writes it: 128 bits in 22 digits of base 62.

    Source: https://developer.spotify.com/documentation/web-api/concepts/spotify-uris-ids
    """
    number = int.from_bytes(digest(*key, size=16))
    digits = []
    for _ in range(22):
        number, digit = divmod(number, 62)
        digits.append(_BASE62[digit])
    return "".join(reversed(digits))


def snapshot_id(*key: object) -> str:
    """Return a playlist's version identifier as Spotify writes it: 24 bytes in base 64."""
    return base64.b64encode(digest(*key, size=24)).decode()
