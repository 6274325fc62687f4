-- The songs with their album, first artist, sound and playlist, and the day as a real date.
-- Row: an entry of a playlist that is a track. What Spotify did not tell is NULL, and
-- so is a popularity of 0 that can be no measure: of a track that does not play or is two weeks old at most.
-- A condition on snapshot_on reads only those days.
-- Columns: snapshot_on date, playlist_id varchar, playlist_name varchar, position bigint, track_id varchar,
--   linked_from_id varchar, isrc varchar, track_name varchar, artist_id varchar, artist_name varchar, artist_ids
--   varchar, artist_names varchar, primary_genre varchar, genres varchar, artist_popularity bigint, artist_followers
--   bigint, album_id varchar, album_name varchar, album_type varchar, album_release_on date, album_release_year bigint,
--   album_release_precision varchar, label varchar, popularity bigint, duration_ms bigint, duration_min double, explicit boolean, is_playable boolean,
--   danceability double, energy double, key bigint, loudness_db double, mode bigint, speechiness double, acousticness
--   double, instrumentalness double, liveness double, valence double, tempo_bpm double, time_signature bigint,
--   feature_source varchar, added_at timestamp, track_url varchar, run_id varchar, outcome varchar
SELECT
    try_cast(concat(s.year, '-', s.month, '-', s.day) AS date) AS snapshot_on,
    s.playlist_id,
    p.playlist_name,
    s.position,
    s.track_id,
    s.linked_from_id,
    s.isrc,
    s.track_name,
    s.artist_id,
    s.artist_name,
    s.artist_ids,
    s.artist_names,
    a.primary_genre,
    a.genres,
    a.popularity AS artist_popularity,
    a.followers AS artist_followers,
    s.album_id,
    s.album_name,
    b.album_type,
    b.release_on AS album_release_on,
    b.release_year AS album_release_year,
    b.release_date_precision AS album_release_precision,
    b.label,
    CASE WHEN coalesce(s.popularity_measured, true) THEN s.popularity END AS popularity,
    s.duration_ms,
    s.duration_min,
    s.explicit,
    s.is_playable,
    f.danceability,
    f.energy,
    f.key,
    f.loudness_db,
    f.mode,
    f.speechiness,
    f.acousticness,
    f.instrumentalness,
    f.liveness,
    f.valence,
    f.tempo_bpm,
    f.time_signature,
    f.feature_source,
    s.added_at,
    s.track_url,
    s.run_id,
    p.outcome
FROM songs AS s
LEFT JOIN playlist_metadata AS p
    ON p.year = s.year AND p.month = s.month AND p.day = s.day
    AND p.playlist_id = s.playlist_id
LEFT JOIN albums AS b
    ON b.year = s.year AND b.month = s.month AND b.day = s.day
    AND b.playlist_id = s.playlist_id AND b.album_id = s.album_id
LEFT JOIN artists AS a
    ON a.year = s.year AND a.month = s.month AND a.day = s.day
    AND a.playlist_id = s.playlist_id AND a.artist_id = s.artist_id
LEFT JOIN track_features AS f
    ON f.year = s.year AND f.month = s.month AND f.day = s.day
    AND f.playlist_id = s.playlist_id AND f.track_id = s.track_id
