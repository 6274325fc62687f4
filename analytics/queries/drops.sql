-- Which recordings left the lists, from where and after how long?
-- Row: a recording that left a playlist in the weeks asked for. left_on is the chart that shows it: the first one
-- without it if that is complete, or else the second; whoever may only be unknown has not left. position is that in its
-- last chart; peak, peak_on, weeks_on_list and days_listed are of its whole time. at_least: the playlist had it when it
-- was first seen, and so for longer. returned_on: the chart in which it was back, NULL if none shows it.
-- Scans: all days, for the time on a list is told by all of them.
-- from (date, default 4 weeks before to): first Monday
-- to (date, default today): last Monday
-- playlist (text, default all): its name or its id
-- limit (integer, default 100): most rows
SELECT
    playlist_name,
    exited_on AS left_on,
    position,
    peak,
    peak_on,
    weeks_on_list,
    days_listed,
    at_least,
    next_on AS returned_on,
    track_name,
    artists,
    playlist_id,
    track_id
FROM (
    SELECT
        *,
        row_number() OVER (ORDER BY exited_on DESC, playlist_name, playlist_id, position, recording_id) AS place
    FROM (
        SELECT
            *,
            lead(snapshot_on) OVER (PARTITION BY playlist_id, recording_id ORDER BY week) AS next_on,
            bool_or(arrival = 'first chart') OVER (PARTITION BY playlist_id, recording_id) AS at_least
        FROM weekly_chart
    )
    WHERE coalesce(next_on, DATE '9999-12-31') > exited_on
        AND date_trunc('week', exited_on) BETWEEN date(? /* from */) AND date(? /* to */)
        AND ? /* playlist */ IN ('all', playlist_id, playlist_name)
)
WHERE place <= ? /* limit */
ORDER BY place
