-- How complete and how fresh is the data?
-- Row: a playlist, with its snapshots, the weeks without any between its first and last one, those that are partial or
-- hold no entries, and the average share of what Spotify told: features, popularity, genres.
-- Scans: playlist_metadata of the days asked for.
-- from (date, default 26 weeks before to): first day
-- to (date, default today): last day
-- playlist (text, default all): its name or its id
SELECT
    max_by(playlist_name, snapshot_date) AS playlist_name,
    count(*) AS snapshots,
    min(snapshot_date) AS first_day,
    max(snapshot_date) AS last_day,
    max_by(run_id, snapshot_date) AS last_run_id,
    date_diff('day', date(max(snapshot_date)), date(? /* to */)) AS days_old,
    date_diff('week', date_trunc('week', min(date(snapshot_date))), date_trunc('week', max(date(snapshot_date)))) + 1
        - count(DISTINCT date_trunc('week', date(snapshot_date))) AS weeks_missing,
    count_if(outcome = 'partial') AS partial_snapshots,
    count_if(outcome = 'metadata_only') AS snapshots_without_entries,
    round(1e2 * avg(features_coverage), 1) AS features_percent,
    round(1e2 * avg(popularity_coverage), 1) AS popularity_percent,
    round(1e2 * avg(genres_coverage), 1) AS genres_percent,
    playlist_id
FROM playlist_metadata
WHERE concat(year, '-', month, '-', day) BETWEEN ? /* from */ AND ? /* to */
    AND ? /* playlist */ IN ('all', playlist_id, playlist_name)
GROUP BY playlist_id
ORDER BY playlist_name, playlist_id
