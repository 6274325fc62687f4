-- Which artists were the most popular?
-- Row: an artist, by the average popularity of the artist's entries as first artist, and on how many entries, tracks
-- and days that rests. Entries whose popularity is unknown or a 0 that measures nothing do not count.
-- Scans: songs of the days asked for.
-- from (date, default 26 weeks before to): first day
-- to (date, default today): last day
SELECT
    max_by(artist_name, snapshot_date) AS artist_name,
    round(avg(popularity), 2) AS average_popularity,
    count(*) AS entries,
    count(DISTINCT track_id) AS tracks,
    count(DISTINCT snapshot_date) AS days
FROM songs
WHERE popularity IS NOT NULL
    AND coalesce(popularity_measured, true)
    AND artist_id IS NOT NULL
    AND concat(year, '-', month, '-', day) BETWEEN ? /* from */ AND ? /* to */
GROUP BY artist_id
ORDER BY average_popularity DESC, entries DESC, artist_name, artist_id
LIMIT 10
