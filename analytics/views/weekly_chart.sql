-- How each track moved on its playlist, week by week, over all that was collected.
-- Row: a track of a chart of chart_entries. previous_position is that of the chart before, movement the places gained.
-- arrival: first chart (nobody knows since when), debut, return, or stay. weeks_on_list counts the charts with the
-- track so far, peak is its best position so far. entered_on and exited_on bound its stay: exited_on is the first
-- complete chart without it, NULL while it is listed. A track that is absent from a partial chart did not leave.
-- Reads all weeks, for any of them may be a track's first.
-- Columns: playlist_id varchar, playlist_name varchar, week date, snapshot_on date, complete boolean, position bigint,
--   previous_position bigint, movement bigint, arrival varchar, weeks_on_list bigint, peak bigint, entered_on date,
--   exited_on date, track_id varchar, track_name varchar, artist_id varchar, artist_name varchar, popularity bigint,
--   run_id varchar
WITH charts AS (
    SELECT
        playlist_id,
        week,
        complete,
        row_number() OVER (PARTITION BY playlist_id ORDER BY week) AS number,
        sum(CASE WHEN complete THEN 1 ELSE 0 END) OVER (PARTITION BY playlist_id ORDER BY week) AS complete_so_far,
        min(CASE WHEN complete THEN snapshot_on END) OVER (
            PARTITION BY playlist_id ORDER BY week ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING
        ) AS next_complete_on
    FROM (SELECT DISTINCT playlist_id, week, snapshot_on, complete FROM chart_entries)
),

followed AS (
    SELECT
        e.*,
        c.number,
        c.complete_so_far,
        c.next_complete_on,
        lag(c.number) OVER (PARTITION BY e.playlist_id, e.track_id ORDER BY e.week) AS last_number,
        lag(e.position) OVER (PARTITION BY e.playlist_id, e.track_id ORDER BY e.week) AS last_position,
        lag(c.complete_so_far) OVER (PARTITION BY e.playlist_id, e.track_id ORDER BY e.week) AS last_complete_so_far
    FROM chart_entries AS e
    JOIN charts AS c ON c.playlist_id = e.playlist_id AND c.week = e.week
),

told AS (
    SELECT
        *,
        CASE
            WHEN number = 1 THEN 'first chart'
            WHEN last_number IS NULL THEN 'debut'
            WHEN complete_so_far - (CASE WHEN complete THEN 1 ELSE 0 END) > last_complete_so_far THEN 'return'
            ELSE 'stay'
        END AS arrival
    FROM followed
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
    last_value(next_complete_on) OVER (
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
