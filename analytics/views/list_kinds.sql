-- Which kind of list each one is, as edited here, or else as its owner, order and turnover tell.
-- Row: a list. list_kind says what its positions mean, and so which of its moves are news:
-- chart: a ranking by numbers; what a source published as one, or a playlist of Spotify's whose entries were all added at
-- one moment, as a machine rewrites it, and of which less than half is new each week.
-- flagship: put together by editors and followed by many; its order is a choice.
-- catalogue: it was seen for at least four weeks after its first, and less than 2 percent is new a week, or its order says
-- nothing: among those that stay, each moves past more than a fifth of the others on average, as in a shuffle (that would
-- be a third), while less than half is new; what new ones on top push down has not moved. It has no climbers.
-- personal: of an owner other than Spotify, with fewer than 1,000 followers, or of whom nobody knows how many.
-- told_by: edited, source, entries added at one moment, order and turnover, owner and followers. turnover_percent and
-- moved_percent are averages over its last 8 weeks that have one before, by Spotify ids; NULL where there is none.
-- Change the lines of edited, `make generate` and `earworm deploy` them. Reads songs and playlist_metadata of all days.
-- Columns: playlist_id varchar, list_kind varchar, told_by varchar, turnover_percent double, moved_percent double
WITH edited (playlist_id, list_kind) AS (
    VALUES
        ('37i9dQZEVXbMDoHDwVN2tF', 'chart'),
        ('37i9dQZF1DXcBWIGoYBM5M', 'flagship'),
        ('37i9dQZF1DX4JAvHpjipBk', 'flagship'),
        ('37i9dQZF1DX0XUsuxWHRQd', 'flagship')
),

entries AS (
    SELECT
        *,
        max(day) OVER (PARTITION BY playlist_id, week) AS day_of_week,
        lag(position) OVER (PARTITION BY playlist_id, track_id ORDER BY day) AS last_position,
        lag(day) OVER (PARTITION BY playlist_id, track_id ORDER BY day) AS last_day
    FROM (
        SELECT
            playlist_id,
            try_cast(concat(year, '-', month, '-', day) AS date) AS day,
            date_trunc('week', try_cast(concat(year, '-', month, '-', day) AS date)) AS week,
            track_id,
            min(position) AS position,
            min(added_at) AS added_at
        FROM songs
        WHERE track_id IS NOT NULL
        GROUP BY 1, 2, 3, 4
    )
),

ranked AS (
    SELECT
        *,
        row_number() OVER (PARTITION BY playlist_id, day, stays ORDER BY position, track_id) AS place,
        row_number() OVER (PARTITION BY playlist_id, day, stays ORDER BY last_position, track_id) AS last_place
    FROM (
        SELECT *, coalesce(last_day >= date_add('day', -14, day), false) AS stays
        FROM entries
        WHERE day = day_of_week
    )
),

weeks AS (
    SELECT
        playlist_id,
        week,
        count(*) AS size,
        count_if(NOT stays) AS new_entries,
        1e2 * avg(CASE WHEN stays THEN abs(place - last_place) END) / nullif(count_if(stays), 0) AS moved,
        count(DISTINCT added_at) = 1 AND count(added_at) > 1 AS is_added_at_once,
        row_number() OVER (PARTITION BY playlist_id ORDER BY week DESC) AS age,
        row_number() OVER (PARTITION BY playlist_id ORDER BY week) AS number
    FROM ranked
    GROUP BY playlist_id, week
),

measured AS (
    SELECT
        playlist_id,
        bool_or(age = 1 AND is_added_at_once) AS is_added_at_once,
        count_if(number > 1) >= 4 AS is_known,
        avg(CASE WHEN number > 1 THEN 1e2 * new_entries / size END) AS turnover,
        avg(CASE WHEN number > 1 THEN moved END) AS moved
    FROM weeks
    WHERE age <= 8
    GROUP BY playlist_id
),

owned AS (
    SELECT
        playlist_id,
        max_by(owner_id, concat(year, month, day)) AS owner_id,
        max_by(followers, concat(year, month, day)) FILTER (WHERE followers IS NOT NULL) AS followers
    FROM playlist_metadata
    GROUP BY playlist_id
)

SELECT
    o.playlist_id,
    CASE
        WHEN e.list_kind IS NOT NULL THEN e.list_kind
        WHEN o.owner_id = 'spotify' AND m.is_added_at_once AND coalesce(m.turnover, 0) < 50 THEN 'chart'
        WHEN m.is_known AND (m.turnover < 2 OR (m.turnover < 50 AND m.moved > 20)) THEN 'catalogue'
        WHEN coalesce(o.owner_id, '') <> 'spotify' AND coalesce(o.followers, 0) < 1000 THEN 'personal'
        ELSE 'flagship'
    END AS list_kind,
    CASE
        WHEN e.list_kind IS NOT NULL THEN 'edited'
        WHEN o.owner_id = 'spotify' AND m.is_added_at_once AND coalesce(m.turnover, 0) < 50
            THEN 'entries added at one moment'
        WHEN m.is_known AND (m.turnover < 2 OR (m.turnover < 50 AND m.moved > 20)) THEN 'order and turnover'
        ELSE 'owner and followers'
    END AS told_by,
    round(m.turnover, 1) AS turnover_percent,
    round(m.moved, 1) AS moved_percent
FROM owned AS o
LEFT JOIN measured AS m ON m.playlist_id = o.playlist_id
LEFT JOIN edited AS e ON e.playlist_id = o.playlist_id
UNION ALL
SELECT
    c.playlist_id,
    coalesce(e.list_kind, 'chart') AS list_kind,
    CASE WHEN e.list_kind IS NULL THEN 'source' ELSE 'edited' END AS told_by,
    CAST(NULL AS double) AS turnover_percent,
    CAST(NULL AS double) AS moved_percent
FROM (SELECT DISTINCT playlist_id FROM chart_positions) AS c
LEFT JOIN edited AS e ON e.playlist_id = c.playlist_id
