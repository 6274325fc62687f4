from collections.abc import Mapping

from typing_extensions import TypedDict


class Claim(TypedDict):
    """What a receipt says of a file.

    Attributes:
        path: Where a copy of it is.
        table: The table that it belongs to.
        rows: How many rows or rejected rows it holds.
        shared: The columns that are the same in every row, with their value.
    """

    path: str
    table: str
    rows: int
    shared: Mapping[str, str | None]
