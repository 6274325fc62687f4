-- How long do debuts last?
-- Row: a playlist and an age in weeks. Of the debuts of the weeks asked for (see weekly_chart) for which there is a chart
-- of that age, so many were listed in it, be it still or again. A recording that an incomplete chart lacks is listed as
-- long as it is not known to have left.
-- Scans: all days, for any of them may be a recording's first.
-- from (date, default 26 weeks before to): first Monday
-- to (date, default today): last Monday
-- playlist (text, default all): its name or its id
WITH stays AS (
    SELECT
        playlist_id,
        recording_id,
        debut_week,
        date_trunc('week', entered_on) AS entered_week,
        date_trunc('week', exited_on) AS exited_week
    FROM (
        SELECT
            *,
            min(CASE WHEN arrival = 'debut' THEN week END) OVER (PARTITION BY playlist_id, recording_id) AS debut_week
        FROM weekly_chart
    )
    GROUP BY 1, 2, 3, 4, 5
),

charts AS (
    SELECT playlist_id, max_by(playlist_name, week) OVER (PARTITION BY playlist_id) AS playlist_name, week
    FROM (SELECT playlist_id, week, max(playlist_name) AS playlist_name FROM list_snapshots GROUP BY playlist_id, week)
)

SELECT
    c.playlist_name,
    date_diff('week', s.debut_week, c.week) AS weeks_after_debut,
    count_if(s.entered_week = s.debut_week) AS debuts,
    count_if(c.week >= s.entered_week AND (s.exited_week IS NULL OR c.week < s.exited_week)) AS listed,
    round(
        1e2 * count_if(c.week >= s.entered_week AND (s.exited_week IS NULL OR c.week < s.exited_week))
        / count_if(s.entered_week = s.debut_week), 1
    ) AS listed_percent,
    s.playlist_id
FROM stays AS s
JOIN charts AS c ON c.playlist_id = s.playlist_id AND c.week >= s.debut_week
WHERE s.debut_week BETWEEN date(? /* from */) AND date(? /* to */)
    AND c.week <= date(? /* to */)
    AND ? /* playlist */ IN ('all', c.playlist_id, c.playlist_name)
GROUP BY s.playlist_id, c.playlist_name, date_diff('week', s.debut_week, c.week)
ORDER BY c.playlist_name, s.playlist_id, weeks_after_debut
