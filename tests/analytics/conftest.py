from collections.abc import Iterator

import pytest

from tests.analytics.lake import Lake, lake_that_tells_what_is_read


@pytest.fixture
def lake() -> Iterator[Lake]:
    with lake_that_tells_what_is_read() as lake:
        yield lake
