-- Which recordings are spreading over the lists?
-- Row: a recording that is listed in the last chart of the weeks asked for of some playlist: lists is how many do so,
-- lists_before how many did in their chart before, usually a week before; followers adds up those of these playlists,
-- NULL where none tells them. A recording that an incomplete chart lacks is listed as long as it is not known to have
-- left. The changes and came_to go by the playlists that have a chart before, so that a playlist that was only just
-- added spreads nothing, nor does what its second chart is the first to show, the first not being complete; they are NULL
-- if none has. Followers are as last told in the weeks asked for and the same in both charts: that a playlist itself
-- grows is no change.
-- Scans: all days, for the time on a list is told by all of them.
-- from (date, default 4 weeks before to): first Monday
-- to (date, default today): last Monday
-- playlist (text, default all): name or id of one that lists the recording
-- limit (integer, default 50): most rows
WITH followed AS (
    SELECT *, max(snapshot_on) OVER (PARTITION BY playlist_id) AS this_on
    FROM weekly_chart
    WHERE week <= date(? /* to */)
),

dated AS (
    SELECT *, max(CASE WHEN snapshot_on < this_on THEN snapshot_on END) OVER (PARTITION BY playlist_id) AS before_on
    FROM followed
    WHERE date_trunc('week', this_on) >= date(? /* from */)
),

listed AS (
    SELECT
        playlist_id,
        recording_id,
        max_by(playlist_name, snapshot_on) AS playlist_name,
        max_by(track_name, snapshot_on) AS track_name,
        max_by(artists, snapshot_on) AS artists,
        max_by(track_id, snapshot_on) AS track_id,
        max(snapshot_on) AS seen_on,
        max(CASE WHEN snapshot_on = this_on THEN position END) AS position,
        CASE WHEN bool_or(coalesce(exited_on, DATE '9999-12-31') > this_on) THEN 1 ELSE 0 END AS now,
        CASE
            WHEN before_on IS NULL THEN NULL
            WHEN bool_or(
                (entered_on <= before_on OR arrival = 'first chart') AND coalesce(exited_on, DATE '9999-12-31') > before_on
            ) THEN 1
            ELSE 0
        END AS before,
        max(max(before_on)) OVER () IS NOT NULL AS is_comparable
    FROM dated
    GROUP BY playlist_id, recording_id, before_on
),

weighed AS (
    SELECT l.*, m.followers
    FROM listed AS l
    LEFT JOIN (
        SELECT playlist_id, max_by(followers, concat(year, month, day)) AS followers
        FROM playlist_metadata
        WHERE followers IS NOT NULL
            AND date_trunc('week', try_cast(concat(year, '-', month, '-', day) AS date))
            BETWEEN date(? /* from */) AND date(? /* to */)
        GROUP BY playlist_id
    ) AS m ON m.playlist_id = l.playlist_id
),

spread AS (
    SELECT
        recording_id,
        max_by(track_name, seen_on) AS track_name,
        max_by(artists, seen_on) AS artists,
        max_by(track_id, seen_on) AS track_id,
        sum(now) AS lists,
        CASE WHEN is_comparable THEN coalesce(sum(before), 0) END AS lists_before,
        CASE WHEN is_comparable THEN coalesce(sum(now - before), 0) END AS lists_change,
        sum(now * followers) AS followers,
        CASE WHEN is_comparable THEN coalesce(sum(before * followers), 0) END AS followers_before,
        CASE WHEN is_comparable THEN coalesce(sum((now - before) * followers), 0) END AS followers_change,
        min(position) AS best_position,
        array_join(
            array_agg(playlist_name ORDER BY playlist_name) FILTER (WHERE now = 1 AND before = 0), ', '
        ) AS came_to
    FROM weighed
    GROUP BY recording_id, is_comparable
    HAVING bool_or(now = 1 AND ? /* playlist */ IN ('all', playlist_id, playlist_name))
)

SELECT
    track_name,
    artists,
    lists,
    lists_before,
    lists_change,
    followers,
    followers_before,
    followers_change,
    best_position,
    came_to,
    track_id
FROM (
    SELECT
        *,
        row_number() OVER (
            ORDER BY lists_change DESC, followers_change DESC, lists DESC, followers DESC, best_position, recording_id
        ) AS place
    FROM spread
)
WHERE place <= ? /* limit */
ORDER BY place
