-- Which list had a track first, and how long did the others take?
-- Row: a track and a playlist that had it after another one, or on the same day (0 days). What was on a list before the
-- days asked for is not known, so first means first seen.
-- Scans: songs of the days asked for.
-- from (date, default 26 weeks before to): first day
-- to (date, default today): last day
WITH seen AS (
    SELECT
        *,
        row_number() OVER (PARTITION BY track_id ORDER BY first_on, playlist_id) AS place
    FROM (
        SELECT
            track_id,
            playlist_id,
            date(min(snapshot_date)) AS first_on,
            max_by(track_name, snapshot_date) AS track_name,
            max_by(artist_name, snapshot_date) AS artist_name
        FROM songs
        WHERE track_id IS NOT NULL
            AND concat(year, '-', month, '-', day) BETWEEN ? /* from */ AND ? /* to */
        GROUP BY track_id, playlist_id
    )
)

SELECT
    f.track_name,
    f.artist_name,
    f.playlist_id AS first_playlist_id,
    f.first_on,
    n.playlist_id,
    n.first_on AS followed_on,
    date_diff('day', f.first_on, n.first_on) AS days_later,
    f.track_id
FROM seen AS f
JOIN seen AS n ON n.track_id = f.track_id
WHERE f.place = 1 AND n.place > 1
ORDER BY days_later DESC, f.track_name, f.track_id, n.place
