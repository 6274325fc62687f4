-- The positions of charts as their sources tell them, in the words that all lists share.
-- Row: a position of a chart; a rank that the source leaves out has none. playlist_id is the id of the list, <source>-<chart>,
-- and playlist_name its name: what ListenBrainz counts is called open listening. snapshot_on is the last day that the
-- chart counts, week the Monday of the week which has that day: of a chart from Friday to Thursday, its own Monday.
-- track_id is the Spotify id, or else the MBID, or else source, title and credit, so that a row without any id is followed
-- within its source and never taken for one of another. metric_value counts streams or listens, as metric_name says.
-- source_previous_position and the like are what the source itself tells. A condition on snapshot_on reads only those
-- days.
-- Columns: source varchar, playlist_id varchar, playlist_name varchar, region varchar, frequency varchar, period_start
--   date, period_end date, week date, snapshot_on date, position bigint, track_id varchar, track_name varchar, artists
--   varchar, label varchar, isrcs varchar, metric_name varchar, metric_value bigint, source_previous_position bigint,
--   source_peak_position bigint, source_weeks_on_chart bigint, source_days_on_chart bigint, run_id varchar,
--   simulated boolean
SELECT
    source,
    concat(source, '-', chart_id) AS playlist_id,
    concat(
        CASE
            WHEN source = 'listenbrainz' THEN 'Open listening'
            WHEN source = 'spotify_charts' AND chart_id LIKE 'regional-%' THEN 'Spotify'
            WHEN source = 'spotify_charts' THEN concat('Spotify ', split_part(chart_id, '-', 1))
            ELSE concat(source, ' ', split_part(chart_id, '-', 1))
        END,
        ' ', region, ' ', frequency
    ) AS playlist_name,
    region,
    frequency,
    period_start,
    period_end,
    date_trunc('week', try_cast(concat(year, '-', month, '-', day) AS date)) AS week,
    try_cast(concat(year, '-', month, '-', day) AS date) AS snapshot_on,
    position,
    coalesce(spotify_track_id, recording_mbid, concat(source, ' ', title, ' / ', artist_credit)) AS track_id,
    title AS track_name,
    artist_credit AS artists,
    label,
    isrcs,
    metric_name,
    metric_value,
    previous_position AS source_previous_position,
    peak_position AS source_peak_position,
    weeks_on_chart AS source_weeks_on_chart,
    days_on_chart AS source_days_on_chart,
    run_id,
    simulated
FROM charts
