-- One chart for each list and week: the last complete snapshot of a playlist, or the last complete chart of a source; if
-- none is complete, the last whole one, or else the last. A weekly chart is of the week that its last day lies in, a daily
-- one stands for it.
-- Row: a recording of a chart at its best position; the columns are those of snapshot_entries.
-- A condition on week, the Monday, reads only those weeks; but for recordings, which songs and charts of all days tell.
-- Columns: kind varchar, source varchar, playlist_id varchar, playlist_name varchar, region varchar, frequency
--   varchar, period_start date, period_end date, week date, snapshot_on date, whole boolean, complete boolean, position
--   bigint, metric_name varchar, metric_value bigint, label varchar, source_previous_position bigint,
--   source_peak_position bigint, source_weeks_on_chart bigint, source_days_on_chart bigint, recording_id varchar,
--   track_id varchar, track_name varchar, artists varchar, artist_id varchar, artist_name varchar, artist_ids varchar,
--   artist_names varchar, popularity bigint, run_id varchar
SELECT
    kind,
    source,
    playlist_id,
    playlist_name,
    region,
    frequency,
    period_start,
    period_end,
    week,
    snapshot_on,
    whole,
    complete,
    position,
    metric_name,
    metric_value,
    label,
    source_previous_position,
    source_peak_position,
    source_weeks_on_chart,
    source_days_on_chart,
    recording_id,
    track_id,
    track_name,
    artists,
    artist_id,
    artist_name,
    artist_ids,
    artist_names,
    popularity,
    run_id
FROM snapshot_entries
WHERE in_chart
