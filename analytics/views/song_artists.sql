-- The songs with each of their artists.
-- Row: an artist of an entry of a playlist; artist_place 1 is the first artist.
-- A condition on snapshot_on reads only those days.
-- Columns: snapshot_on date, playlist_id varchar, position bigint, track_id varchar, track_name varchar, artist_place
--   bigint, artist_id varchar, artist_name varchar, popularity bigint
SELECT
    try_cast(concat(s.year, '-', s.month, '-', s.day) AS date) AS snapshot_on,
    s.playlist_id,
    s.position,
    s.track_id,
    s.track_name,
    a.artist_place,
    a.artist_id,
    a.artist_name,
    CASE WHEN coalesce(s.popularity_measured, true) THEN s.popularity END AS popularity
FROM songs AS s
CROSS JOIN UNNEST(
    CAST(json_parse(s.artist_ids) AS array(varchar)),
    CAST(json_parse(s.artist_names) AS array(varchar))
) WITH ORDINALITY AS a (artist_id, artist_name, artist_place)
