"""A run's traces as a page of its own: no script, no address, light or dark as the reader has it."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from html import escape
from typing import Final

from infra.cli.spans import Span

_STYLE: Final = """
:root { color-scheme: light dark; --ink: #1c2024; --dim: #6b7280; --ground: #fff; --line: #e5e7eb;
  --service: #2f9e6e; --step: #2b8fb8; --call: #6f7ae0; --fault: #d43c3c; --throttle: #c98a00; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e8eb; --dim: #9aa3ad; --ground: #14171a; --line: #2a2f35;
  --service: #3fbf88; --step: #45a9d4; --call: #8f98f5; --fault: #ff6b6b; --throttle: #f0b429; } }
body { margin: 0 auto; padding: 1.5rem; max-width: 76rem; background: var(--ground); color: var(--ink);
  font: 15px/1.45 system-ui, sans-serif; }
h1 { font-size: 1.25rem; margin: 0 0 .25rem; overflow-wrap: anywhere; }
p { color: var(--dim); margin: 0 0 1rem; }
summary, .leaf { display: grid; grid-template-columns: minmax(9rem, 24rem) 1fr 5.5rem; gap: .75rem;
  align-items: center; padding: .2rem 0; border-bottom: 1px solid var(--line); }
summary { cursor: pointer; list-style: none; }
summary::-webkit-details-marker { display: none; }
summary .label::before { content: "▸ "; color: var(--dim); }
details[open] > summary .label::before { content: "▾ "; }
.leaf .label::before { content: "  "; white-space: pre; }
.label { padding-left: calc(var(--depth) * 1rem); overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.service > summary .label { font-weight: 600; }
.time { position: relative; height: .8rem; }
.time i { position: absolute; top: 0; bottom: 0; min-width: 2px; border-radius: 3px; background: var(--step); }
.time i.wait { top: .35rem; bottom: .35rem; min-width: 0; background: var(--line); }
.service > summary > .time i:not(.wait) { background: var(--service); }
.call > .time i, .call > summary > .time i { background: var(--call); }
.fault > .time i, .fault > summary > .time i:not(.wait) { background: var(--fault) !important; }
.throttle > .time i, .throttle > summary > .time i:not(.wait) { background: var(--throttle) !important; }
.took { text-align: right; font-variant-numeric: tabular-nums; color: var(--dim); }
.trouble, .told { padding: .15rem 0 .15rem calc((var(--depth) + 1) * 1rem); overflow-wrap: anywhere; }
.trouble { color: var(--fault); }
.trouble.throttle { color: var(--throttle); }
.told { color: var(--dim); font-size: .85em; }
@media (max-width: 40rem) { body { padding: .75rem; }
  summary, .leaf { grid-template-columns: minmax(0, 1fr) 4.5rem; gap: 0 .5rem; }
  .time { grid-row: 2; grid-column: 1 / 3; } }
"""


def page(run_id: str, environment: str, services: Sequence[Span]) -> str:
    """A page of HTML that draws the services of a run, each with its steps to be unfolded."""
    begin = min(each.begin for each in services)
    end = max(span.end for each in services for span in each.everything())
    troubles = sum(len(span.troubles) for each in services for span in each.everything())
    began = f"{datetime.fromtimestamp(begin, UTC):%Y-%m-%d %H:%M:%S} UTC"
    told = f"{environment}, began {began}, took {end - begin:.1f} s, {troubles} troubles"
    drawn = "".join(_drawn(each, begin, max(end - begin, 1e-9), 0) for each in services)
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Run {escape(run_id)}</title><style>{_STYLE}</style>"
        f"<h1>Run {escape(run_id)}</h1><p>{escape(told)}</p>{drawn}</html>\n"
    )


def _drawn(span: Span, begin: float, total: float, depth: int) -> str:
    marks = [span.kind, *sorted({_mark(trouble) for trouble in span.troubles})]
    label = escape(span.title)
    bar = _bar(span.begin - begin, span.seconds, total)
    if span.waited:
        bar = _bar(span.begin - span.waited - begin, span.waited, total, "wait") + bar
    row = (
        f'<span class="label" title="{label}">{label}</span><span class="time">{bar}</span>'
        f'<span class="took">{span.seconds:.3f} s</span>'
    )
    told = "".join(f'<div class="trouble {_mark(trouble)}">{escape(trouble)}</div>' for trouble in span.troubles)
    facts = {"on its way": span.waited and f"{span.waited:.3f} s", **span.facts, **span.notes}
    if known := [f"{name} {_text(value)}" for name, value in facts.items() if value is not None]:
        told += f'<div class="told">{escape(" · ".join(known))}</div>'
    inner = told + "".join(_drawn(child, begin, total, depth + 1) for child in span.children)
    style = f'style="--depth:{depth}"'
    if not inner:
        return f'<div class="leaf {" ".join(marks)}" {style}>{row}</div>'
    is_open = " open" if span.is_troubled or (span.kind == "service" and span.cause is None) else ""
    folded = f"<summary>{row}</summary>{inner}"
    return f'<details class="{" ".join(marks)}" {style}{is_open}>{folded}</details>'


def _mark(trouble: str) -> str:
    return "throttle" if trouble.startswith("throttled") else "fault"


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _bar(start: float, seconds: float, total: float, kind: str = "") -> str:
    mark = f' class="{kind}"' if kind else ""
    return f'<i{mark} style="left:{100 * start / total:.2f}%;width:{100 * seconds / total:.2f}%"></i>'
