from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from ministack.services import glue, s3

from infra.local.emulator import athena
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
    monkeypatch.setattr(athena, "rows", athena.row_store())
    yield lake
    glue.reset()
    s3.reset()
