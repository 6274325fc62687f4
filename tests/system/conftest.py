from collections.abc import Iterator

import pytest

from tests.system.pipeline import Pipeline, deployed


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    """Earworm, deployed on a local cloud of the module's own."""
    with deployed(tmp_path_factory.mktemp("cloud")) as pipeline:
        yield pipeline


@pytest.fixture
def environment_of_the_pipeline(
    environment_without_cloud: None, pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What runs in this process meets that cloud, as a console does that the environment leads to it."""
    for name, value in pipeline.variables.items():
        monkeypatch.setenv(name, value)
