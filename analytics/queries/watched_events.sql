-- What happened to the recordings of the watch list?
-- Row: an event of list_events, the view that tells what each is, of a recording that the watch list watches, with the
-- entries that watch it. A new peak may be of another day of the week, peak_on, than the chart. Of each week those that
-- came and went lead, then those that moved, by the share of the list.
-- No rows while the watch list is empty: `earworm watch add artist NAME` fills it.
-- Scans: all days, for what is new is judged over all of them; albums, for their labels.
-- from (date, default 1 week before to): first Monday
-- to (date, default today): last Monday
-- playlist (text, default all): its name or its id
-- limit (integer, default 1000): most rows
SELECT
    week,
    event,
    is_new_peak,
    playlist_name,
    position,
    previous_position,
    movement,
    list_length,
    peak,
    peak_on,
    weeks_on_list,
    lists,
    new_lists,
    complete,
    metric_name,
    metric_value,
    metric_change,
    track_name,
    artists,
    watched_by,
    kind,
    playlist_id,
    track_id,
    recording_id
FROM (
    SELECT
        e.*,
        w.watched_by,
        row_number() OVER (
            ORDER BY
                e.week DESC,
                CASE
                    WHEN e.event = 'first appearance' THEN 1
                    WHEN e.event = 'added' THEN 2
                    WHEN e.event = 're-entered' THEN 3
                    WHEN e.event = 'dropped' THEN 4
                    WHEN e.event = 'new version' THEN 5
                    ELSE 6
                END,
                1e0 * abs(coalesce(e.movement, 0)) / e.list_length DESC,
                e.position,
                e.playlist_name,
                e.playlist_id,
                e.recording_id
        ) AS place
    FROM list_events AS e
    JOIN (
        SELECT
            recording_id,
            array_join(array_agg(watched_type || ' ' || watched_value ORDER BY watched_type, watched_value), '; ') AS watched_by
        FROM watched_recordings
        GROUP BY recording_id
    ) AS w ON w.recording_id = e.recording_id
    WHERE e.week BETWEEN date(? /* from */) AND date(? /* to */)
        AND ? /* playlist */ IN ('all', e.playlist_id, e.playlist_name)
)
WHERE place <= ? /* limit */
ORDER BY place
