"""The events of the log are declared once: what services tell of is what the console and the templates go by."""

import ast
from collections.abc import Iterator

from contracts.operations.log_events import LogEvent
from infra.deploying.stacks import ROOT


def named_in(*folders: str) -> Iterator[str]:
    """The events that the code of some folders names."""
    for folder in folders:
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                match node:
                    case ast.Attribute(value=ast.Name(id="LogEvent"), attr=name):
                        yield name


def test_every_event_is_told_by_some_service_and_none_that_is_not_declared() -> None:
    assert set(named_in("services", "shared")) == set(LogEvent.__members__)


def test_the_console_goes_by_declared_events() -> None:
    read = set(named_in("infra"))

    assert {"RUN_BEGINS", "RUN_OVER", "TABLE_COMPLETE"} <= read <= set(LogEvent.__members__)


def test_no_template_looks_for_words_of_the_log() -> None:
    """A metric filter or saved query may; then it is to name an event, and this test to hold it to that."""
    templates = [*(ROOT / "services").glob("*/template.yaml"), *(ROOT / "infra").glob("*.yaml"), ROOT / "analytics"]
    text = "".join(path.read_text("utf-8") for path in templates if path.is_file())

    assert "AWS::Logs::MetricFilter" not in text
    assert "AWS::Logs::QueryDefinition" not in text
