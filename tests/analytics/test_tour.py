"""The guided tour on a lake of charts alone, cell by cell in this process: the pipeline's test runs it in Jupyter."""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType, SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

import boto3
import pandas as pd
import pytest
from ministack.services import glue

from analytics.sql import queries
from infra.tools.notebook import NOTEBOOK
from tests.analytics.lake import Lake


@dataclass
class Connection:
    """Stands for PyAthena: asks a lake in memory."""

    lake: Lake

    @property
    def client(self) -> SimpleNamespace:
        """Athena with the named queries that are deployed."""
        stored = {name: (query.question, query.text) for name, query in queries().items()}

        def get(*, NamedQueryId: str) -> Mapping[str, Any]:  # noqa: N803 - as Athena calls it
            question, text = stored[NamedQueryId]
            return {"NamedQuery": {"Name": NamedQueryId, "Description": question, "QueryString": text}}

        return SimpleNamespace(get_named_query=get, get_paginator=lambda _: _pages({"NamedQueryIds": list(stored)}))

    def cursor(self) -> "Connection":
        return self

    def execute(self, sql: str, values: Sequence[str] | None, **_: Any) -> SimpleNamespace:
        answer = self.lake.answer(sql, values or ())
        frame = pd.DataFrame(answer.records(), columns=pd.Index(answer.columns)).convert_dtypes()
        return SimpleNamespace(as_pandas=lambda: frame, data_scanned_in_bytes=1)


def _pages(*pages: Mapping[str, Any]) -> SimpleNamespace:
    return SimpleNamespace(paginate=lambda **_: pages)


@pytest.fixture
def tour(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the cells see: a lake, and nothing that draws."""
    modules: dict[str, Any] = {
        "altair": MagicMock(),
        "pyathena": SimpleNamespace(connect=lambda **_: Connection(lake)),
        "pyathena.pandas": ModuleType("pyathena.pandas"),
        "pyathena.pandas.cursor": SimpleNamespace(PandasCursor=None),
    }
    for name, module in modules.items():
        monkeypatch.setitem(sys.modules, name, module)
    catalogue = SimpleNamespace(get_paginator=lambda _: _pages({"TableList": list(glue._tables.values())}))
    monkeypatch.setattr(boto3, "client", lambda _: catalogue)
    return {"display": lambda _: None}


def _cells() -> Iterator[str]:
    for cell in json.loads(NOTEBOOK.read_text("utf-8"))["cells"]:
        if cell["cell_type"] == "code":
            yield "".join(cell["source"])


@pytest.mark.slow
def test_a_lake_of_charts_alone_is_toured_to_the_end(lake: Lake, tour: dict[str, Any]) -> None:
    for last_day, tracks in (("2024-11-14", "A3 B2 C1"), ("2024-11-21", "B4 A3 D1"), ("2024-11-28", "B5 D4 E1")):
        lake.ranking(last_day, "DE", tracks)

    for cell in _cells():
        exec(cell, tour)

    assert list(tour["lists"].playlist_name) == ["Spotify DE weekly"]
    assert list(tour["chart"].track_name) == ["Song B", "Song D", "Song E"]
    assert list(tour["moves"].movement) == [1]
    assert tour["genres"].empty
    assert tour["sound"].empty
    assert list(tour["of_charts"].charts) == [3]
