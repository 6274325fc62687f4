-- Which recordings climbed and fell the most in the last week?
-- Row: one of the biggest climbers and fallers of a playlist in its last complete chart of the weeks asked for, or its
-- last one if none is complete. movement: places gained since the chart before, weeks_since_previous weeks ago.
-- Scans: all days, for the charts count recordings.
-- from (date, default 4 weeks before to): first Monday
-- to (date, default today): last Monday
-- playlist (text, default all): its name or its id
-- limit (integer, default 5): most climbers of a playlist, and most fallers
SELECT
    playlist_name,
    week,
    movement,
    weeks_since_previous,
    previous_position,
    position,
    track_name,
    artists,
    playlist_id,
    track_id
FROM (
    SELECT
        *,
        row_number() OVER (PARTITION BY playlist_id, movement > 0 ORDER BY abs(movement) DESC, position) AS place
    FROM (
        SELECT *, dense_rank() OVER (PARTITION BY playlist_id ORDER BY complete DESC, week DESC) AS age
        FROM weekly_chart
        WHERE week BETWEEN date(? /* from */) AND date(? /* to */)
            AND ? /* playlist */ IN ('all', playlist_id, playlist_name)
    )
    WHERE age = 1 AND movement <> 0
)
WHERE place <= ? /* limit */
ORDER BY playlist_name, playlist_id, movement DESC, position
