-- Which recordings gained and lost the most streams in the last week?
-- Row: one that gained or lost most on a chart, in its last complete chart of the weeks asked for, or its last one if none
-- is complete. change: streams (or listens, as metric_name says) of its period less those of the chart before, which is
-- weeks_since_previous weeks ago; change_percent: of those before. What was not in the chart before, or is not in this one,
-- has a number in one of them alone, and so no change.
-- Scans: all days, for the charts count recordings.
-- from (date, default 4 weeks before to): first Monday
-- to (date, default today): last Monday
-- playlist (text, default all): name or id of the chart
-- limit (integer, default 5): most that gained on a chart, and most that lost
SELECT
    playlist_name,
    week,
    change,
    change_percent,
    metric_value,
    metric_name,
    weeks_since_previous,
    position,
    movement,
    track_name,
    artists,
    playlist_id,
    track_id
FROM (
    SELECT
        *,
        metric_change AS change,
        round(1e2 * metric_change / nullif(metric_value - metric_change, 0), 1) AS change_percent,
        row_number() OVER (
            PARTITION BY playlist_id, metric_change > 0 ORDER BY abs(metric_change) DESC, position
        ) AS place
    FROM (
        SELECT *, dense_rank() OVER (PARTITION BY playlist_id ORDER BY complete DESC, week DESC) AS age
        FROM weekly_chart
        WHERE week BETWEEN date(? /* from */) AND date(? /* to */)
            AND ? /* playlist */ IN ('all', playlist_id, playlist_name)
    )
    WHERE age = 1 AND metric_change <> 0
)
WHERE place <= ? /* limit */
ORDER BY playlist_name, playlist_id, change DESC, position
