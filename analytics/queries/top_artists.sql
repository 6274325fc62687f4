-- Which artists were the most popular over the last six months?
-- A row is an artist: the average popularity of the artist's entries in the trending playlists, and how many
-- entries, tracks and weeks that rests on. Entries whose popularity Spotify did not tell do not count.
-- Scans the songs of the last six months, by partition.
SELECT
    artist_name,
    round(avg(popularity), 2) AS average_popularity,
    count(*) AS entries,
    count(DISTINCT track_id) AS tracks,
    count(DISTINCT snapshot_date) AS weeks
FROM songs
WHERE popularity IS NOT NULL
  AND artist_id IS NOT NULL
  AND date(snapshot_date) >= date_add('month', -6, current_date)
  AND concat(year, '-', month) >= date_format(date_add('month', -6, current_date), '%Y-%m')
GROUP BY artist_id, artist_name
ORDER BY average_popularity DESC, entries DESC, artist_name
LIMIT 10
