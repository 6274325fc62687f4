-- Each snapshot of a list, playlist or chart, as a list of recordings, with what all earlier ones tell of them.
-- Row: a row of snapshot_entries. first_on is the first snapshot with the recording; was_there_first: the list had it
-- when it was first seen, so that nobody knows since when (where its first snapshot is not complete, the second shows
-- the rest). days_listed counts the snapshots with it, peak is its best position in any of them, first reached on
-- peak_on: all three to the end of the week; peak_before is that to the end of the week before, NULL if it is the first.
-- Reads all days, for any of them may be a recording's first.
-- Columns: kind varchar, source varchar, playlist_id varchar, playlist_name varchar, region varchar, frequency
--   varchar, period_start date, period_end date, week date, snapshot_on date, complete boolean, in_chart boolean,
--   position bigint, metric_name varchar, metric_value bigint, first_on date, was_there_first boolean, days_listed
--   bigint, peak bigint, peak_before bigint, peak_on date, label varchar, source_previous_position bigint,
--   source_peak_position bigint, source_weeks_on_chart bigint, source_days_on_chart bigint, recording_id varchar,
--   track_id varchar, track_name varchar, artists varchar, artist_id varchar, artist_name varchar, artist_ids varchar,
--   artist_names varchar, popularity bigint, run_id varchar
WITH listed AS (
    SELECT
        *,
        dense_rank() OVER (PARTITION BY playlist_id ORDER BY snapshot_on) AS snapshot_number,
        min(position) OVER (
            PARTITION BY playlist_id, recording_id ORDER BY snapshot_on
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ) AS best_before
    FROM snapshot_entries
)

SELECT
    kind,
    source,
    playlist_id,
    playlist_name,
    region,
    frequency,
    period_start,
    period_end,
    week,
    snapshot_on,
    complete,
    in_chart,
    position,
    metric_name,
    metric_value,
    min(snapshot_on) OVER (PARTITION BY playlist_id, recording_id) AS first_on,
    min(snapshot_number) OVER (PARTITION BY playlist_id, recording_id) <= CASE
        WHEN bool_and(complete OR snapshot_number > 1) OVER (PARTITION BY playlist_id) THEN 1
        ELSE 2
    END AS was_there_first,
    count(*) OVER (PARTITION BY playlist_id, recording_id ORDER BY week) AS days_listed,
    min(position) OVER (PARTITION BY playlist_id, recording_id ORDER BY week) AS peak,
    min(position) OVER (
        PARTITION BY playlist_id, recording_id ORDER BY week GROUPS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    ) AS peak_before,
    max(CASE WHEN position < coalesce(best_before, position + 1) THEN snapshot_on END) OVER (
        PARTITION BY playlist_id, recording_id ORDER BY week
    ) AS peak_on,
    label,
    source_previous_position,
    source_peak_position,
    source_weeks_on_chart,
    source_days_on_chart,
    recording_id,
    track_id,
    track_name,
    artists,
    artist_id,
    artist_name,
    artist_ids,
    artist_names,
    popularity,
    run_id
FROM listed
