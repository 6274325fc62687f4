-- Which genres win and lose recordings on the playlists?
-- Row: a genre and a span of four weeks, counted back from the last week asked for (age 0). recordings: how many distinct
-- recordings the weekly charts of all playlists had in the span by artists of the genre; known: how many by artists of
-- whom any genre is told, of which recordings is a share; listed: how many there were. A recording counts once a span,
-- for each genre of each of its artists, whatever its positions and however many playlists had it.
-- Scans: chart_entries and artist_genres of the weeks asked for; songs of all days, for the recordings.
-- from (date, default 51 weeks before to): first Monday
-- to (date, default today): last Monday
-- limit (integer, default 20): most genres, those with the most recordings in the last span
WITH credited AS (
    SELECT DISTINCT
        date_diff('week', e.week, date_trunc('week', date(? /* to */))) / 4 AS age,
        e.recording_id,
        e.playlist_id,
        e.snapshot_on,
        a.artist_id
    FROM chart_entries AS e
    CROSS JOIN UNNEST(
        CAST(json_parse(coalesce(nullif(e.artist_ids, '[]'), '[null]')) AS array(varchar))
    ) AS a (artist_id)
    WHERE e.kind = 'playlist'
        AND e.week BETWEEN date(? /* from */) AND date(? /* to */)
),

genred AS (
    SELECT DISTINCT c.age, c.recording_id, g.genre
    FROM credited AS c
    LEFT JOIN (
        SELECT * FROM artist_genres
        WHERE date_trunc('week', snapshot_on) BETWEEN date(? /* from */) AND date(? /* to */)
    ) AS g
        ON g.snapshot_on = c.snapshot_on AND g.playlist_id = c.playlist_id AND g.artist_id = c.artist_id
),

spans AS (
    SELECT
        age,
        count(DISTINCT recording_id) AS listed,
        count(DISTINCT CASE WHEN genre IS NOT NULL THEN recording_id END) AS known
    FROM genred
    GROUP BY age
),

counted AS (
    SELECT
        g.age,
        g.genre,
        count(*) AS recordings,
        s.known,
        s.listed,
        max(CASE WHEN g.age = 0 THEN count(*) END) OVER (PARTITION BY g.genre) AS last_recordings,
        sum(count(*)) OVER (PARTITION BY g.genre) AS all_recordings
    FROM genred AS g
    JOIN spans AS s ON s.age = g.age
    WHERE g.genre IS NOT NULL
    GROUP BY g.age, g.genre, s.known, s.listed
)

SELECT age, genre, recordings, known, listed
FROM (
    SELECT
        *,
        dense_rank() OVER (ORDER BY coalesce(last_recordings, 0) DESC, all_recordings DESC, genre) AS place
    FROM counted
)
WHERE place <= ? /* limit */
ORDER BY place, age
