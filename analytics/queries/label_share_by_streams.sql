-- Which labels hold the streams?
-- Row: a chart and a label, with its share of all that the chart's recordings had in the days asked for: streams, or
-- listens where metric_name says so. Each chart counts by itself, for a country's streams are among the global ones, too,
-- and those of a day among those of its week. label is the text in which the source names one label or several; NULL
-- where it names none. Playlists and viral charts tell no numbers, and have no row.
-- Scans: snapshot_entries of the days asked for; songs and charts of all days, for the recordings.
-- from (date, default 26 weeks before to): first last day of a chart
-- to (date, default today): last one
-- playlist (text, default all): name or id of the chart
-- limit (integer, default 20): most labels of a chart
SELECT
    playlist_name,
    label,
    share_percent,
    metric_value,
    metric_name,
    recordings
FROM (
    SELECT
        max_by(playlist_name, snapshot_on) AS playlist_name,
        label,
        round(1e2 * sum(metric_value) / sum(sum(metric_value)) OVER (PARTITION BY playlist_id), 1) AS share_percent,
        sum(metric_value) AS metric_value,
        metric_name,
        count(DISTINCT recording_id) AS recordings,
        playlist_id,
        row_number() OVER (PARTITION BY playlist_id ORDER BY sum(metric_value) DESC, label) AS place
    FROM snapshot_entries
    WHERE metric_value IS NOT NULL
        AND snapshot_on BETWEEN date(? /* from */) AND date(? /* to */)
        AND ? /* playlist */ IN ('all', playlist_id, playlist_name)
    GROUP BY playlist_id, label, metric_name
)
WHERE place <= ? /* limit */
ORDER BY playlist_name, playlist_id, place
