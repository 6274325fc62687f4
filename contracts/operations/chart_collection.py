"""Runs of the collector of ListenBrainz: what starts one, what became of it, and what it logs of itself."""

from datetime import date
from typing import ClassVar, Literal, TypeAlias

from pydantic import AwareDatetime

from contracts.operations.collecting import MOST_DEFERRALS, ListSummary, ScheduledRequest
from contracts.operations.payload import Facts, Payload

StoredChart: TypeAlias = Literal["ok", "partial"]
"""What became of a chart that has a snapshot; `partial` has fewer rows than ListenBrainz counts."""
NotStoredChart: TypeAlias = Literal["not_calculated", "last_week", "quota", "failed"]
"""What became of a chart that has none."""


class ChartRequest(ScheduledRequest):
    """What starts a run. The chart is that of the last week, Monday to Sunday in UTC, that was over when it was due."""

    holds: ClassVar[str] = (
        "It may hold scheduled_time (ISO 8601 with a zone, such as 2026-11-24T06:00:00Z) and deferrals "
        f"(0 to {MOST_DEFERRALS}), and nothing else"
    )


class ChartSummary(ListSummary):
    """What became of a chart."""

    chart_id: str
    outcome: StoredChart | NotStoredChart

    @property
    def name(self) -> str:
        """Its id."""
        return self.chart_id


class DeferredChartRun(Payload):
    """When the run starts again."""

    due: AwareDatetime


class ChartRunSummary(Payload):
    """What became of a run.

    Attributes:
        snapshot_date: The last day of the week that was asked for.
        calls: How many calls of ListenBrainz were made.
    """

    run_id: str
    snapshot_date: date
    calls: int
    charts: tuple[ChartSummary, ...]
    deferred: DeferredChartRun | None = None


class ChartRunBegins(Facts):
    """What `LogEvent.RUN_BEGINS` tells of it."""

    snapshot_date: date
    charts: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """What it calls its lists."""
        return self.charts


class ChartRunOver(Facts):
    """What `LogEvent.RUN_OVER` tells of it."""

    calls: int
    charts: tuple[ChartSummary, ...]

    @property
    def lists(self) -> tuple[ChartSummary, ...]:
        """What became of each list."""
        return self.charts
