-- How long do debuts last?
-- Row: a playlist and an age in charts. Of the debuts (as in the query debuts) whose chart of that age is known, so many
-- were listed in it, be it still or again.
-- Scans: chart_entries of the weeks asked for.
-- from (date, default 26 weeks before to): first Monday
-- to (date, default today): last Monday
WITH charts AS (
    SELECT playlist_id, track_id, dense_rank() OVER (PARTITION BY playlist_id ORDER BY week) AS chart
    FROM chart_entries
    WHERE whole AND week BETWEEN date(? /* from */) AND date(? /* to */)
),

debuts AS (
    SELECT playlist_id, track_id, last_chart, min(chart) AS debut
    FROM (SELECT *, max(chart) OVER (PARTITION BY playlist_id) AS last_chart FROM charts)
    GROUP BY playlist_id, track_id, last_chart
    HAVING min(chart) > 1
)

SELECT
    d.playlist_id,
    a.age AS charts_after_debut,
    count(*) AS debuts,
    count(c.track_id) AS listed,
    round(1e2 * count(c.track_id) / count(*), 1) AS listed_percent
FROM debuts AS d
CROSS JOIN UNNEST(sequence(0, d.last_chart - d.debut)) AS a (age)
LEFT JOIN charts AS c ON c.playlist_id = d.playlist_id AND c.track_id = d.track_id AND c.chart = d.debut + a.age
GROUP BY d.playlist_id, a.age
ORDER BY d.playlist_id, a.age
