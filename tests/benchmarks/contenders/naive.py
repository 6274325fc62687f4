"""json, one pydantic model a row, a DataFrame and fastparquet."""

import json
from pathlib import Path

import pandas as pd

from tests.benchmarks.contenders.flatten import flatten
from tests.benchmarks.contenders.models import MODELS


def write(body: bytes, folder: Path) -> None:
    """All five tables."""
    for name, rows in flatten(json.loads(body)).items():
        model = MODELS[name]
        frame = pd.DataFrame([model(**row).model_dump() for row in rows], columns=list(model.model_fields))
        if "release_on" in frame:
            frame["release_on"] = pd.to_datetime(frame["release_on"]).astype("datetime64[us]")
        frame.to_parquet(folder / f"{name}.parquet", engine="fastparquet")
