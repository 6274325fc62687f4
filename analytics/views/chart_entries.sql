-- One chart for each playlist and week: the week's last complete snapshot, or its last one if none is complete.
-- Row: a track of a chart at its best position. Files of the owner's and removed tracks, which have no id, are left out.
-- complete is false where Spotify gave fewer entries than it counts: a track that is absent there may be on the list.
-- A condition on week, the Monday, reads only those weeks.
-- Columns: playlist_id varchar, playlist_name varchar, week date, snapshot_on date, complete boolean, position bigint,
--   track_id varchar, track_name varchar, artist_id varchar, artist_name varchar, artist_ids varchar, artist_names
--   varchar, popularity bigint, run_id varchar
SELECT
    chart.playlist_id,
    chart.playlist_name,
    chart.week,
    chart.snapshot_on,
    chart.complete,
    entry.position,
    entry.track_id,
    entry.track_name,
    entry.artist_id,
    entry.artist_name,
    entry.artist_ids,
    entry.artist_names,
    entry.popularity,
    entry.run_id
FROM (
    SELECT
        *,
        row_number() OVER (PARTITION BY playlist_id, week ORDER BY complete DESC, snapshot_on DESC) AS choice
    FROM (
        SELECT
            playlist_id,
            playlist_name,
            outcome = 'ok' AS complete,
            try_cast(concat(year, '-', month, '-', day) AS date) AS snapshot_on,
            date_trunc('week', try_cast(concat(year, '-', month, '-', day) AS date)) AS week
        FROM playlist_metadata
        WHERE track_entries > 0
    )
) AS chart
JOIN (
    SELECT
        *,
        row_number() OVER (PARTITION BY playlist_id, week, snapshot_on, track_id ORDER BY position) AS repetition
    FROM (
        SELECT
            *,
            try_cast(concat(year, '-', month, '-', day) AS date) AS snapshot_on,
            date_trunc('week', try_cast(concat(year, '-', month, '-', day) AS date)) AS week
        FROM songs
        WHERE track_id IS NOT NULL
    )
) AS entry
    ON entry.playlist_id = chart.playlist_id AND entry.week = chart.week AND entry.snapshot_on = chart.snapshot_on
WHERE chart.choice = 1 AND entry.repetition = 1
