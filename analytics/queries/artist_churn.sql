-- How many artists come, stay, return and leave each week?
-- Row: a playlist and a week after its first chart. All credited artists count, and each is listed while one of their
-- recordings is (see weekly_chart). new: on the playlist for the first time ever; returning: seen before, but not in the
-- chart before; leaving: gone, in the chart that shows it. Where a chart is not complete, nobody leaves yet.
-- Scans: all days, for any of them may be an artist's first.
-- from (date, default 26 weeks before to): first Monday
-- to (date, default today): last Monday
-- playlist (text, default all): its name or its id
WITH listed AS (
    SELECT
        c.playlist_id,
        c.snapshot_on,
        a.artist_id,
        max(c.playlist_name) AS playlist_name,
        bool_and(c.complete) AS complete,
        bool_or(c.arrival = 'first chart') AS was_there_first,
        max(least(coalesce(c.exited_on, DATE '9999-12-31'), coalesce(c.next_on, DATE '9999-12-31'))) AS until
    FROM (
        SELECT *, lead(snapshot_on) OVER (PARTITION BY playlist_id, recording_id ORDER BY snapshot_on) AS next_on
        FROM weekly_chart
    ) AS c
    CROSS JOIN UNNEST(CAST(json_parse(c.artist_ids) AS array(varchar))) AS a (artist_id)
    WHERE a.artist_id IS NOT NULL
    GROUP BY c.playlist_id, c.snapshot_on, a.artist_id
),

followed AS (
    SELECT
        *,
        lag(until) OVER (PARTITION BY playlist_id, artist_id ORDER BY snapshot_on) AS last_until,
        lead(snapshot_on) OVER (PARTITION BY playlist_id, artist_id ORDER BY snapshot_on) AS next_on
    FROM listed
),

changes AS (
    SELECT
        f.playlist_id,
        max_by(f.playlist_name, f.snapshot_on) AS playlist_name,
        e.day,
        CAST(date_trunc('week', e.day) AS date) AS week,
        count_if(e.change = 'listed') AS artists,
        count_if(e.change = 'listed' AND f.last_until IS NULL AND NOT f.was_there_first) AS new_artists,
        count_if(e.change = 'listed' AND f.last_until < f.snapshot_on) AS returning_artists,
        count_if(e.change = 'left') AS leaving_artists,
        bool_or(e.change = 'listed' AND f.complete) AS complete,
        min(e.day) OVER (PARTITION BY f.playlist_id) AS first_day
    FROM followed AS f
    CROSS JOIN UNNEST(
        ARRAY['listed', 'left'],
        ARRAY[f.snapshot_on, CASE WHEN f.until < coalesce(f.next_on, DATE '9999-12-31') THEN f.until END]
    ) AS e (change, day)
    WHERE e.day IS NOT NULL
    GROUP BY f.playlist_id, e.day
)

SELECT
    playlist_name,
    week,
    artists,
    new_artists,
    artists - new_artists - returning_artists AS staying_artists,
    returning_artists,
    leaving_artists,
    complete,
    playlist_id
FROM changes
WHERE day > first_day
    AND week BETWEEN date(? /* from */) AND date(? /* to */)
    AND ? /* playlist */ IN ('all', playlist_id, playlist_name)
ORDER BY playlist_name, playlist_id, week
