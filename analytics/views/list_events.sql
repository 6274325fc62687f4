-- What happened to each recording on each list, week by week.
-- Row: an event of weekly_chart, which tells what each is and what a new peak is, or that a recording dropped from a list.
-- A drop is of the week whose chart shows it, as exited_on of weekly_chart says: an absence that nobody can explain is none.
-- position, peak, weeks and metric are then those of its last chart. complete: every entry of the chart is known; true of a
-- drop, which is told once it is sure. What is listed is listed, also where other entries are missing.
-- list_length is that of weekly_chart, list_movement the mean of the places that its recordings moved: a list
-- that was shuffled moves by much. lists counts the lists that have the recording in this week, new_lists those of them on
-- which it is added or re-entered; both are NULL of a drop.
-- Reads all weeks, for any of them may be a recording's first.
-- Columns: week date, event varchar, is_new_peak boolean, kind varchar, source varchar, playlist_id varchar,
--   playlist_name varchar, region varchar, frequency varchar, snapshot_on date, complete boolean, position bigint,
--   previous_position bigint, movement bigint, list_length bigint, list_movement double, metric_name varchar,
--   metric_value bigint, metric_change bigint, weeks_on_list bigint, peak bigint, peak_on date, lists bigint, new_lists
--   bigint, recording_id varchar, track_id varchar, track_name varchar, artists varchar, run_id varchar
WITH compared AS (
    SELECT
        *,
        avg(abs(movement)) OVER (PARTITION BY playlist_id, week) AS list_movement,
        count(*) OVER (PARTITION BY recording_id, week) AS lists,
        count_if(arrival IN ('debut', 'return')) OVER (PARTITION BY recording_id, week) AS new_lists,
        lead(snapshot_on) OVER (PARTITION BY playlist_id, recording_id ORDER BY week) AS next_on
    FROM weekly_chart
),

told AS (
    SELECT
        c.*,
        e.happened,
        CASE WHEN e.happened = 'dropped' THEN c.exited_on ELSE c.snapshot_on END AS event_on
    FROM compared AS c
    CROSS JOIN UNNEST(
        ARRAY[
            c.event,
            CASE WHEN coalesce(c.next_on, DATE '9999-12-31') > c.exited_on THEN 'dropped' END
        ]
    ) AS e (happened)
    WHERE e.happened IS NOT NULL
)

SELECT
    date_trunc('week', event_on) AS week,
    happened AS event,
    happened <> 'dropped' AND is_new_peak AS is_new_peak,
    kind,
    source,
    playlist_id,
    playlist_name,
    region,
    frequency,
    event_on AS snapshot_on,
    complete OR happened = 'dropped' AS complete,
    position,
    CASE WHEN happened <> 'dropped' THEN previous_position END AS previous_position,
    CASE WHEN happened <> 'dropped' THEN movement END AS movement,
    list_length,
    list_movement,
    metric_name,
    metric_value,
    CASE WHEN happened <> 'dropped' THEN metric_change END AS metric_change,
    weeks_on_list,
    peak,
    peak_on,
    CASE WHEN happened <> 'dropped' THEN lists END AS lists,
    CASE WHEN happened <> 'dropped' THEN new_lists END AS new_lists,
    recording_id,
    track_id,
    track_name,
    artists,
    run_id
FROM told
