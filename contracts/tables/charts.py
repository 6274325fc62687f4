from typing import Annotated

from pydantic import Field

from contracts.fields import Count, Day, Flag, IsoDay, JsonText, Ordinal, Text, Timestamp
from contracts.tables.table import AnyRow, Table

_LONGEST_CHART = 10_000
"""Bounds what a receipt lists of missing ranks, should a file say that a rank is two billion."""

Rank = Annotated[Ordinal, Field(le=_LONGEST_CHART)]
Mbid = Annotated[Text, Field(pattern=r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$")]


class ChartPosition(AnyRow):
    """A position of a chart."""

    snapshot_date: Annotated[IsoDay, Field(description="Last day of the chart, YYYY-MM-DD in UTC")]
    run_id: Annotated[Text | None, Field(description="Invocation that collected or loaded it")]
    extracted_at: Annotated[
        Timestamp | None, Field(description="When the source was read, UTC; null for a loaded file")
    ]
    source: Annotated[Text, Field(description="Who published it: spotify_charts, listenbrainz")]
    chart_id: Annotated[Text, Field(description="Which of its charts, such as regional-de-weekly")]
    region: Annotated[Text, Field(description="global, or a country: ISO 3166-1 alpha-2")]
    frequency: Annotated[Text, Field(description="daily or weekly")]
    period_start: Annotated[Day, Field(description="First day that the chart counts")]
    period_end: Annotated[Day, Field(description="Last day that it counts, inclusive")]
    position: Annotated[Rank, Field(description="Rank as the source tells it; 1 is the top")]
    previous_position: Annotated[
        Rank | None,
        Field(description="Rank one period before as the source tells it; null for a new or returned entry"),
    ]
    peak_position: Annotated[Rank | None, Field(description="Best rank so far as the source tells it")]
    weeks_on_chart: Annotated[Ordinal | None, Field(description="Weeks as the source counts; null in a daily chart")]
    days_on_chart: Annotated[Ordinal | None, Field(description="Days as the source counts; null in a weekly chart")]
    metric_name: Annotated[Text | None, Field(description="What is counted: streams, listens; null if nothing is told")]
    metric_value: Annotated[Count | None, Field(description="How many in the period; null if the source does not tell")]
    title: Annotated[Text | None, Field(description="Title")]
    artist_credit: Annotated[Text | None, Field(description="All artists as the source credits them, in one text")]
    label: Annotated[Text | None, Field(description="Labels as the source names them, in one text")]
    spotify_track_id: Annotated[Text | None, Field(description="Spotify id; null where the source has none")]
    isrc: Annotated[
        Text | None,
        Field(description="International Standard Recording Code in capitals, without hyphens; the first if several"),
    ]
    isrcs: Annotated[
        JsonText | None, Field(description="Every ISRC of the recording, a JSON list; null if none is known")
    ]
    recording_mbid: Annotated[Mbid | None, Field(description="MusicBrainz id of the recording")]
    simulated: Annotated[
        Flag | None, Field(description="True if the document says that a simulator made it up; null if it does not say")
    ]


CHARTS = Table(
    name="charts",
    row=ChartPosition,
    key=("source", "chart_id", "period_end", "position"),
    version=1,
    description="One row for each position of a chart",
    kind="charts",
    snapshot=("snapshot_date", "source", "chart_id"),
    ranked_by="position",
)
