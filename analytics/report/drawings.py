"""Where the lines of the drawings go; the templates draw them.

Every drawing fills the box that its place in the page gives it, so that it needs no size of its own, and nothing is
written into it: numbers stand beside it, for everybody.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from itertools import pairwise
from typing import Final, NamedTuple

from analytics.report.lists import WEEKS
from analytics.report.statistics import Estimate, Survivors

STEP: Final = 4
"""Units from one week, or one value, to the next."""
HEIGHT: Final = 20
_MARGIN: Final = 2


class Way(NamedTuple):
    """A recording's positions, week by week, the top of the list above.

    Attributes:
        line: A path that is interrupted where the recording was absent, and where there was no chart.
        gaps: The weeks without a chart, each from where to how wide.
        last: Where the last position is.
    """

    line: str
    gaps: Sequence[tuple[int, int]]
    last: tuple[int, int]


class Band(NamedTuple):
    """Values with their intervals: a line, and the area around it; both are interrupted where nothing is known."""

    line: str
    area: str


def way(positions: Mapping[int, int], weeks: AbstractSet[int], lowest: int) -> Way:
    """Draws the positions by how many weeks ago they were; `weeks` are those with a chart."""

    def point(age: int) -> tuple[int, int]:
        fall = (positions[age] - 1) / max(lowest - 1, 1)
        return _x(age), round(_MARGIN + fall * (HEIGHT - 2 * _MARGIN))

    line = "".join(_path([point(age) for age in run]) for run in _runs(sorted(positions, reverse=True)))
    since = max(weeks, default=0)
    gaps = [(_x(run[0]) - STEP // 2, STEP * len(run)) for run in _runs([*_without(weeks, since)])]
    return Way(line, gaps, point(min(positions)))


def band(values: Sequence[Estimate | None], low: float, high: float) -> Band:
    """Draws values in the range from `low` to `high`; None interrupts the line."""
    line, area = "", ""
    for run in _runs([place for place, value in enumerate(values) if value], step=1):
        known = [(place, value) for place in run if (value := values[place])]
        line += _path([(place * STEP, _y(value.value, low, high)) for place, value in known])
        upper = [(place * STEP, _y(value.high, low, high)) for place, value in known]
        lower = [(place * STEP, _y(value.low, low, high)) for place, value in reversed(known)]
        area += _path([*upper, *lower], closed=True)
    return Band(line, area)


def steps(curve: Sequence[Survivors]) -> Band:
    """Draws what is left after each week; it falls where something left."""
    corners = [(week * STEP, estimate) for week, estimate in curve]
    stairs = [
        (x, estimate)
        for (_, before), (x, after) in pairwise(corners)
        for estimate in ((before, after) if after != before else (after,))
    ]
    stairs = [corners[0], *stairs]
    upper = [(x, _y(estimate.high, 0, 1)) for x, estimate in stairs]
    lower = [(x, _y(estimate.low, 0, 1)) for x, estimate in reversed(stairs)]
    return Band(_path([(x, _y(estimate.value, 0, 1)) for x, estimate in stairs]), _path([*upper, *lower], closed=True))


def _x(age: int) -> int:
    return (WEEKS - 1 - age) * STEP + _MARGIN


def _y(value: float, low: float, high: float) -> float:
    return round(HEIGHT - (value - low) / ((high - low) or 1) * HEIGHT, 1)


def _without(weeks: AbstractSet[int], since: int) -> Iterator[int]:
    return (age for age in range(since, -1, -1) if age not in weeks)


def _runs(numbers: Sequence[int], step: int = -1) -> Iterator[list[int]]:
    """Those that follow each other without a gap."""
    run: list[int] = []
    for number in numbers:
        if run and number != run[-1] + step:
            yield run
            run = []
        run.append(number)
    if run:
        yield run


def _path(points: Iterable[tuple[float, float]], *, closed: bool = False) -> str:
    (x, y), *rest = points
    # a path that goes nowhere is a dot where lines have round ends
    return f"M{x:g} {y:g}" + ("".join(f"L{x:g} {y:g}" for x, y in rest) or "h0") + ("Z" if closed else "")
