-- How each track moved on its playlist, week by week, over all that was collected.
-- Row: a track of a chart of chart_entries. previous_position is that of the chart before, movement the places gained.
-- arrival: first chart (nobody knows since when), debut, return, or stay. weeks_on_list counts the charts with the
-- track so far, peak is its best position so far. entered_on and exited_on bound its stay: exited_on is the chart that
-- shows that the track left, NULL while it is listed: the next chart without it if that is complete, or else the one
-- after it, if the track is absent from that as well. It did not leave if the next complete chart has it again.
-- Reads all weeks, for any of them may be a track's first.
-- Columns: playlist_id varchar, playlist_name varchar, week date, snapshot_on date, complete boolean, position bigint,
--   previous_position bigint, movement bigint, arrival varchar, weeks_on_list bigint, peak bigint, entered_on date,
--   exited_on date, track_id varchar, track_name varchar, artist_id varchar, artist_name varchar, popularity bigint,
--   run_id varchar
WITH charts AS (
    SELECT
        playlist_id,
        week,
        row_number() OVER (PARTITION BY playlist_id ORDER BY week) AS number,
        lead(snapshot_on) OVER (PARTITION BY playlist_id ORDER BY week) AS next_on,
        lead(snapshot_on, 2) OVER (PARTITION BY playlist_id ORDER BY week) AS second_on,
        coalesce(lead(complete) OVER (PARTITION BY playlist_id ORDER BY week), false) AS next_is_complete,
        min(CASE WHEN complete THEN week END) OVER (
            PARTITION BY playlist_id ORDER BY week ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING
        ) AS next_complete_week
    FROM (SELECT DISTINCT playlist_id, week, snapshot_on, complete FROM chart_entries)
),

followed AS (
    SELECT
        e.*,
        c.number,
        c.next_complete_week,
        CASE WHEN c.next_is_complete THEN c.number + 1 ELSE c.number + 2 END AS shown_by,
        CASE WHEN c.next_is_complete THEN c.next_on ELSE c.second_on END AS shown_on,
        lag(c.number) OVER (PARTITION BY e.playlist_id, e.track_id ORDER BY e.week) AS last_number,
        lag(e.position) OVER (PARTITION BY e.playlist_id, e.track_id ORDER BY e.week) AS last_position,
        lead(c.number) OVER (PARTITION BY e.playlist_id, e.track_id ORDER BY e.week) AS next_number,
        min(CASE WHEN e.complete THEN e.week END) OVER (
            PARTITION BY e.playlist_id, e.track_id ORDER BY e.week ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING
        ) AS next_complete_week_listed
    FROM chart_entries AS e
    JOIN charts AS c ON c.playlist_id = e.playlist_id AND c.week = e.week
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
            WHEN number = 1 THEN 'first chart'
            WHEN last_number IS NULL THEN 'debut'
            WHEN lag(left_on) OVER (PARTITION BY playlist_id, track_id ORDER BY week) IS NOT NULL THEN 'return'
            ELSE 'stay'
        END AS arrival
    FROM left_after
),

stays AS (
    SELECT
        *,
        sum(CASE WHEN arrival = 'stay' THEN 0 ELSE 1 END) OVER (
            PARTITION BY playlist_id, track_id ORDER BY week
        ) AS stay
    FROM told
)

SELECT
    playlist_id,
    playlist_name,
    week,
    snapshot_on,
    complete,
    position,
    CASE WHEN last_number = number - 1 THEN last_position END AS previous_position,
    CASE WHEN last_number = number - 1 THEN last_position - position END AS movement,
    arrival,
    row_number() OVER (PARTITION BY playlist_id, track_id ORDER BY week) AS weeks_on_list,
    min(position) OVER (PARTITION BY playlist_id, track_id ORDER BY week) AS peak,
    min(snapshot_on) OVER (PARTITION BY playlist_id, track_id, stay) AS entered_on,
    last_value(left_on) OVER (
        PARTITION BY playlist_id, track_id, stay
        ORDER BY week ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
    ) AS exited_on,
    track_id,
    track_name,
    artist_id,
    artist_name,
    popularity,
    run_id
FROM stays
