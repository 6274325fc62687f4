"""The events of the log are declared once: what services tell of is what the console and the templates go by."""

import ast
import re
from collections.abc import Iterator

from contracts.operations.log_events import LogEvent
from infra.cli.failures import FAILED
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


def test_a_template_looks_for_declared_events_or_for_what_lambda_writes_and_for_no_words_of_ours() -> None:
    templates = [
        *(ROOT / "services").glob("*/template.yaml"),
        *(ROOT / "infra").glob("*.yaml"),
        *ROOT.glob("analytics/*.yaml"),
    ]
    text = "".join(path.read_text("utf-8") for path in templates)
    patterns = re.findall(r"FilterPattern: (?:!Sub\n\s+- )?'(.+)'", text)

    assert len(patterns) == text.count("AWS::Logs::MetricFilter")
    named = {name for pattern in patterns for name in re.findall(r'\$\.event = "(\w+)"', pattern)}
    assert {"message_dead_lettered", "message_returned", "playlist_incomplete"} == named <= {*LogEvent}
    phrases = {phrase for pattern in patterns for phrase in re.findall(r'\?"([^"]+)"', pattern)}
    assert phrases == {*FAILED}
    assert "AWS::Logs::QueryDefinition" not in text
