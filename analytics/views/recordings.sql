-- Which recording an id is: a hit gets another id when its album comes out, in another market, or at another service.
-- Row: an id that was ever listed, in a playlist or a chart. Ids are one recording that share an ISRC, of which one stands
-- for the other (linked_from_id), or that have the same title and artists and lengths at most 3 seconds apart. A title is
-- the same under another case, width, accent, quotation mark or dash; a remix, live or sped up version is another. Accents
-- are the marks of Latin, Greek, Cyrillic, Arabic and Hebrew letters: of others they are vowels or make another consonant.
-- What only charts list has no length, and joins by its Spotify id and ISRCs alone: track_id is that of chart_positions.
-- recording_id is the id seen first (the lowest of a day), recording_name and recording_artists are those that it was
-- first seen with, in a playlist if it was in any: they stay when others join. joined_by is the strongest of the ways in
-- which the id belongs to others of the recording: isrc, linked_from, title+artists+length, or same id for the
-- recording_id itself.
-- Ids that only a chain of more than six others joins to the first one are recordings of their own.
-- Reads songs and charts of all days, for any of them may be an id's first.
-- Columns: track_id varchar, recording_id varchar, recording_name varchar, recording_artists varchar, isrc varchar,
--   joined_by varchar
WITH seen AS (
    SELECT
        track_id,
        regexp_extract(
            upper(regexp_replace(isrc, '[^0-9A-Za-z]', '')), '^[A-Z]{2}[0-9A-Z]{3}[0-9]{7}$'
        ) AS isrc,
        linked_from_id,
        track_name,
        CASE WHEN artist_ids LIKE '%"%' AND artist_ids NOT LIKE '%null%' THEN artist_ids ELSE artist_names END AS artists,
        coalesce(artist_names, '[]') AS artist_names,
        duration_ms,
        0 AS is_of_chart,
        min(concat(year, '-', month, '-', day)) AS first_day
    FROM songs
    WHERE track_id IS NOT NULL
    GROUP BY 1, 2, 3, 4, 5, 6, 7
    UNION ALL
    SELECT
        c.track_id,
        i.isrc,
        CAST(NULL AS varchar) AS linked_from_id,
        c.track_name,
        CAST(NULL AS varchar) AS artists,
        json_format(CAST(ARRAY[c.artists] AS json)) AS artist_names,
        CAST(NULL AS bigint) AS duration_ms,
        1 AS is_of_chart,
        CAST(min(c.snapshot_on) AS varchar) AS first_day
    FROM chart_positions AS c
    CROSS JOIN UNNEST(CAST(json_parse(coalesce(c.isrcs, '[null]')) AS array(varchar))) AS i (isrc)
    WHERE c.track_id IS NOT NULL
    GROUP BY c.track_id, i.isrc, c.track_name, c.artists
),

titled AS (
    SELECT
        *,
        trim(regexp_replace(
            lower(regexp_replace(
                normalize(translate(track_name, '‘’‚ʼ′`´“”„″«»‐‑‒–—', '''''''''''''''""""""-----'), NFKD),
                '([\p{Latin}\p{Greek}\p{Cyrillic}\p{Arabic}\p{Hebrew}])\p{Mn}+', '$1'
            )),
            '\s+', ' '
        )) AS title,
        nullif(array_join(array_sort(CAST(json_parse(artists) AS array(varchar))), ' '), '') AS credit
    FROM seen
),

measured AS (
    SELECT
        *,
        CASE
            WHEN duration_ms - lag(duration_ms) OVER (PARTITION BY title, credit ORDER BY duration_ms) <= 3000 THEN 0
            ELSE 1
        END AS is_apart,
        min(first_day || ' ' || track_id) OVER (PARTITION BY track_id) AS own_label,
        first_value(track_name) OVER (
            PARTITION BY track_id ORDER BY is_of_chart, first_day, track_name, artist_names
        ) AS first_name,
        first_value(artist_names) OVER (
            PARTITION BY track_id ORDER BY is_of_chart, first_day, track_name, artist_names
        ) AS first_artists
    FROM titled
),

numbered AS (
    SELECT
        *,
        sum(is_apart) OVER (PARTITION BY title, credit ORDER BY duration_ms) AS length_number
    FROM measured
),

keyed AS (
    SELECT
        n.track_id,
        k.joined_by,
        k.key,
        n.own_label,
        n.first_name,
        n.first_artists,
        max(n.isrc) AS isrc
    FROM numbered AS n
    CROSS JOIN UNNEST(
        ARRAY['linked_from', 'linked_from', 'isrc', 'title+artists+length'],
        ARRAY[
            'id ' || n.track_id,
            'id ' || n.linked_from_id,
            'isrc ' || n.isrc,
            CASE
                WHEN n.duration_ms IS NOT NULL
                    THEN 'title ' || CAST(n.length_number AS varchar) || ' ' || n.credit || ' ' || n.title
            END
        ]
    ) AS k (joined_by, key)
    WHERE k.key IS NOT NULL
    GROUP BY 1, 2, 3, 4, 5, 6
),

linked AS (
    SELECT track_id, first_name, first_artists, isrc, own_label, own_label AS label, key, CASE WHEN is_shared THEN joined_by END AS joined_by
    FROM (
        SELECT *, min(track_id) OVER (PARTITION BY key) <> max(track_id) OVER (PARTITION BY key) AS is_shared
        FROM keyed
    )
    WHERE is_shared OR key = 'id ' || track_id
),

keys_1 AS (SELECT track_id, first_name, first_artists, isrc, own_label, joined_by, key, min(label) OVER (PARTITION BY key) AS label FROM linked),
ids_1 AS (SELECT track_id, first_name, first_artists, isrc, own_label, joined_by, key, min(label) OVER (PARTITION BY track_id) AS label FROM keys_1),
keys_2 AS (SELECT track_id, first_name, first_artists, isrc, own_label, joined_by, key, min(label) OVER (PARTITION BY key) AS label FROM ids_1),
ids_2 AS (SELECT track_id, first_name, first_artists, isrc, own_label, joined_by, key, min(label) OVER (PARTITION BY track_id) AS label FROM keys_2),
keys_3 AS (SELECT track_id, first_name, first_artists, isrc, own_label, joined_by, key, min(label) OVER (PARTITION BY key) AS label FROM ids_2),
ids_3 AS (SELECT track_id, first_name, first_artists, isrc, own_label, joined_by, key, min(label) OVER (PARTITION BY track_id) AS label FROM keys_3),
keys_4 AS (SELECT track_id, first_name, first_artists, isrc, own_label, joined_by, key, min(label) OVER (PARTITION BY key) AS label FROM ids_3),
ids_4 AS (SELECT track_id, first_name, first_artists, isrc, own_label, joined_by, key, min(label) OVER (PARTITION BY track_id) AS label FROM keys_4),
keys_5 AS (SELECT track_id, first_name, first_artists, isrc, own_label, joined_by, key, min(label) OVER (PARTITION BY key) AS label FROM ids_4),
ids_5 AS (SELECT track_id, first_name, first_artists, isrc, own_label, joined_by, key, min(label) OVER (PARTITION BY track_id) AS label FROM keys_5),
keys_6 AS (SELECT track_id, first_name, first_artists, isrc, own_label, joined_by, key, min(label) OVER (PARTITION BY key) AS label FROM ids_5),
ids_6 AS (SELECT track_id, first_name, first_artists, isrc, own_label, joined_by, key, min(label) OVER (PARTITION BY track_id) AS label FROM keys_6),

recorded AS (
    SELECT track_id, own_label, first_name, first_artists, label, max(isrc) AS isrc, min(joined_by) AS joined_by
    FROM ids_6
    GROUP BY track_id, own_label, first_name, first_artists, label
)

SELECT
    track_id,
    substr(label, 12) AS recording_id,
    first_value(first_name) OVER (PARTITION BY label ORDER BY own_label) AS recording_name,
    first_value(first_artists) OVER (PARTITION BY label ORDER BY own_label) AS recording_artists,
    isrc,
    CASE WHEN label = own_label THEN 'same id' ELSE joined_by END AS joined_by
FROM recorded
