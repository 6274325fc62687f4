-- Which label groups hold the lists, month by month?
-- Row: a month and a group of labels, with its share of the month's weekly charts. The view label_groups, a table to
-- edit, tells the group of a label; one that it does not have is a group of its own, and label_group is NULL where
-- Spotify tells no label. The rule: each playlist counts with one chart a week, however often it is collected, and all
-- playlists weigh the same, however long they are. lists: how many playlists the month rests on; lists_joined names
-- those first collected in it, for which a jump may be no trend.
-- Scans: chart_entries and spotify_tracks of the weeks asked for; songs of all days, for the recordings.
-- from (date, default 26 weeks before to): first Monday
-- to (date, default today): last Monday
-- playlist (text, default all): its name or its id
-- limit (integer, default 10): most groups of a month
WITH labelled AS (
    SELECT
        e.playlist_id,
        date_trunc('month', e.snapshot_on) AS month,
        coalesce(g.label_group, max(t.label) OVER (PARTITION BY lower(trim(t.label)))) AS label_group,
        1e0 / count(*) OVER (PARTITION BY e.playlist_id, date_trunc('month', e.snapshot_on)) AS weight
    FROM chart_entries AS e
    JOIN spotify_tracks AS t
        ON t.snapshot_on = e.snapshot_on AND t.playlist_id = e.playlist_id AND t.position = e.position
    LEFT JOIN label_groups AS g ON g.label = lower(trim(t.label))
    WHERE e.week BETWEEN date(? /* from */) AND date(? /* to */)
        AND date_trunc('week', t.snapshot_on) BETWEEN date(? /* from */) AND date(? /* to */)
        AND ? /* playlist */ IN ('all', e.playlist_id, e.playlist_name)
),

shared AS (
    SELECT
        month,
        label_group,
        sum(weight) AS weight,
        CAST(round(sum(sum(weight)) OVER (PARTITION BY month)) AS bigint) AS lists,
        count(*) AS entries,
        row_number() OVER (PARTITION BY month ORDER BY round(sum(weight), 9) DESC, label_group) AS place
    FROM labelled
    GROUP BY month, label_group
),

joined AS (
    SELECT month, array_join(array_agg(playlist_name ORDER BY playlist_name), ', ') AS lists_joined
    FROM (
        SELECT
            playlist_id,
            coalesce(max_by(playlist_name, concat(year, month, day)), playlist_id) AS playlist_name,
            date_trunc('month', min(try_cast(concat(year, '-', month, '-', day) AS date))) AS month
        FROM playlist_metadata
        WHERE track_entries > 0
        GROUP BY playlist_id
    )
    WHERE ? /* playlist */ IN ('all', playlist_id, playlist_name)
    GROUP BY month
)

SELECT
    s.month,
    s.label_group,
    round(round(1e2 * s.weight / s.lists, 6), 1) AS share_percent,
    s.entries,
    s.lists,
    j.lists_joined
FROM shared AS s
LEFT JOIN joined AS j ON j.month = s.month
WHERE s.place <= ? /* limit */
ORDER BY s.month, s.place
