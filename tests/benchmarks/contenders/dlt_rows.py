"""dlt with its filesystem destination, Parquet and pydantic contracts, from rows that are flat already."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dlt
import orjson

from tests.benchmarks.contenders.flatten import flatten
from tests.benchmarks.contenders.models import MODELS

_CONTRACT = {"tables": "evolve", "columns": "freeze", "data_type": "freeze"}


def write(body: bytes, folder: Path) -> None:
    """All five tables."""
    load([resource(name, rows) for name, rows in flatten(orjson.loads(body)).items()], folder)


def resource(name: str, rows: list[dict[str, Any]]) -> Any:
    """A table's rows under its contract."""

    def rows_or_an_empty_table() -> Iterator[Any]:
        yield rows or dlt.mark.materialize_table_schema()

    return dlt.resource(rows_or_an_empty_table, name=name, columns=MODELS[name], schema_contract=_CONTRACT)


def load(resources: list[Any], folder: Path) -> None:
    """Load resources into files of Parquet below a folder."""
    pipeline = dlt.pipeline(
        "benchmark",
        pipelines_dir=str(folder / "pipelines"),
        destination=dlt.destinations.filesystem(str(folder / "lake")),
        dataset_name="spotify",
    )
    pipeline.run(resources, loader_file_format="parquet")
