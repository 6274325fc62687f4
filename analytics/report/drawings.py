"""Drawings for the report: SVG that stands in the page and takes its colours from the page's style.

Nothing in them is for screen readers: each stands beside a table with the same numbers.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import vl_convert
from markupsafe import Markup

WIDTH: Final = 300
"""Pixels: a chart fits on a phone without being scaled, so that its text stays readable."""

_PALETTE: Final = [f"var(--series-{number})" for number in range(1, 8)]
_CONFIG: Final[Mapping[str, Any]] = {
    "background": None,
    "font": "sans-serif",
    "view": {"stroke": None},
    "axis": {
        "labelColor": "var(--muted)",
        "titleColor": "var(--muted)",
        "domainColor": "var(--line)",
        "tickColor": "var(--line)",
        "gridColor": "var(--line)",
        "labelFontSize": 12,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
    },
    "legend": {
        "labelColor": "var(--ink)",
        "labelFontSize": 12,
        "title": None,
        "orient": "bottom",
        "columns": 2,
        "labelLimit": 130,
        "symbolType": "square",
    },
    "range": {"category": _PALETTE},
}
_ARIA: Final = re.compile(r' (?:role|aria-[a-z]+)="[^"]*"')


def shares(rows: Sequence[Mapping[str, Any]], *, time: str, part: str, share: str, order: Sequence[str]) -> Markup:
    """Stacked bars of percentages, one for each month."""
    return _svg(
        rows,
        {
            "mark": {"type": "bar", "stroke": "var(--paper)", "strokeWidth": 1},
            "encoding": {
                "x": {"field": time, "type": "ordinal", "title": None, "sort": None, "axis": {"labelAngle": 0}},
                "y": {"field": share, "type": "quantitative", "title": "percent", "scale": {"domain": [0, 100]}},
                "color": {"field": part, "type": "nominal", "sort": list(order), "scale": {"domain": list(order)}},
                "order": {"field": "place", "type": "quantitative"},
            },
        },
    )


def comings_and_goings(rows: Sequence[Mapping[str, Any]], *, time: str, kind: str, count: str) -> Markup:
    """Bars up for what came and down for what left, one for each week; kinds come in the order of the rows."""
    kinds = list(dict.fromkeys(row[kind] for row in rows))
    return _svg(
        rows,
        {
            "mark": {"type": "bar"},
            "encoding": {
                "x": {
                    "field": time,
                    "type": "temporal",
                    "title": None,
                    "axis": {"format": "%b", "tickCount": "month", "grid": False},
                },
                "y": {"field": count, "type": "quantitative", "title": "artists"},
                "color": {"field": kind, "type": "nominal", "scale": {"domain": kinds}},
            },
        },
    )


def differences(rows: Sequence[Mapping[str, Any]], *, name: str, difference: str) -> Markup:
    """Bars to the left and right of nothing."""
    return _svg(
        rows,
        {
            "height": {"step": 32},
            "mark": {"type": "bar", "color": _PALETTE[0]},
            "encoding": {
                "y": {"field": name, "type": "nominal", "title": None, "sort": None, "axis": {"minExtent": 90}},
                "x": {
                    "field": difference,
                    "type": "quantitative",
                    "title": "below the rest    |    above the rest",
                    "axis": {"tickCount": 5},
                },
            },
        },
    )


def sparkline(positions: Sequence[int | None], lowest: int) -> Markup:
    """A track's positions, chart by chart, the first place at the top; None interrupts the line."""
    width, height, margin = 96, 24, 3
    step = (width - 2 * margin) / max(len(positions) - 1, 1)
    fall = (height - 2 * margin) / max(lowest - 1, 1)
    points = [
        None if position is None else f"{margin + place * step:.1f},{margin + (position - 1) * fall:.1f}"
        for place, position in enumerate(positions)
    ]
    runs = " ".join("|" if point is None else point for point in points).split("|")
    lines = "".join(f'<polyline points="{run.strip()}"/>' for run in runs if " " in run.strip())
    dots = [run.split()[-1].split(",") for run in runs if run.strip()]
    circles = "".join(f'<circle cx="{x}" cy="{y}" r="2"/>' for x, y in dots)
    size = f'width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
    # Numbers alone stand in it.
    return Markup(f'<svg class="spark" aria-hidden="true" {size}>{lines}{circles}</svg>')  # noqa: S704


def _svg(rows: Sequence[Mapping[str, Any]], chart: Mapping[str, Any]) -> Markup:
    specification = {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "width": WIDTH,
        "height": 260,
        "autosize": {"type": "fit", "contains": "padding"},
        "data": {"values": list(rows)},
        "config": _CONFIG,
        **chart,
    }
    drawn: str = vl_convert.vegalite_to_svg(specification)
    # The library escapes the names that it draws.
    return Markup(_ARIA.sub("", drawn).replace("<svg ", '<svg aria-hidden="true" ', 1))  # noqa: S704
