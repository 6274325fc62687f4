-- Which genres trend, month by month?
-- Row: a month and a genre, with its share of the month's weekly charts. The rule: each playlist counts with one chart a
-- week, however often it is collected, and all playlists weigh the same, however long they are. share_percent: an entry
-- is shared out evenly among all genres of all its artists; first_percent: it goes to the first genre of its first artist.
-- genre is NULL where Spotify tells none; charts do not count, for their sources tell no genres. lists: how many playlists
-- the month rests on; joined: how many of them were first collected in it, so that a jump may be no trend.
-- Scans: chart_entries and artist_genres of the weeks asked for; songs of all days, for the recordings.
-- from (date, default 26 weeks before to): first Monday
-- to (date, default today): last Monday
-- playlist (text, default all): its name or its id
-- limit (integer, default 10): most genres of a month
WITH credited AS (
    SELECT e.playlist_id, e.snapshot_on, e.position, a.artist_id, a.artist_place
    FROM chart_entries AS e
    CROSS JOIN UNNEST(
        CAST(json_parse(coalesce(nullif(e.artist_ids, '[]'), '[null]')) AS array(varchar))
    ) WITH ORDINALITY AS a (artist_id, artist_place)
    WHERE e.kind = 'playlist'
        AND e.week BETWEEN date(? /* from */) AND date(? /* to */)
        AND ? /* playlist */ IN ('all', e.playlist_id, e.playlist_name)
),

genred AS (
    SELECT
        c.playlist_id,
        c.snapshot_on,
        c.position,
        g.genre,
        bool_or(c.artist_place = 1 AND coalesce(g.genre_place, 1) = 1) AS is_first,
        count(g.genre) OVER (PARTITION BY c.playlist_id, c.snapshot_on, c.position) AS genres
    FROM credited AS c
    LEFT JOIN (
        SELECT * FROM artist_genres
        WHERE date_trunc('week', snapshot_on) BETWEEN date(? /* from */) AND date(? /* to */)
    ) AS g
        ON g.snapshot_on = c.snapshot_on AND g.playlist_id = c.playlist_id AND g.artist_id = c.artist_id
    GROUP BY c.playlist_id, c.snapshot_on, c.position, g.genre
),

weighed AS (
    SELECT
        playlist_id,
        date_trunc('month', snapshot_on) AS month,
        genre,
        CASE WHEN genre IS NOT NULL THEN 1e0 / genres WHEN genres = 0 THEN 1e0 ELSE 0e0 END AS weight,
        CASE WHEN is_first THEN 1 ELSE 0 END AS first_weight
    FROM genred
),

shared AS (
    SELECT
        playlist_id,
        month,
        genre,
        sum(weight) / sum(sum(weight)) OVER (PARTITION BY playlist_id, month) AS share,
        1e0 * sum(first_weight) / sum(sum(first_weight)) OVER (PARTITION BY playlist_id, month) AS first_share,
        CASE WHEN row_number() OVER (PARTITION BY playlist_id, month ORDER BY genre) = 1 THEN 1 ELSE 0 END AS is_list
    FROM weighed
    GROUP BY playlist_id, month, genre
),

-- A sum of fractions depends on their order: its last digits must decide neither ranks nor roundings.
averaged AS (
    SELECT
        month,
        genre,
        sum(sum(is_list)) OVER (PARTITION BY month) AS lists,
        round(sum(share), 9) AS share,
        round(sum(first_share), 9) AS first_share,
        row_number() OVER (PARTITION BY month ORDER BY round(sum(share), 9) DESC, genre) AS place
    FROM shared
    GROUP BY month, genre
),

joined AS (
    SELECT month, count(*) AS joined
    FROM (
        SELECT
            playlist_id,
            max_by(playlist_name, concat(year, month, day)) AS playlist_name,
            date_trunc('month', min(try_cast(concat(year, '-', month, '-', day) AS date))) AS month
        FROM playlist_metadata
        WHERE track_entries > 0
        GROUP BY playlist_id
    )
    WHERE ? /* playlist */ IN ('all', playlist_id, playlist_name)
    GROUP BY month
)

SELECT
    a.month,
    a.genre,
    round(1e2 * a.share / a.lists, 1) AS share_percent,
    round(1e2 * a.first_share / a.lists, 1) AS first_percent,
    a.lists,
    coalesce(j.joined, 0) AS joined
FROM averaged AS a
LEFT JOIN joined AS j ON j.month = a.month
WHERE a.place <= ? /* limit */
ORDER BY a.month, a.place
