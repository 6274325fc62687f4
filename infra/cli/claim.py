from collections.abc import Mapping
from typing import Literal, TypeAlias

from typing_extensions import TypedDict

Holding: TypeAlias = Literal["Parquet file", "quarantine", "quarantine of values"]


class Claim(TypedDict):
    """What a receipt says of a file.

    Attributes:
        path: Where a copy of it is.
        holding: What it is.
        table: The table that it belongs to.
        rows: How many rows, rejected rows or refused values it holds.
        shared: The columns that are the same in every row, with their value.
    """

    path: str
    holding: Holding
    table: str
    rows: int
    shared: Mapping[str, str | None]
