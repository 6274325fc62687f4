-- Which recordings the watch list watches, and by which of its entries: `earworm watch` edits it.
-- Row: a recording and an entry that watches it, by what its ids are called: track, an id (recordings leads from it to
-- the recording's others); isrc, an ISRC of one of them; artist, an id or the name of anybody who is credited; label, a
-- label of its albums or charts, one of those between slashes, or the group that label_groups has it in.
-- Names are the same under another case, width, accent (as recordings has it), quotation mark, dash or blank. Artists
-- may join names by other signs, too: `Florence + The Machine` is `Florence and the Machine`. A chart credits all
-- artists in one text: of an id that no playlist had, an artist is watched who stands in it between commas, semicolons,
-- `/`, `&`, `+`, `and`, `feat.`, `with`, `x` or `vs.`, up to six such parts. What looks like an id of Spotify is
-- compared as it stands, for its case counts. Entries that are the same so are one: watched_value is the first in the
-- alphabet. No watch list, no rows.
-- Reads songs, albums and charts of all days.
-- Columns: recording_id varchar, watched_type varchar, watched_value varchar, watched_note varchar
WITH albums_of_all_days AS (
    SELECT album_id, label
    FROM albums
    WHERE label IS NOT NULL
    GROUP BY album_id, label
),

seen AS (
    SELECT track_id, album_id, isrc, artist_ids, artist_names
    FROM songs
    WHERE track_id IS NOT NULL
    GROUP BY track_id, album_id, isrc, artist_ids, artist_names
),

ranked AS (
    SELECT c.track_id, c.artists, c.label, c.isrcs, bool_or(s.track_id IS NULL) AS is_of_charts_alone
    FROM chart_positions AS c
    LEFT JOIN seen AS s ON s.track_id = c.track_id
    WHERE c.track_id IS NOT NULL
    GROUP BY c.track_id, c.artists, c.label, c.isrcs
),

labelled AS (
    SELECT s.track_id, a.label
    FROM seen AS s
    JOIN albums_of_all_days AS a ON a.album_id = s.album_id
    UNION ALL
    SELECT track_id, label
    FROM ranked
    WHERE label IS NOT NULL
),

called AS (
    SELECT s.track_id, 'artist' AS type, a.name, false AS is_credit
    FROM seen AS s
    CROSS JOIN UNNEST(
        CAST(json_parse(coalesce(s.artist_ids, '[]')) AS array(varchar))
        || CAST(json_parse(coalesce(s.artist_names, '[]')) AS array(varchar))
    ) AS a (name)
    UNION ALL
    SELECT track_id, 'artist' AS type, artists AS name, true AS is_credit
    FROM ranked
    WHERE is_of_charts_alone
    UNION ALL
    SELECT l.track_id, 'label' AS type, n.name, true AS is_credit
    FROM labelled AS l
    LEFT JOIN label_groups AS g ON g.label = lower(trim(l.label))
    CROSS JOIN UNNEST(ARRAY[l.label, g.label_group]) AS n (name)
    UNION ALL
    SELECT track_id, 'isrc' AS type, upper(regexp_replace(isrc, '[^0-9A-Za-z]', '')) AS name, false AS is_credit
    FROM seen
    UNION ALL
    SELECT r.track_id, 'isrc' AS type, i.isrc AS name, false AS is_credit
    FROM ranked AS r
    CROSS JOIN UNNEST(CAST(json_parse(r.isrcs) AS array(varchar))) AS i (isrc)
    UNION ALL
    SELECT track_id, 'track' AS type, track_id AS name, false AS is_credit
    FROM seen
    UNION ALL
    SELECT track_id, 'track' AS type, track_id AS name, false AS is_credit
    FROM ranked
),

spelled AS (
    SELECT
        *,
        trim(regexp_replace(
            lower(regexp_replace(
                normalize(translate(name, '‘’‚ʼ′`´“”„″«»‐‑‒–—', '''''''''''''''""""""-----'), NFKD),
                '([\p{Latin}\p{Greek}\p{Cyrillic}\p{Arabic}\p{Hebrew}])\p{Mn}+', '$1'
            )),
            '\s+', ' '
        )) AS spelling
    FROM (
        SELECT track_id, type, name, is_credit, CAST(NULL AS varchar) AS value, CAST(NULL AS varchar) AS note
        FROM called
        WHERE name IS NOT NULL
        UNION ALL
        SELECT CAST(NULL AS varchar) AS track_id, type, value AS name, false AS is_credit, value, nullif(note, '') AS note
        FROM watchlist
        WHERE value IS NOT NULL
    )
),

parted AS (
    SELECT
        *,
        CASE
            WHEN regexp_like(name, '^[0-9A-Za-z]{22}$') THEN ARRAY[name]
            WHEN type = 'artist'
                THEN split(
                    regexp_replace(
                        spelling, '\s*[,;/&+]\s*|\s+(?:and|feat\.?|featuring|ft\.?|with|x|vs\.?)\s+', ', '
                    ),
                    ', '
                )
            WHEN type = 'label' THEN split(regexp_replace(spelling, '\s*/\s*', '/'), '/')
            ELSE ARRAY[spelling]
        END AS parts
    FROM spelled
),

keyed AS (
    SELECT
        p.track_id,
        p.type,
        p.value,
        p.note,
        array_join(slice(p.parts, f.first_part, l.last_part - f.first_part + 1), ', ') AS key
    FROM parted AS p
    CROSS JOIN UNNEST(sequence(1, cardinality(p.parts))) AS f (first_part)
    CROSS JOIN UNNEST(sequence(1, cardinality(p.parts))) AS l (last_part)
    WHERE (p.is_credit AND l.last_part BETWEEN f.first_part AND f.first_part + 5)
        OR (f.first_part = 1 AND l.last_part = cardinality(p.parts))
),

watched AS (
    SELECT
        track_id,
        type,
        min(value) OVER (PARTITION BY type, key) AS watched_value,
        min(note) OVER (PARTITION BY type, key) AS watched_note
    FROM keyed
    WHERE key <> ''
)

SELECT
    r.recording_id,
    w.type AS watched_type,
    w.watched_value,
    min(w.watched_note) AS watched_note
FROM watched AS w
JOIN recordings AS r ON r.track_id = w.track_id
WHERE w.watched_value IS NOT NULL
GROUP BY r.recording_id, w.type, w.watched_value
