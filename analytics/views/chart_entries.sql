-- One chart for each playlist and week: the week's last complete snapshot, or its last one if none is complete.
-- Row: a track of a chart at its best position. Files of the owner's and removed tracks, which have no id, are left out.
-- whole is false where Spotify gave fewer entries than it counts. complete is true where each entry of a whole chart is
-- known, too: where one is null, rejected or without its id, a track that is absent may be just that one.
-- popularity is NULL where a 0 can be no measure. A condition on week, the Monday, reads only those weeks.
-- Columns: playlist_id varchar, playlist_name varchar, week date, snapshot_on date, whole boolean, complete boolean,
--   position bigint, track_id varchar, track_name varchar, artist_id varchar, artist_name varchar, artist_ids varchar,
--   artist_names varchar, popularity bigint, run_id varchar
SELECT
    chart.playlist_id,
    chart.playlist_name,
    chart.week,
    chart.snapshot_on,
    chart.whole,
    chart.whole AND chart.unknown = 0 AND entry.known >= chart.track_entries AS complete,
    entry.position,
    entry.track_id,
    entry.track_name,
    entry.artist_id,
    entry.artist_name,
    entry.artist_ids,
    entry.artist_names,
    CASE WHEN coalesce(entry.popularity_measured, true) THEN entry.popularity END AS popularity,
    entry.run_id
FROM (
    SELECT
        *,
        row_number() OVER (
            PARTITION BY playlist_id, week ORDER BY whole DESC, unknown > 0, snapshot_on DESC
        ) AS choice
    FROM (
        SELECT
            playlist_id,
            playlist_name,
            track_entries,
            outcome = 'ok' AND coalesce(unexplained_entries, 0) = 0 AS whole,
            coalesce(null_entries, 0) + coalesce(unknown_entries, 0) + coalesce(rejected_entries, 0) AS unknown,
            try_cast(concat(year, '-', month, '-', day) AS date) AS snapshot_on,
            date_trunc('week', try_cast(concat(year, '-', month, '-', day) AS date)) AS week
        FROM playlist_metadata
        WHERE track_entries > 0
    )
) AS chart
JOIN (
    SELECT
        *,
        sum(CASE WHEN track_id IS NOT NULL OR is_local THEN 1 ELSE 0 END) OVER (
            PARTITION BY playlist_id, week, snapshot_on
        ) AS known,
        row_number() OVER (PARTITION BY playlist_id, week, snapshot_on, track_id ORDER BY position) AS repetition
    FROM (
        SELECT
            *,
            try_cast(concat(year, '-', month, '-', day) AS date) AS snapshot_on,
            date_trunc('week', try_cast(concat(year, '-', month, '-', day) AS date)) AS week
        FROM songs
    )
) AS entry
    ON entry.playlist_id = chart.playlist_id AND entry.week = chart.week AND entry.snapshot_on = chart.snapshot_on
WHERE chart.choice = 1 AND entry.repetition = 1 AND entry.track_id IS NOT NULL
