-- Which list had a recording first, and how long did the others take?
-- Row: a recording and a playlist that had it for the first time in the days asked for, on the day of the first playlist
-- (0 days) or later. First is meant of all days. A playlist that had it when it was first seen tells not since when, and
-- so does not follow; if the first one had it then, at_least is true: it may have been first by more days. Of several on
-- that day such a one is the first.
-- Scans: all days, for any of them may be a recording's first.
-- from (date, default 26 weeks before to): first day
-- to (date, default today): last day
-- playlist (text, default all): name or id of the first playlist or of the one that follows
-- limit (integer, default 50): most rows
WITH seen AS (
    SELECT
        recording_id,
        playlist_id,
        first_on,
        was_there_first,
        max_by(playlist_name, snapshot_on) AS playlist_name,
        max_by(track_name, snapshot_on) AS track_name,
        max_by(artists, snapshot_on) AS artists,
        max_by(track_id, snapshot_on) AS track_id
    FROM entry_history
    GROUP BY recording_id, playlist_id, first_on, was_there_first
),

ordered AS (
    SELECT
        *,
        row_number() OVER (PARTITION BY recording_id ORDER BY first_on, was_there_first DESC, playlist_id) AS place,
        first_value(playlist_id) OVER (PARTITION BY recording_id ORDER BY first_on, was_there_first DESC, playlist_id) AS first_playlist_id,
        first_value(playlist_name) OVER (PARTITION BY recording_id ORDER BY first_on, was_there_first DESC, playlist_id) AS first_playlist_name,
        first_value(was_there_first) OVER (PARTITION BY recording_id ORDER BY first_on, was_there_first DESC, playlist_id) AS at_least,
        min(first_on) OVER (PARTITION BY recording_id) AS first_of_all_on
    FROM seen
)

SELECT
    track_name,
    artists,
    first_playlist_name,
    first_on,
    playlist_name,
    followed_on,
    days_later,
    at_least,
    first_playlist_id,
    playlist_id,
    track_id
FROM (
    SELECT
        track_name,
        artists,
        first_playlist_name,
        first_of_all_on AS first_on,
        playlist_name,
        first_on AS followed_on,
        date_diff('day', first_of_all_on, first_on) AS days_later,
        at_least,
        first_playlist_id,
        playlist_id,
        track_id,
        row_number() OVER (
            ORDER BY date_diff('day', first_of_all_on, first_on) DESC, track_name, recording_id, place
        ) AS row_place
    FROM ordered
    WHERE place > 1
        AND NOT was_there_first
        AND first_on BETWEEN date(? /* from */) AND date(? /* to */)
        AND ? /* playlist */ IN ('all', playlist_id, playlist_name, first_playlist_id, first_playlist_name)
)
WHERE row_place <= ? /* limit */
ORDER BY row_place
