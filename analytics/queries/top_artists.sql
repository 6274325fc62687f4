-- Which artists were the most popular?
-- Row: an artist, by the average popularity of the entries that credit them, and on how many entries, recordings and days
-- that rests. Entries whose popularity is unknown or a 0 that measures nothing do not count. An average of few says
-- little: at least two recordings and ten entries are asked for; --recordings 1 --entries 1 --credits first is the plain
-- average of first artists.
-- Scans: song_artists of the days asked for; songs of all days, for the recordings.
-- from (date, default 26 weeks before to): first day
-- to (date, default today): last day
-- playlist (text, default all): its name or its id
-- credits (text, default all): all, or first for the entries' first artists alone
-- recordings (integer, default 2): least number of recordings
-- entries (integer, default 10): least number of entries
-- limit (integer, default 10): most rows
SELECT artist_name, average_popularity, entries, recordings, days
FROM (
    SELECT *, row_number() OVER (ORDER BY average_popularity DESC, entries DESC, artist_name, artist_id) AS place
    FROM (
        SELECT
            s.artist_id,
            max_by(s.artist_name, s.snapshot_on) AS artist_name,
            round(avg(s.popularity), 2) AS average_popularity,
            count(*) AS entries,
            count(DISTINCT r.recording_id) AS recordings,
            count(DISTINCT s.snapshot_on) AS days
        FROM song_artists AS s
        JOIN recordings AS r ON r.track_id = s.track_id
        JOIN (
            SELECT try_cast(concat(year, '-', month, '-', day) AS date) AS snapshot_on, playlist_id, playlist_name
            FROM playlist_metadata
        ) AS p
            ON p.snapshot_on = s.snapshot_on AND p.playlist_id = s.playlist_id
        WHERE s.popularity IS NOT NULL
            AND s.artist_id IS NOT NULL
            AND s.snapshot_on BETWEEN date(? /* from */) AND date(? /* to */)
            AND ? /* playlist */ IN ('all', p.playlist_id, p.playlist_name)
            AND ? /* credits */ IN ('all', CASE WHEN s.artist_place = 1 THEN 'first' END)
        GROUP BY s.artist_id
    )
    WHERE recordings >= ? /* recordings */ AND entries >= ? /* entries */
)
WHERE place <= ? /* limit */
ORDER BY place
