-- How long do recordings stay on a list?
-- Row: a list and a number of weeks. Of the recordings that came new onto the list in the weeks asked for (see weekly_chart),
-- gone left it after so many weeks, and still were listed that long up to the list's last chart and are not known to have
-- left: what it takes for a survival curve, in which these count as long as they were seen. A return is not counted.
-- Scans: all days, for any of them may be a recording's first.
-- from (date, default 51 weeks before to): first Monday
-- to (date, default today): last Monday
-- playlist (text, default all): its name or its id
SELECT
    playlist_id,
    weeks,
    count_if(has_left) AS gone,
    count_if(NOT has_left) AS still
FROM (
    SELECT
        playlist_id,
        coalesce(exited_on, DATE '9999-12-31') <= last_on AS has_left,
        date_diff('week', week, date_trunc('week', least(coalesce(exited_on, last_on), last_on))) AS weeks
    FROM (
        SELECT playlist_id, playlist_name, week, arrival, exited_on, max(snapshot_on) OVER (PARTITION BY playlist_id) AS last_on
        FROM weekly_chart
        WHERE week BETWEEN date(? /* from */) AND date(? /* to */)
    )
    WHERE arrival = 'debut' AND ? /* playlist */ IN ('all', playlist_id, playlist_name)
)
GROUP BY playlist_id, weeks
ORDER BY playlist_id, weeks
