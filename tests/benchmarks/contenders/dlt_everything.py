"""dlt with its filesystem destination and Parquet, from the items as Spotify sends them, without a contract."""

from pathlib import Path

import dlt
import orjson

from tests.benchmarks.contenders.dlt_rows import load


def write(body: bytes, folder: Path) -> None:
    """The entries and all that dlt unnests of them, markets too."""
    items = orjson.loads(body)[0]["tracks"]["items"]
    load([dlt.resource(items, name="entries")], folder)
