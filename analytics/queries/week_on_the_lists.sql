-- What happened on each list in a week?
-- Row: a recording of a list's last weekly chart up to the week asked for, at most 25 weeks before it. state: listed, in
-- that chart; left, no longer there, as that chart shows; unknown, last seen before, and that chart, which is not
-- complete, does not show whether it left: of a chart without a known entry all are. What is told of a recording that is
-- not listed is of its last chart. way: positions of the last 26 weeks, each after the weeks before the week asked for:
-- `2:7 0:5`. The rest is as in weekly_chart.
-- Scans: all days, for any of them may be a recording's first; list_snapshots of half a year.
-- week (date, default today): a day of the week
WITH lists AS (
    SELECT
        playlist_id,
        max(week) AS list_week
    FROM list_snapshots
    WHERE week BETWEEN date_add('week', -25, date_trunc('week', date(? /* week */)))
        AND date_trunc('week', date(? /* week */))
    GROUP BY playlist_id
),

told AS (
    SELECT
        *,
        row_number() OVER (PARTITION BY playlist_id, recording_id ORDER BY week DESC) AS age,
        array_agg(
            concat(
                CAST(date_diff('week', week, date_trunc('week', date(? /* week */))) AS varchar),
                ':',
                CAST(position AS varchar)
            )
        ) OVER (PARTITION BY playlist_id, recording_id ORDER BY week) AS way
    FROM weekly_chart
    WHERE week BETWEEN date_add('week', -25, date_trunc('week', date(? /* week */)))
        AND date_trunc('week', date(? /* week */))
)

SELECT
    t.playlist_id,
    CASE WHEN week = list_week THEN 'listed' WHEN date_trunc('week', exited_on) = list_week THEN 'left' ELSE 'unknown' END
        AS state,
    week,
    snapshot_on,
    complete,
    position,
    previous_position,
    movement,
    weeks_since_previous,
    list_length,
    metric_name,
    metric_value,
    metric_change,
    arrival,
    event,
    is_new_peak,
    weeks_on_list,
    peak,
    peak_on,
    entered_on,
    t.label,
    coalesce(g.label_group, t.label) AS label_group,
    recording_id,
    track_id,
    track_name,
    artists,
    artist_ids,
    artist_names,
    run_id,
    array_join(way, ' ') AS way
FROM told AS t
JOIN lists AS l ON l.playlist_id = t.playlist_id
LEFT JOIN label_groups AS g ON g.label = lower(trim(t.label))
WHERE age = 1
    AND (week = list_week OR exited_on IS NULL OR date_trunc('week', exited_on) >= list_week)
ORDER BY t.playlist_id, CASE WHEN week = list_week THEN 0 ELSE 1 END, position
