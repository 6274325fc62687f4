-- How old is what trends?
-- Row: a month, with the average age of its entries in days since the album's release, and how many percent are younger
-- than four weeks, half a year and a year. Entries of unknown release do not count.
-- Scans: spotify_tracks of the days asked for.
-- from (date, default 26 weeks before to): first day
-- to (date, default today): last day
SELECT
    month,
    count(*) AS entries,
    round(avg(age), 1) AS average_days,
    round(1e2 * count_if(age < 28) / count(*), 1) AS under_4_weeks_percent,
    round(1e2 * count_if(age < 182) / count(*), 1) AS under_26_weeks_percent,
    round(1e2 * count_if(age < 364) / count(*), 1) AS under_52_weeks_percent
FROM (
    SELECT date_trunc('month', snapshot_on) AS month, date_diff('day', album_release_on, snapshot_on) AS age
    FROM spotify_tracks
    WHERE snapshot_on BETWEEN date(? /* from */) AND date(? /* to */) AND album_release_on IS NOT NULL
)
GROUP BY month
ORDER BY month
