"""What the numbers of a report can say beyond chance."""

from collections.abc import Iterable, Mapping
from math import sqrt
from statistics import NormalDist
from typing import Final, NamedTuple

CONFIDENCE: Final = 0.99
"""Of every interval: with a dozen of them on a page, one in twenty would be wrong nearly every week."""
FEWEST: Final = 20
"""Recordings below which nothing is concluded from their average or their shares: intervals take these for normal."""
_Z: Final = NormalDist().inv_cdf(0.5 + CONFIDENCE / 2)


class Estimate(NamedTuple):
    """A number with the interval that holds the true one with `CONFIDENCE`."""

    value: float
    low: float
    high: float

    @property
    def is_clear(self) -> bool:
        """Whether it differs from 0 beyond chance."""
        return self.low > 0 or self.high < 0


class Survivors(NamedTuple):
    """What is left after some weeks."""

    weeks: int
    share: Estimate


def share(part: int, whole: int) -> Estimate:
    """A share, with Wilson's interval."""
    observed = part / whole
    centre = (observed + _Z**2 / (2 * whole)) / (1 + _Z**2 / whole)
    margin = _Z / (1 + _Z**2 / whole) * sqrt(observed * (1 - observed) / whole + _Z**2 / (4 * whole**2))
    return Estimate(observed, max(centre - margin, 0.0), min(centre + margin, 1.0))


def mean(average: float, spread: float | None, count: int) -> Estimate | None:
    """An average; None if it is of too few."""
    if spread is None or count < FEWEST:
        return None
    margin = _Z * spread / sqrt(count)
    return Estimate(average, average - margin, average + margin)


def difference(now: Estimate, before: Estimate) -> Estimate:
    """A change, with Newcombe's interval from those of both: wider than it need be where both count the same ones."""
    change = now.value - before.value
    return Estimate(
        change,
        change - sqrt((now.value - now.low) ** 2 + (before.high - before.value) ** 2),
        change + sqrt((now.high - now.value) ** 2 + (before.value - before.low) ** 2),
    )


def survival(stays: Iterable[Mapping[str, int]]) -> list[Survivors]:
    """Kaplan and Meier's curve with Greenwood's interval: the share that is still there, from 0 weeks on.

    Args:
        stays: After how many `weeks` how many are `gone`, and how many `still` were there when last seen. The curve
            ends where fewer than ten are left to be watched.
    """
    rows = sorted(stays, key=lambda row: row["weeks"])
    watched = sum(row["gone"] + row["still"] for row in rows)
    curve, left, variance = [Survivors(0, Estimate(1.0, 1.0, 1.0))], 1.0, 0.0
    by_week = {row["weeks"]: row for row in rows}
    for week in range(max(by_week, default=0) + 1):
        row = by_week.get(week, {"gone": 0, "still": 0})
        if watched < 10:
            break
        gone = row["gone"]
        left *= 1 - gone / watched
        variance += gone / (watched * (watched - gone)) if gone < watched else 0.0
        margin = _Z * left * sqrt(variance)
        if week:
            curve.append(Survivors(week, Estimate(left, max(left - margin, 0.0), min(left + margin, 1.0))))
        watched -= gone + row["still"]
    return curve
