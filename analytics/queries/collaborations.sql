-- Which artists appear together?
-- Row: two artists of the same tracks, with how many entries, tracks and playlists they share.
-- Scans: song_artists of the days asked for, twice.
-- from (date, default 26 weeks before to): first day
-- to (date, default today): last day
SELECT
    max_by(a.artist_name, a.snapshot_on) AS artist_name,
    max_by(b.artist_name, b.snapshot_on) AS other_artist_name,
    count(*) AS entries,
    count(DISTINCT a.track_id) AS tracks,
    count(DISTINCT a.playlist_id) AS playlists,
    min(a.position) AS best_position
FROM song_artists AS a
JOIN song_artists AS b
    ON b.snapshot_on = a.snapshot_on AND b.playlist_id = a.playlist_id AND b.position = a.position
WHERE a.snapshot_on BETWEEN date(? /* from */) AND date(? /* to */) AND a.artist_id < b.artist_id
GROUP BY a.artist_id, b.artist_id
ORDER BY entries DESC, best_position, artist_name, other_artist_name
