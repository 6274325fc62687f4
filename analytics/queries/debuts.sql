-- Which recordings are new, and how did they do since?
-- Row: a recording that a playlist had for the first time ever in the days asked for, whatever it is called: a new version
-- is none, nor is what the playlist had when it was first seen. The position at its debut, its best one and when, on how
-- many days and in how many weekly charts it was so far, over all snapshots and not only one a week.
-- still_listed: in the last complete snapshot, or in a later one.
-- Scans: all days, for any of them may be a recording's first.
-- from (date, default 26 weeks before to): first day
-- to (date, default today): last day
-- playlist (text, default all): its name or its id
-- limit (integer, default 100): most rows
SELECT
    playlist_name,
    debut_on,
    debut_position,
    peak,
    peak_on,
    days_listed,
    charts_listed,
    still_listed,
    track_name,
    artists,
    playlist_id,
    track_id
FROM (
    SELECT *, row_number() OVER (ORDER BY debut_on DESC, playlist_name, playlist_id, debut_position) AS place
    FROM (
        SELECT
            playlist_id,
            max_by(playlist_name, snapshot_on) AS playlist_name,
            min(snapshot_on) AS debut_on,
            min_by(position, snapshot_on) AS debut_position,
            min(position) AS peak,
            max_by(peak_on, snapshot_on) AS peak_on,
            count(*) AS days_listed,
            count_if(in_chart) AS charts_listed,
            max(snapshot_on) >= last_complete_on AS still_listed,
            max_by(track_name, snapshot_on) AS track_name,
            max_by(artists, snapshot_on) AS artists,
            max_by(track_id, snapshot_on) AS track_id
        FROM (
            SELECT
                *,
                coalesce(
                    max(CASE WHEN complete THEN snapshot_on END) OVER (PARTITION BY playlist_id),
                    max(snapshot_on) OVER (PARTITION BY playlist_id)
                ) AS last_complete_on
            FROM entry_history
        )
        WHERE NOT was_there_first
        GROUP BY playlist_id, recording_id, last_complete_on
    )
    WHERE debut_on BETWEEN date(? /* from */) AND date(? /* to */)
        AND ? /* playlist */ IN ('all', playlist_id, playlist_name)
)
WHERE place <= ? /* limit */
ORDER BY place
