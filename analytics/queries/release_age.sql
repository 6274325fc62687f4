-- How old is what trends?
-- Row: a month, with the average age of the entries of its weekly charts (one a week of each playlist) in days since the
-- album's release, and how many percent are younger than four weeks, half a year and a year. An entry counts if the day
-- of its release is known; other_entries are of a year or a month alone, or unknown.
-- Charts do not count, for their sources tell no releases.
-- Scans: chart_entries and spotify_tracks of the weeks asked for; songs of all days, for the recordings.
-- from (date, default 26 weeks before to): first Monday
-- to (date, default today): last Monday
-- playlist (text, default all): its name or its id
SELECT
    month,
    count(age) AS entries,
    round(avg(age), 1) AS average_days,
    round(1e2 * count_if(age < 28) / nullif(count(age), 0), 1) AS under_4_weeks_percent,
    round(1e2 * count_if(age < 182) / nullif(count(age), 0), 1) AS under_26_weeks_percent,
    round(1e2 * count_if(age < 364) / nullif(count(age), 0), 1) AS under_52_weeks_percent,
    count_if(age IS NULL) AS other_entries
FROM (
    SELECT
        date_trunc('month', e.snapshot_on) AS month,
        CASE
            WHEN t.album_release_precision = 'day' THEN date_diff('day', t.album_release_on, e.snapshot_on)
        END AS age
    FROM chart_entries AS e
    JOIN spotify_tracks AS t
        ON t.snapshot_on = e.snapshot_on AND t.playlist_id = e.playlist_id AND t.position = e.position
    WHERE e.week BETWEEN date(? /* from */) AND date(? /* to */)
        AND date_trunc('week', t.snapshot_on) BETWEEN date(? /* from */) AND date(? /* to */)
        AND ? /* playlist */ IN ('all', e.playlist_id, e.playlist_name)
)
GROUP BY month
ORDER BY month
