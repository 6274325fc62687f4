from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from ministack.services import glue, s3

from infra.local.emulator import athena
from infra.local.emulator.rows import RowCache
from tests.analytics.lake import Lake


@pytest.fixture
def lake(monkeypatch: pytest.MonkeyPatch) -> Iterator[Lake]:
    lake = Lake()
    plain = s3._read_body

    def counted(bucket: str, key: str, record: Mapping[str, Any]) -> bytes:
        lake.read.append(key)
        body: bytes = plain(bucket, key, record)
        return body

    monkeypatch.setattr(s3, "_read_body", counted)
    monkeypatch.setattr(athena, "row_cache", RowCache(athena.MOST_ROW_BYTES))
    yield lake
    glue.reset()
    s3.reset()
