-- Which genres trend, month by month?
-- Row: a month and a genre, with its share of the month's entries. An entry has the primary genre of its first artist;
-- genre is NULL where Spotify tells none.
-- Scans: spotify_tracks of the days asked for.
-- from (date, default 26 weeks before to): first day
-- to (date, default today): last day
SELECT
    month,
    genre,
    entries,
    round(1e2 * entries / sum(entries) OVER (PARTITION BY month), 1) AS share_percent
FROM (
    SELECT date_trunc('month', snapshot_on) AS month, primary_genre AS genre, count(*) AS entries
    FROM spotify_tracks
    WHERE snapshot_on BETWEEN date(? /* from */) AND date(? /* to */)
    GROUP BY 1, 2
)
ORDER BY month, entries DESC, genre
