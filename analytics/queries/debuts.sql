-- Which tracks are new, and how did they do since?
-- Row: a track of a playlist that its first chart of the weeks asked for does not have, in whole charts, with the
-- position at its debut, its best one, and in how many charts it was. Earlier weeks are not looked at.
-- Scans: chart_entries of the weeks asked for.
-- from (date, default 26 weeks before to): first Monday
-- to (date, default today): last Monday
SELECT
    playlist_id,
    min(week) AS debut_week,
    min_by(position, week) AS debut_position,
    min(position) AS peak,
    count(*) AS weeks_listed,
    max(week) = last_week AS still_listed,
    max_by(track_name, week) AS track_name,
    max_by(artist_name, week) AS artist_name,
    track_id
FROM (
    SELECT
        *,
        min(week) OVER (PARTITION BY playlist_id) AS first_week,
        max(week) OVER (PARTITION BY playlist_id) AS last_week
    FROM chart_entries
    WHERE whole AND week BETWEEN date(? /* from */) AND date(? /* to */)
)
GROUP BY playlist_id, track_id, first_week, last_week
HAVING min(week) > first_week
ORDER BY debut_week DESC, playlist_id, debut_position
