-- Which recordings stand out in a week, whoever made them?
-- Row: a recording and what is out of the ordinary about it, spike. climbed: it climbed by at least climb_percent of the
-- length of its list, and four times as far as the list's recordings moved on the mean, so that a shuffled list has none;
-- size is that percentage. grew: its streams or listens grew by at least growth_percent, which is size. spread: it is new
-- or back on size playlists, or on so many charts, of the week, on at least `lists`; the row is of that where it stands
-- best, and spread_to names all.
-- Scans: all days, for what is new is judged over all of them.
-- from (date, default 1 week before to): first Monday
-- to (date, default today): last Monday
-- climb_percent (integer, default 30): least climb, in percent of the length of the list
-- growth_percent (integer, default 100): least growth of streams or listens, in percent of those of the chart before
-- lists (integer, default 3): least playlists, or charts, on which it is new or back
-- limit (integer, default 100): most rows
WITH compared AS (
    SELECT
        *,
        arrival IN ('debut', 'return') AS is_arrival,
        metric_value - metric_change AS previous_metric_value,
        avg(abs(movement)) OVER (PARTITION BY playlist_id, week) AS list_movement
    FROM weekly_chart
    WHERE week BETWEEN date(? /* from */) AND date(? /* to */)
),

spread AS (
    SELECT
        *,
        count_if(is_arrival) OVER (PARTITION BY kind, week, recording_id) AS arrivals,
        row_number() OVER (
            PARTITION BY kind, week, recording_id ORDER BY NOT is_arrival, position, playlist_id
        ) AS arrival_number,
        array_join(
            array_agg(CASE WHEN is_arrival THEN playlist_name END) OVER (
                PARTITION BY kind, week, recording_id
                ORDER BY playlist_name ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
            ),
            ', '
        ) AS spread_to
    FROM compared
)

SELECT
    week,
    spike,
    size,
    playlist_name,
    position,
    previous_position,
    movement,
    list_length,
    metric_name,
    metric_value,
    metric_change,
    spread_to,
    track_name,
    artists,
    kind,
    playlist_id,
    track_id,
    recording_id
FROM (
    SELECT
        p.week,
        s.spike,
        round(s.size, 1) AS size,
        p.playlist_name,
        p.position,
        p.previous_position,
        p.movement,
        p.list_length,
        p.metric_name,
        p.metric_value,
        p.metric_change,
        CASE WHEN s.spike = 'spread' THEN p.spread_to END AS spread_to,
        p.track_name,
        p.artists,
        p.kind,
        p.playlist_id,
        p.track_id,
        p.recording_id,
        row_number() OVER (
            ORDER BY p.week DESC, s.spike DESC, s.size DESC, p.position, p.playlist_name, p.playlist_id, p.recording_id
        ) AS place
    FROM spread AS p
    CROSS JOIN UNNEST(
        ARRAY['climbed', 'grew', 'spread'],
        ARRAY[
            CASE
                WHEN 1e2 * p.movement >= ? /* climb_percent */ * p.list_length AND p.movement >= 4 * p.list_movement
                    THEN 1e2 * p.movement / p.list_length
            END,
            CASE
                WHEN p.previous_metric_value > 0
                    AND 1e2 * p.metric_change >= ? /* growth_percent */ * p.previous_metric_value
                    THEN 1e2 * p.metric_change / p.previous_metric_value
            END,
            CASE WHEN p.arrival_number = 1 AND p.arrivals >= ? /* lists */ THEN 1e0 * p.arrivals END
        ]
    ) AS s (spike, size)
    WHERE s.size IS NOT NULL
)
WHERE place <= ? /* limit */
ORDER BY place
