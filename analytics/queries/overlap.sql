-- Which lists have the same recordings, and which of them has them first?
-- Row: two playlists, the one that leads before the one that follows. shared: recordings that both listed in the days
-- asked for, be it on different days; jaccard: these as a share of all that either listed. timed: the shared ones of
-- which is known since when both had them, of all days; what a playlist had when it was first seen is none. Of the
-- timed ones, led were on the first playlist on an earlier day and followed on a later one; median_days_later is how
-- long after the first one the second had them.
-- Scans: all days, for any of them may be a recording's first.
-- from (date, default 26 weeks before to): first day
-- to (date, default today): last day
-- recordings (integer, default 5): fewest that both listed
-- playlist (text, default all): name or id of either
-- limit (integer, default 50): most rows
WITH seen AS (
    SELECT
        playlist_id,
        recording_id,
        first_value(max_by(playlist_name, snapshot_on)) OVER (
            PARTITION BY playlist_id ORDER BY max(snapshot_on) DESC, recording_id
        ) AS playlist_name,
        CASE WHEN NOT was_there_first THEN first_on END AS first_on,
        count(*) OVER (PARTITION BY playlist_id) AS recordings
    FROM entry_history
    WHERE snapshot_on BETWEEN date(? /* from */) AND date(? /* to */)
    GROUP BY playlist_id, recording_id, was_there_first, first_on
),

listed AS (
    SELECT
        array_agg(playlist_id ORDER BY playlist_id) AS ids,
        array_agg(playlist_name ORDER BY playlist_id) AS names,
        array_agg(first_on ORDER BY playlist_id) AS firsts,
        array_agg(recordings ORDER BY playlist_id) AS sizes
    FROM seen
    GROUP BY recording_id
),

paired AS (
    SELECT
        *,
        row_number() OVER (PARTITION BY playlist_id, other_playlist_id ORDER BY days_later) AS place,
        count(days_later) OVER (PARTITION BY playlist_id, other_playlist_id) AS timed
    FROM (
        SELECT
            a.playlist_id,
            a.playlist_name,
            a.recordings,
            b.playlist_id AS other_playlist_id,
            b.playlist_name AS other_playlist_name,
            b.recordings AS other_recordings,
            date_diff('day', a.first_on, b.first_on) AS days_later
        FROM listed
        CROSS JOIN UNNEST(ids, names, firsts, sizes) AS a (playlist_id, playlist_name, first_on, recordings)
        CROSS JOIN UNNEST(ids, names, firsts, sizes) AS b (playlist_id, playlist_name, first_on, recordings)
        WHERE a.playlist_id <> b.playlist_id
    )
),

compared AS (
    SELECT
        playlist_name,
        other_playlist_name,
        recordings,
        other_recordings,
        count(*) AS shared,
        round(1e0 * count(*) / (recordings + other_recordings - count(*)), 3) AS jaccard,
        timed,
        count_if(days_later > 0) AS led,
        count_if(days_later < 0) AS followed,
        avg(CASE WHEN 2 * place BETWEEN timed AND timed + 2 THEN days_later END) AS median_days_later,
        playlist_id,
        other_playlist_id
    FROM paired
    GROUP BY playlist_id, playlist_name, recordings, other_playlist_id, other_playlist_name, other_recordings, timed
)

SELECT
    playlist_name,
    other_playlist_name,
    shared,
    recordings,
    other_recordings,
    jaccard,
    timed,
    led,
    followed,
    median_days_later,
    playlist_id,
    other_playlist_id
FROM (
    SELECT
        *,
        row_number() OVER (
            ORDER BY jaccard DESC, shared DESC, playlist_name, other_playlist_name, playlist_id, other_playlist_id
        ) AS place
    FROM compared
    WHERE shared >= ? /* recordings */
        AND (median_days_later > 0 OR (coalesce(median_days_later, 0) = 0 AND playlist_id < other_playlist_id))
        AND ? /* playlist */ IN ('all', playlist_id, playlist_name, other_playlist_id, other_playlist_name)
)
WHERE place <= ? /* limit */
ORDER BY place
