-- Which artists appear together?
-- Row: two artists who are credited for the same recordings, with how many entries of weekly charts, recordings and
-- playlists they share.
-- Scans: chart_entries of the weeks asked for; songs of all days, for the recordings.
-- from (date, default 26 weeks before to): first Monday
-- to (date, default today): last Monday
-- playlist (text, default all): its name or its id
-- limit (integer, default 50): most rows
SELECT
    artist_name,
    other_artist_name,
    entries,
    recordings,
    playlists,
    best_position
FROM (
    SELECT
        *,
        row_number() OVER (
            ORDER BY entries DESC, best_position, artist_name, other_artist_name, artist_id, other_artist_id
        ) AS place
    FROM (
        SELECT
            a.artist_id,
            b.artist_id AS other_artist_id,
            max_by(a.artist_name, e.week) AS artist_name,
            max_by(b.artist_name, e.week) AS other_artist_name,
            count(*) AS entries,
            count(DISTINCT e.recording_id) AS recordings,
            count(DISTINCT e.playlist_id) AS playlists,
            min(e.position) AS best_position
        FROM chart_entries AS e
        CROSS JOIN UNNEST(
            CAST(json_parse(e.artist_ids) AS array(varchar)), CAST(json_parse(e.artist_names) AS array(varchar))
        ) AS a (artist_id, artist_name)
        CROSS JOIN UNNEST(
            CAST(json_parse(e.artist_ids) AS array(varchar)), CAST(json_parse(e.artist_names) AS array(varchar))
        ) AS b (artist_id, artist_name)
        WHERE a.artist_id < b.artist_id
            AND e.week BETWEEN date(? /* from */) AND date(? /* to */)
            AND ? /* playlist */ IN ('all', e.playlist_id, e.playlist_name)
        GROUP BY a.artist_id, b.artist_id
    )
)
WHERE place <= ? /* limit */
ORDER BY place
