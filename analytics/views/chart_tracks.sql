-- The positions of charts with the artist, album and sound of their tracks, as far as some playlist showed them.
-- Row: a position of a chart. What is not of the chart is what the last snapshot of any playlist told of the same Spotify
-- id, of those with a sound if there are any; NULL where no playlist had it. label is the chart's, or else the album's.
-- A condition on snapshot_on reads only those days of charts; the rest is read of all days.
-- Columns: snapshot_on date, playlist_id varchar, playlist_name varchar, position bigint, track_id varchar,
--   track_name varchar, artists varchar, label varchar, metric_name varchar, metric_value bigint, run_id varchar,
--   known_on date, artist_id varchar, artist_name varchar, primary_genre varchar, album_id varchar, album_name varchar,
--   album_type varchar, album_release_on date, album_release_year bigint, album_release_precision varchar, duration_ms
--   bigint, explicit boolean, danceability double, energy double, key bigint, loudness_db double, mode bigint,
--   speechiness double, acousticness double, instrumentalness double, liveness double, valence double, tempo_bpm
--   double, time_signature bigint, feature_source varchar
SELECT
    c.snapshot_on,
    c.playlist_id,
    c.playlist_name,
    c.position,
    c.track_id,
    c.track_name,
    c.artists,
    coalesce(c.label, t.label) AS label,
    c.metric_name,
    c.metric_value,
    c.run_id,
    t.snapshot_on AS known_on,
    t.artist_id,
    t.artist_name,
    t.primary_genre,
    t.album_id,
    t.album_name,
    t.album_type,
    t.album_release_on,
    t.album_release_year,
    t.album_release_precision,
    t.duration_ms,
    t.explicit,
    t.danceability,
    t.energy,
    t.key,
    t.loudness_db,
    t.mode,
    t.speechiness,
    t.acousticness,
    t.instrumentalness,
    t.liveness,
    t.valence,
    t.tempo_bpm,
    t.time_signature,
    t.feature_source
FROM chart_positions AS c
LEFT JOIN (
    SELECT
        *,
        row_number() OVER (
            PARTITION BY track_id ORDER BY feature_source IS NULL, snapshot_on DESC, playlist_id, position
        ) AS place
    FROM spotify_tracks
) AS t ON t.track_id = c.track_id AND t.place = 1
