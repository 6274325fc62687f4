-- How each recording moved on its list, playlist or chart, week by week, over all that was collected.
-- Row: a recording of a chart of chart_entries, with the track_id that stands there. previous_position is that of the
-- chart before of the same list, movement the places gained since, weeks_since_previous the weeks between: 1 unless some
-- are missing. list_length is the last position of the chart that is known. Positions are the source's, so that a rank
-- that a chart leaves out moves nobody. metric_change is what the chart counts more than in the chart before; NULL where
-- that lacks the recording. What begins with source_ is what the source itself says of these, of all its weeks and not of
-- those in the lake alone.
-- arrival: first chart (listed when the list was first seen, nobody knows since when), debut, return, new version (an
-- id that the list did not have before of a recording that it has), or stay. Where the first snapshot is not
-- complete, the second is the first to show the rest.
-- event is the first of these that holds: first appearance (no list had it in an earlier week, in whichever snapshot, nor
-- in this one when it was first seen), added (no chart of this list had it), re-entered, new version, climbed, fell, peaked
-- (only a new peak: it stands where it stood, or the chart before lacks it). NULL: it just stayed, or the list had it when
-- it was first seen, which is no event. is_new_peak: it was on this list in an earlier chart, and never as high as in this
-- week.
-- weeks_on_list counts the weeks from entry to exit so far, charts_on_list the charts with the recording; days_listed
-- counts the snapshots with it, peak is its best position in any of them, first reached on peak_on, to the week's end, and
-- peak_before that to the end of the week before.
-- entered_on and exited_on bound its stay: exited_on is the chart that shows that it left, NULL while it is listed: the
-- next chart without it if that is complete, or else the one after it, if it is absent from that as well. It did not
-- leave if the next complete chart has it again.
-- Reads all weeks, for any of them may be a recording's first.
-- Columns: kind varchar, source varchar, playlist_id varchar, playlist_name varchar, region varchar, frequency
--   varchar, period_start date, period_end date, week date, snapshot_on date, complete boolean, position bigint,
--   previous_position bigint, movement bigint, weeks_since_previous bigint, list_length bigint, metric_name varchar,
--   metric_value bigint, metric_change bigint, arrival varchar, event varchar, is_new_peak boolean, weeks_on_list
--   bigint, charts_on_list bigint, days_listed bigint, peak bigint, peak_before bigint, peak_on date, entered_on date,
--   exited_on date, label varchar, source_previous_position bigint, source_peak_position bigint, source_weeks_on_chart bigint,
--   source_days_on_chart bigint, recording_id varchar, track_id varchar, track_name varchar, artists varchar,
--   artist_id varchar, artist_name varchar, artist_ids varchar, artist_names varchar, popularity bigint, run_id
--   varchar
WITH charts AS (
    SELECT
        *,
        max(position) OVER (PARTITION BY playlist_id, week) AS list_length,
        dense_rank() OVER (PARTITION BY playlist_id ORDER BY week) AS number,
        min(snapshot_on) OVER (
            PARTITION BY playlist_id ORDER BY week GROUPS BETWEEN 1 FOLLOWING AND 1 FOLLOWING
        ) AS next_on,
        min(snapshot_on) OVER (
            PARTITION BY playlist_id ORDER BY week GROUPS BETWEEN 2 FOLLOWING AND 2 FOLLOWING
        ) AS second_on,
        min(CASE WHEN complete THEN week END) OVER (
            PARTITION BY playlist_id ORDER BY week GROUPS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING
        ) AS next_complete_week
    FROM (SELECT *, min(week) OVER (PARTITION BY recording_id) AS first_week_of_all FROM entry_history)
    WHERE in_chart
),

followed AS (
    SELECT
        *,
        CASE WHEN date_trunc('week', next_on) = next_complete_week THEN number + 1 ELSE number + 2 END AS shown_by,
        CASE WHEN date_trunc('week', next_on) = next_complete_week THEN next_on ELSE second_on END AS shown_on,
        lag(number) OVER (PARTITION BY playlist_id, recording_id ORDER BY week) AS last_number,
        lag(week) OVER (PARTITION BY playlist_id, recording_id ORDER BY week) AS last_week,
        lag(metric_value) OVER (PARTITION BY playlist_id, recording_id ORDER BY week) AS last_metric_value,
        lag(position) OVER (PARTITION BY playlist_id, recording_id ORDER BY week) AS last_position,
        lead(number) OVER (PARTITION BY playlist_id, recording_id ORDER BY week) AS next_number,
        row_number() OVER (PARTITION BY playlist_id, recording_id ORDER BY week) AS charts_on_list,
        min(CASE WHEN complete THEN week END) OVER (
            PARTITION BY playlist_id, recording_id ORDER BY week ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING
        ) AS next_complete_week_listed,
        min(week) OVER (PARTITION BY playlist_id, recording_id, track_id) AS first_week_of_the_id
    FROM charts
),

left_after AS (
    SELECT
        *,
        CASE
            WHEN next_complete_week_listed = next_complete_week THEN NULL
            WHEN next_number <= shown_by THEN NULL
            ELSE shown_on
        END AS left_on
    FROM followed
),

told AS (
    SELECT
        *,
        CASE
            WHEN last_number IS NULL AND was_there_first THEN 'first chart'
            WHEN last_number IS NULL THEN 'debut'
            WHEN lag(left_on) OVER (PARTITION BY playlist_id, recording_id ORDER BY week) IS NOT NULL THEN 'return'
            WHEN week = first_week_of_the_id THEN 'new version'
            ELSE 'stay'
        END AS arrival
    FROM left_after
),

stays AS (
    SELECT
        *,
        sum(CASE WHEN arrival IN ('stay', 'new version') THEN 0 ELSE 1 END) OVER (
            PARTITION BY playlist_id, recording_id ORDER BY week
        ) AS stay,
        sum(CASE WHEN arrival IN ('stay', 'new version') THEN date_diff('week', last_week, week) ELSE 1 END) OVER (
            PARTITION BY playlist_id, recording_id ORDER BY week
        ) AS weeks_on_list,
        bool_or(arrival = 'first chart') OVER (PARTITION BY recording_id ORDER BY week) AS was_on_a_first_chart,
        peak < peak_before AND arrival NOT IN ('first chart', 'debut') AS is_new_peak,
        CASE WHEN last_number = number - 1 THEN last_position - position END AS movement
    FROM told
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
    position,
    CASE WHEN last_number = number - 1 THEN last_position END AS previous_position,
    movement,
    CASE WHEN last_number = number - 1 THEN date_diff('week', last_week, week) END AS weeks_since_previous,
    list_length,
    metric_name,
    metric_value,
    CASE WHEN last_number = number - 1 THEN metric_value - last_metric_value END AS metric_change,
    arrival,
    CASE
        WHEN arrival = 'debut' AND week = first_week_of_all AND NOT was_on_a_first_chart THEN 'first appearance'
        WHEN arrival = 'debut' THEN 'added'
        WHEN arrival = 'return' THEN 're-entered'
        WHEN arrival = 'new version' THEN 'new version'
        WHEN movement > 0 THEN 'climbed'
        WHEN movement < 0 THEN 'fell'
        WHEN is_new_peak THEN 'peaked'
    END AS event,
    is_new_peak,
    weeks_on_list,
    charts_on_list,
    days_listed,
    peak,
    peak_before,
    peak_on,
    min(snapshot_on) OVER (PARTITION BY playlist_id, recording_id, stay) AS entered_on,
    max(left_on) OVER (PARTITION BY playlist_id, recording_id, stay) AS exited_on,
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
FROM stays
