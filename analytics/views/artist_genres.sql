-- The artists with each of their genres.
-- Row: a genre of an artist of a snapshot; genre_place 1 is the primary genre. An artist without genres has no row.
-- A condition on snapshot_on reads only those days.
-- Columns: snapshot_on date, playlist_id varchar, artist_id varchar, artist_name varchar, genre_place bigint, genre
--   varchar, popularity bigint, followers bigint, tracks_in_playlist bigint, best_position bigint
SELECT
    try_cast(concat(a.year, '-', a.month, '-', a.day) AS date) AS snapshot_on,
    a.playlist_id,
    a.artist_id,
    a.artist_name,
    g.genre_place,
    g.genre,
    a.popularity,
    a.followers,
    a.tracks_in_playlist,
    a.best_position
FROM artists AS a
CROSS JOIN UNNEST(CAST(json_parse(a.genres) AS array(varchar))) WITH ORDINALITY AS g (genre, genre_place)
