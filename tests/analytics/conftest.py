from collections.abc import Iterator

import pytest
from ministack.services import glue, s3

from tests.analytics.lake import Lake


@pytest.fixture
def lake(monkeypatch: pytest.MonkeyPatch) -> Iterator[Lake]:
    lake = Lake()
    plain = s3._get_object_data

    def counted(bucket: str, key: str) -> bytes | None:
        lake.read.append(key)
        data: bytes | None = plain(bucket, key)
        return data

    monkeypatch.setattr(s3, "_get_object_data", counted)
    yield lake
    glue.reset()
    s3.reset()
