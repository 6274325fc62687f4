from contracts.broken import Broken
from contracts.candidates import Candidate, Candidates, as_json
from contracts.chart_snapshot import Chart
from contracts.fields import Unverified
from contracts.layouts.layout import ChartEntry
from contracts.spotify import normalised_isrc
from contracts.tables.charts import ChartPosition


def charts(chart: Chart) -> Candidates[ChartPosition]:
    """Each position of the chart."""
    for entry in chart.entries:
        yield Candidate(entry.location, _position(chart, entry)) if isinstance(entry, ChartEntry) else entry


def _position(chart: Chart, entry: ChartEntry) -> ChartPosition:
    envelope = chart.envelope
    isrc, isrcs = _isrc_columns(entry.isrcs)
    return {
        "snapshot_date": chart.origin["snapshot_date"],
        "run_id": chart.origin["run_id"],
        "extracted_at": chart.origin["extracted_at"],
        "source": envelope.source,
        "chart_id": envelope.chart_id,
        "region": envelope.region,
        "frequency": envelope.frequency,
        "period_start": envelope.period_start,
        "period_end": envelope.period_end,
        "position": entry.position,
        "previous_position": entry.previous_position,
        "peak_position": entry.peak_position,
        "weeks_on_chart": entry.weeks_on_chart,
        "days_on_chart": entry.days_on_chart,
        "metric_name": chart.layout.metric,
        "metric_value": entry.metric_value,
        "title": entry.title,
        "artist_credit": entry.artist_credit,
        "label": entry.label,
        "spotify_track_id": entry.spotify_track_id,
        "isrc": isrc,
        "isrcs": isrcs,
        "recording_mbid": entry.recording_mbid,
        "simulated": chart.simulated or None,
    }


def _isrc_columns(sent: Unverified) -> tuple[Unverified, Unverified]:
    """The first ISRC and all of them; `Broken` in the first's place if not one of those that were sent is an ISRC."""
    if not isinstance(sent, list):
        return None if sent is None else Broken(sent, "Expected `array`"), None
    codes = [code for each in sent if isinstance(each, str) and (code := normalised_isrc(each))]
    if sent and not codes:
        return Broken(sent, "not an ISRC among them: two letters, three letters or digits, seven digits"), None
    return next(iter(codes), None), as_json(list(dict.fromkeys(codes))) if codes else None
