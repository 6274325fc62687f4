-- How many artists come, stay, return and leave each week?
-- Row: a playlist and a week after the first of those asked for, in whole charts. new: not seen before in the weeks
-- asked for; returning: seen, but not in the chart before; leaving: in the chart before, and no longer.
-- Scans: chart_entries of the weeks asked for.
-- from (date, default 26 weeks before to): first Monday
-- to (date, default today): last Monday
WITH listed AS (
    SELECT DISTINCT e.playlist_id, e.week, e.chart, a.artist_id
    FROM (
        SELECT *, dense_rank() OVER (PARTITION BY playlist_id ORDER BY week) AS chart
        FROM chart_entries
        WHERE whole AND week BETWEEN date(? /* from */) AND date(? /* to */)
    ) AS e
    CROSS JOIN UNNEST(CAST(json_parse(e.artist_ids) AS array(varchar))) AS a (artist_id)
    WHERE a.artist_id IS NOT NULL
),

counted AS (
    SELECT
        playlist_id,
        week,
        chart,
        count(*) AS artists,
        count_if(last_chart IS NULL) AS new_artists,
        count_if(last_chart = chart - 1) AS staying_artists,
        count_if(last_chart < chart - 1) AS returning_artists
    FROM (
        SELECT *, lag(chart) OVER (PARTITION BY playlist_id, artist_id ORDER BY chart) AS last_chart FROM listed
    )
    GROUP BY playlist_id, week, chart
)

SELECT playlist_id, week, artists, new_artists, staying_artists, returning_artists, leaving_artists
FROM (
    SELECT *, lag(artists) OVER (PARTITION BY playlist_id ORDER BY week) - staying_artists AS leaving_artists
    FROM counted
)
WHERE chart > 1
ORDER BY playlist_id, week
