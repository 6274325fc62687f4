-- Each snapshot of a playlist as a list of recordings.
-- Row: a recording of a snapshot at its best position, with the track_id that stands there. Files of the owner's and
-- removed tracks, which have no id, are left out. artists names all who are credited, artist_id and artist_name are the
-- first. whole is false where Spotify gave fewer entries than it counts. complete is true where each entry of a whole
-- snapshot is known, too: where one is null, rejected or without its id, a track that is absent may be just that one.
-- in_chart: the snapshot is the chart of its week, the last complete one, or the last one if none is complete.
-- popularity is NULL where a 0 can be no measure. A condition on week, the Monday, or on snapshot_on reads only those
-- days; but for recordings, which songs of all days tell.
-- Columns: playlist_id varchar, playlist_name varchar, week date, snapshot_on date, whole boolean, complete boolean,
--   in_chart boolean, position bigint, recording_id varchar, track_id varchar, track_name varchar, artists varchar,
--   artist_id varchar, artist_name varchar, artist_ids varchar, artist_names varchar, popularity bigint, run_id varchar
SELECT
    playlist_id,
    playlist_name,
    week,
    snapshot_on,
    whole,
    complete,
    in_chart,
    position,
    recording_id,
    track_id,
    track_name,
    coalesce(array_join(CAST(json_parse(artist_names) AS array(varchar)), ', '), artist_name) AS artists,
    artist_id,
    artist_name,
    artist_ids,
    artist_names,
    CASE WHEN coalesce(popularity_measured, true) THEN popularity END AS popularity,
    run_id
FROM (
    SELECT
        list.playlist_id,
        list.playlist_name,
        list.week,
        list.snapshot_on,
        list.whole,
        list.whole AND list.unknown = 0 AND entry.known >= list.track_entries AS complete,
        list.choice = 1 AS in_chart,
        entry.position,
        recording.recording_id,
        entry.track_id,
        entry.track_name,
        entry.artist_id,
        entry.artist_name,
        entry.artist_ids,
        entry.artist_names,
        entry.popularity,
        entry.popularity_measured,
        entry.run_id,
        row_number() OVER (
            PARTITION BY list.playlist_id, list.week, list.snapshot_on, recording.recording_id ORDER BY entry.position
        ) AS repetition
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
    ) AS list
    JOIN (
        SELECT
            *,
            sum(CASE WHEN track_id IS NOT NULL OR is_local THEN 1 ELSE 0 END) OVER (
                PARTITION BY playlist_id, week, snapshot_on
            ) AS known
        FROM (
            SELECT
                *,
                try_cast(concat(year, '-', month, '-', day) AS date) AS snapshot_on,
                date_trunc('week', try_cast(concat(year, '-', month, '-', day) AS date)) AS week
            FROM songs
        )
    ) AS entry
        ON entry.playlist_id = list.playlist_id AND entry.week = list.week AND entry.snapshot_on = list.snapshot_on
    JOIN recordings AS recording ON recording.track_id = entry.track_id
)
WHERE repetition = 1
