-- Which labels hold the lists?
-- Row: a label, with its share of the entries, its tracks, best position and average popularity; label is NULL where
-- Spotify tells none.
-- Scans: spotify_tracks of the days asked for.
-- from (date, default 26 weeks before to): first day
-- to (date, default today): last day
SELECT
    label,
    count(*) AS entries,
    round(1e2 * count(*) / sum(count(*)) OVER (), 1) AS share_percent,
    count(DISTINCT track_id) AS tracks,
    count(DISTINCT artist_id) AS artists,
    min(position) AS best_position,
    round(avg(popularity), 1) AS average_popularity
FROM spotify_tracks
WHERE snapshot_on BETWEEN date(? /* from */) AND date(? /* to */)
GROUP BY label
ORDER BY entries DESC, label
