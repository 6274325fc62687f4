-- How complete are the charts, and how much is known of what they list?
-- Row: a chart, with how many there are of it, the weeks without any between its first and last one, those that leave ranks
-- out and how many ranks these are, and the share of positions with a number, a label, and a track that some playlist
-- showed, with genre and sound; the rest of these is NULL in every view.
-- Scans: charts of the days asked for; songs, albums, artists and track_features of all days, for what is known.
-- from (date, default 26 weeks before to): first last day of a chart
-- to (date, default today): last one
-- playlist (text, default all): name or id of the chart
SELECT
    max_by(playlist_name, snapshot_on) AS playlist_name,
    count(*) AS charts,
    min(snapshot_on) AS first_day,
    max(snapshot_on) AS last_day,
    max_by(run_id, snapshot_on) AS last_run_id,
    date_diff('day', max(snapshot_on), date(? /* to */)) AS days_old,
    date_diff('week', date_trunc('week', min(snapshot_on)), date_trunc('week', max(snapshot_on))) + 1
        - count(DISTINCT date_trunc('week', snapshot_on)) AS weeks_missing,
    count_if(last_rank > entries) AS incomplete_charts,
    sum(last_rank - entries) AS missing_ranks,
    round(1e2 * sum(numbers) / sum(entries), 1) AS metric_percent,
    round(1e2 * sum(labels) / sum(entries), 1) AS label_percent,
    round(1e2 * sum(known) / sum(entries), 1) AS known_percent,
    round(1e2 * sum(genres) / sum(entries), 1) AS genres_percent,
    round(1e2 * sum(sounds) / sum(entries), 1) AS features_percent,
    playlist_id
FROM (
    SELECT
        playlist_id,
        snapshot_on,
        max(playlist_name) AS playlist_name,
        max(run_id) AS run_id,
        max(position) AS last_rank,
        count(*) AS entries,
        count(metric_value) AS numbers,
        count(label) AS labels,
        count(known_on) AS known,
        count(primary_genre) AS genres,
        count(feature_source) AS sounds
    FROM chart_tracks
    WHERE snapshot_on BETWEEN date(? /* from */) AND date(? /* to */)
        AND ? /* playlist */ IN ('all', playlist_id, playlist_name)
    GROUP BY playlist_id, snapshot_on
)
GROUP BY playlist_id
ORDER BY playlist_name, playlist_id
