-- Which tracks climbed and fell the most in the last week?
-- Row: one of the five biggest climbers and fallers of a playlist, between the last two whole charts of the weeks
-- asked for. movement: places gained.
-- Scans: chart_entries of the weeks asked for.
-- from (date, default 4 weeks before to): first Monday
-- to (date, default today): last Monday
WITH charts AS (
    SELECT *, dense_rank() OVER (PARTITION BY playlist_id ORDER BY week DESC) AS age
    FROM chart_entries
    WHERE whole AND week BETWEEN date(? /* from */) AND date(? /* to */)
),

moved AS (
    SELECT now.*, before.position AS previous_position, before.position - now.position AS movement
    FROM charts AS now
    JOIN charts AS before ON before.playlist_id = now.playlist_id AND before.track_id = now.track_id
    WHERE now.age = 1 AND before.age = 2 AND before.position <> now.position
)

SELECT playlist_id, week, movement, previous_position, position, track_name, artist_name, track_id
FROM (
    SELECT
        *,
        row_number() OVER (PARTITION BY playlist_id, movement > 0 ORDER BY abs(movement) DESC, position) AS place
    FROM moved
)
WHERE place <= 5
ORDER BY playlist_id, movement DESC, position
