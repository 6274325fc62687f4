from collections.abc import Iterator

import pytest

from tests.unit.extractor.fake_spotify import FakeSpotify


@pytest.fixture
def fake() -> Iterator[FakeSpotify]:
    with FakeSpotify().reachable() as spotify:
        yield spotify
