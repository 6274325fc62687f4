from collections.abc import Mapping
from typing import Literal, TypeAlias

from typing_extensions import TypedDict

Holding: TypeAlias = Literal["Parquet file", "quarantine", "quarantine of values"]


class Claim(TypedDict):
    """A receipt's claims about a file.

    Attributes:
        path: Where a copy of it is.
        holding: The kind of file.
        table: The table that it belongs to.
        rows: How many rows, rejected rows or refused values it has.
        shared: The columns with the same value in every row, with that value.
    """

    path: str
    holding: Holding
    table: str
    rows: int
    shared: Mapping[str, str | None]
