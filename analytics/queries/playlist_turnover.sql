-- How fast does a playlist change, and how long do its tracks stay?
-- Row: a playlist, over its whole charts of the weeks asked for. turnover_percent: entries that the chart before did
-- not have. Tenure counts the charts of a track within those weeks; the true one is longer where these cut it off.
-- Scans: chart_entries of the weeks asked for.
-- from (date, default 26 weeks before to): first Monday
-- to (date, default today): last Monday
WITH followed AS (
    SELECT
        *,
        lag(chart) OVER (PARTITION BY playlist_id, track_id ORDER BY chart) AS last_chart,
        row_number() OVER (PARTITION BY playlist_id, track_id ORDER BY chart) AS tenure
    FROM (
        SELECT *, dense_rank() OVER (PARTITION BY playlist_id ORDER BY week) AS chart
        FROM chart_entries
        WHERE whole AND week BETWEEN date(? /* from */) AND date(? /* to */)
    )
)

SELECT
    playlist_id,
    count(DISTINCT week) AS charts,
    count(DISTINCT track_id) AS tracks,
    round(1e0 * count(*) / count(DISTINCT week), 1) AS entries_per_chart,
    round(
        1e2 * count_if(chart > 1 AND coalesce(last_chart, 0) < chart - 1) / nullif(count_if(chart > 1), 0), 1
    ) AS turnover_percent,
    round(1e0 * count(*) / count(DISTINCT track_id), 2) AS average_tenure,
    max(tenure) AS longest_tenure
FROM followed
GROUP BY playlist_id
ORDER BY playlist_id
