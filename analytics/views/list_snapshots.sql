-- Which lists the lake has, playlists and charts, and of which days.
-- Row: a snapshot of a playlist that has entries, or a chart. kind is playlist or chart; playlist_id and playlist_name
-- are those of the list, be it a playlist or a chart; source is who made it, region and frequency are a chart's.
-- period_start to period_end are the days that a chart counts; of a playlist both are the day of its snapshot. snapshot_on
-- is the last of these days and week the Monday of its week. Lists are compared with themselves alone, so that a week
-- from Friday to Thursday never meets one from Monday to Sunday: lists of other days, regions or sources are other lists.
-- entries is how many tracks a playlist gave, or the last rank of a chart. whole is false where Spotify gave fewer entries
-- than it counts. missing is how many entries nobody knows: null, rejected, tracks without an id (but for the owner's
-- files), or ranks that a chart leaves out.
-- simulated is whether the document itself says that a simulator made it up: loaded and collected data do not.
-- A condition on week or on snapshot_on reads only those days.
-- Columns: kind varchar, source varchar, playlist_id varchar, playlist_name varchar, region varchar, frequency varchar,
--   period_start date, period_end date, week date, snapshot_on date, entries bigint, whole boolean, missing bigint,
--   simulated boolean
SELECT
    'playlist' AS kind,
    'spotify' AS source,
    m.playlist_id,
    m.playlist_name,
    CAST(NULL AS varchar) AS region,
    CAST(NULL AS varchar) AS frequency,
    try_cast(concat(m.year, '-', m.month, '-', m.day) AS date) AS period_start,
    try_cast(concat(m.year, '-', m.month, '-', m.day) AS date) AS period_end,
    date_trunc('week', try_cast(concat(m.year, '-', m.month, '-', m.day) AS date)) AS week,
    try_cast(concat(m.year, '-', m.month, '-', m.day) AS date) AS snapshot_on,
    m.track_entries AS entries,
    m.outcome = 'ok' AND coalesce(m.unexplained_entries, 0) = 0 AS whole,
    coalesce(m.null_entries, 0) + coalesce(m.unknown_entries, 0) + coalesce(m.rejected_entries, 0)
        + greatest(m.track_entries - coalesce(s.known, 0), 0) AS missing,
    coalesce(m.simulated, false) AS simulated
FROM playlist_metadata AS m
LEFT JOIN (
    SELECT year, month, day, playlist_id, count_if(track_id IS NOT NULL OR is_local) AS known
    FROM songs
    GROUP BY year, month, day, playlist_id
) AS s
    ON s.year = m.year AND s.month = m.month AND s.day = m.day
    AND s.playlist_id = m.playlist_id
WHERE m.track_entries > 0
UNION ALL
SELECT
    'chart' AS kind,
    source,
    playlist_id,
    playlist_name,
    region,
    frequency,
    period_start,
    period_end,
    week,
    snapshot_on,
    max(position) AS entries,
    true AS whole,
    max(position) - count(track_id) AS missing,
    coalesce(bool_or(simulated), false) AS simulated
FROM chart_positions
GROUP BY source, playlist_id, playlist_name, region, frequency, period_start, period_end, week, snapshot_on
