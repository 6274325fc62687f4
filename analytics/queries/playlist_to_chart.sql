-- How long do recordings take from a playlist to a chart, or from a chart to a playlist?
-- Row: a recording that both had and that the second of them had for the first time in the days asked for. playlist_on is
-- the first day on which any playlist had it, chart_on the last day of the first period for which any chart counts it:
-- days_to_chart are the days between, less than 0 where the chart was first. What a list had when it was first seen tells
-- not since when: the second is none of these; where the first is, at_least is true, and it may have been earlier.
-- Scans: all days, for any of them may be a recording's first.
-- from (date, default 26 weeks before to): first day
-- to (date, default today): last day
-- playlist (text, default all): name or id of the playlist or of the chart
-- limit (integer, default 50): most rows
WITH seen AS (
    SELECT
        kind,
        recording_id,
        playlist_id,
        first_on,
        was_there_first,
        max_by(playlist_name, snapshot_on) AS playlist_name,
        max_by(track_name, snapshot_on) AS track_name,
        max_by(artists, snapshot_on) AS artists,
        max_by(track_id, snapshot_on) AS track_id
    FROM entry_history
    GROUP BY kind, recording_id, playlist_id, first_on, was_there_first
),

firsts AS (
    SELECT *, row_number() OVER (PARTITION BY kind, recording_id ORDER BY first_on, was_there_first DESC, playlist_id) AS place
    FROM seen
)

SELECT
    track_name,
    artists,
    days_to_chart,
    at_least,
    playlist_name,
    playlist_on,
    chart_name,
    chart_on,
    playlist_id,
    chart_id,
    track_id
FROM (
    SELECT
        p.track_name,
        p.artists,
        date_diff('day', p.first_on, c.first_on) AS days_to_chart,
        CASE WHEN p.first_on <= c.first_on THEN p.was_there_first ELSE c.was_there_first END AS at_least,
        p.playlist_name,
        p.first_on AS playlist_on,
        c.playlist_name AS chart_name,
        c.first_on AS chart_on,
        p.playlist_id,
        c.playlist_id AS chart_id,
        p.track_id,
        row_number() OVER (
            ORDER BY abs(date_diff('day', p.first_on, c.first_on)) DESC, p.track_name, p.recording_id
        ) AS place
    FROM firsts AS p
    JOIN firsts AS c ON c.recording_id = p.recording_id AND c.kind = 'chart' AND c.place = 1
    WHERE p.kind = 'playlist'
        AND p.place = 1
        AND NOT CASE WHEN p.first_on <= c.first_on THEN c.was_there_first ELSE p.was_there_first END
        AND greatest(p.first_on, c.first_on) BETWEEN date(? /* from */) AND date(? /* to */)
        AND ? /* playlist */ IN ('all', p.playlist_id, p.playlist_name, c.playlist_id, c.playlist_name)
)
WHERE place <= ? /* limit */
ORDER BY place
