"""Draws a run's traces as a page of HTML."""

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from analytics.html import templates
from infra.cli.spans import Span


class Bar(NamedTuple):
    """A period of time, drawn.

    Attributes:
        kind: `wait` for the time in flight, else empty.
        left: Where it begins, in percent of the run.
        width: How long it is, likewise.
    """

    kind: str
    left: float
    width: float


def page(run_id: str, environment: str, services: Sequence[Span]) -> str:
    """Returns a page of HTML that draws the services of a run, each with steps that unfold."""
    begin = min(each.begin for each in services)
    end = max(span.end for each in services for span in each.everything())
    percent = 100 / max(end - begin, 1e-9)

    def bars_of(span: Span) -> Iterator[Bar]:
        if span.waited:
            yield Bar("wait", percent * (span.begin - span.waited - begin), percent * span.waited)
        yield Bar("", percent * (span.begin - begin), percent * span.seconds)

    jinja = templates(Path(__file__).parent)
    jinja.filters["mark"] = _mark
    return jinja.get_template("trace_page.html.j2").render(
        run_id=run_id,
        environment=environment,
        services=services,
        began=f"{datetime.fromtimestamp(begin, UTC):%Y-%m-%d %H:%M:%S}",
        seconds=end - begin,
        troubles=sum(len(span.troubles) for each in services for span in each.everything()),
        bars_of=bars_of,
        facts_of=_facts_of,
    )


def _facts_of(span: Span) -> list[str]:
    waited = f"{span.waited:.3f} s" if span.waited else None
    facts = {"in flight": waited, **span.facts, **span.notes}
    return [f"{name} {_text(value)}" for name, value in facts.items() if value is not None]


def _mark(trouble: str) -> str:
    return "throttle" if trouble.startswith("throttled") else "fault"


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
