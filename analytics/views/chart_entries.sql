-- One chart for each playlist and week: the week's last complete snapshot, or its last one if none is complete.
-- Row: a recording of a chart at its best position; the columns are those of snapshot_entries.
-- A condition on week, the Monday, reads only those weeks; but for recordings, which songs of all days tell.
-- Columns: playlist_id varchar, playlist_name varchar, week date, snapshot_on date, whole boolean, complete boolean,
--   position bigint, recording_id varchar, track_id varchar, track_name varchar, artists varchar, artist_id varchar,
--   artist_name varchar, artist_ids varchar, artist_names varchar, popularity bigint, run_id varchar
SELECT
    playlist_id,
    playlist_name,
    week,
    snapshot_on,
    whole,
    complete,
    position,
    recording_id,
    track_id,
    track_name,
    artists,
    artist_id,
    artist_name,
    artist_ids,
    artist_names,
    popularity,
    run_id
FROM snapshot_entries
WHERE in_chart
