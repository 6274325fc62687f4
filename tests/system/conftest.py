from collections.abc import Generator, Iterator

import pytest

from tests.system.pipeline import Pipeline, deployed


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Function) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Shows what the emulator complained of, such as functions that ended before their time, beside what failed."""
    report = yield
    pipeline = item.funcargs.get("pipeline")
    if report.failed and isinstance(pipeline, Pipeline):
        report.sections.append(("log of the AWS emulator", (pipeline.state / "logs/aws.log").read_text()[-10_000:]))
    return report


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
