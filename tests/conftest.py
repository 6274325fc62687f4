import gc
import os
from pathlib import Path

import pytest
from aws_xray_sdk.core import xray_recorder
from aws_xray_sdk.core.sampling.local.sampler import LocalSampler
from hypothesis import HealthCheck, settings

from tests import quick_botocore, quick_fastparquet
from tests.real_documents import REAL_DOCUMENTS

# A busy machine is no fault.
settings.register_profile("earworm", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("earworm")


quick_botocore.quicken()
quick_fastparquet.quicken()

# As on Lambda: any other sampler makes a session and a client of its own whenever tracing is set up.
xray_recorder.configure(sampler=LocalSampler())

os.environ["POWERTOOLS_METRICS_NAMESPACE"] = "Earworm/test"  # read when a module that publishes metrics is imported


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The files that take longest begin first, lest one of two processes ends with them and the other with nothing."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: ("system" not in item.path.parts, item.path not in slow))


def pytest_collection_finish() -> None:
    """Spares the collector to look again and again at the modules and models of all libraries, which stay."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Tells how many interleavings of workers were explored, which the tests record as a property of theirs."""
    explored = [
        value
        for report in terminalreporter.getreports("passed")
        for name, value in report.user_properties
        if name == "interleavings"
    ]
    if explored:
        terminalreporter.section("interleavings explored: states and schedules, all of which converge")
        for scenario, states, schedules in explored:
            ways = f"{schedules:.1e}" if schedules else "with circles"
            terminalreporter.write_line(f"{states:>9,}  {ways:>12}  {scenario}")
        terminalreporter.write_line(f"{sum(states for _, states, _ in explored):>9,}  {'':>12}  states altogether")


def pytest_unconfigure() -> None:
    """Ends what lives as long as the process: what is frozen, which duckdb takes for a leak, and a socket."""
    gc.unfreeze()
    xray_recorder.emitter._socket.close()


@pytest.fixture
def real_documents() -> Path:
    """Documents captured from the live Web API."""
    if not REAL_DOCUMENTS.is_dir():
        pytest.skip(f"no real documents at {REAL_DOCUMENTS}: name a folder of them in EARWORM_REAL_DOCUMENTS")
    return REAL_DOCUMENTS


@pytest.fixture(autouse=True)
def environment_without_cloud(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reaches a cloud that the developer's shell points to."""
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_CA_BUNDLE", *(each for each in os.environ if "SPOTI" in each)):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
