-- Which label is behind each track of the playlists?
-- Row: a track that some playlist listed in the weeks asked for, with the label as Spotify last told it, and the group
-- that the view label_groups puts it in, or else the label itself.
-- Scans: songs and albums of the weeks asked for.
-- from (date, default 3 weeks before to): first Monday
-- to (date, default today): last Monday
SELECT
    t.track_id,
    t.isrc,
    t.label,
    coalesce(g.label_group, t.label) AS label_group,
    t.release_on
FROM (
    SELECT
        s.track_id,
        max_by(s.isrc, s.snapshot_on) AS isrc,
        max_by(b.label, s.snapshot_on) AS label,
        max_by(b.release_on, s.snapshot_on) AS release_on
    FROM (
        SELECT *, try_cast(concat(year, '-', month, '-', day) AS date) AS snapshot_on
        FROM songs
        WHERE date_trunc('week', try_cast(concat(year, '-', month, '-', day) AS date))
            BETWEEN date(? /* from */) AND date(? /* to */)
    ) AS s
    LEFT JOIN (
        SELECT *
        FROM albums
        WHERE date_trunc('week', try_cast(concat(year, '-', month, '-', day) AS date))
            BETWEEN date(? /* from */) AND date(? /* to */)
    ) AS b
        ON b.year = s.year AND b.month = s.month AND b.day = s.day
        AND b.playlist_id = s.playlist_id AND b.album_id = s.album_id
    GROUP BY s.track_id
) AS t
LEFT JOIN label_groups AS g ON g.label = lower(trim(t.label))
WHERE t.track_id IS NOT NULL
ORDER BY t.track_id
