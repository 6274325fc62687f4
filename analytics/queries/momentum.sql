-- Which recordings keep climbing?
-- Row: a recording of a playlist's last whole chart of the weeks asked for (its last one if none is whole), with the
-- places gained since the charts of two and of four weeks before, and these in percent of the list's size, so that
-- lists of 50 and of 200 compare. NULL: it was not in that chart, or there is none. The order is that of four weeks, or
-- of two where that is NULL.
-- Scans: chart_entries of the weeks asked for and the four before them; songs of all days, for the recordings.
-- from (date, default 4 weeks before to): first Monday
-- to (date, default today): last Monday
-- playlist (text, default all): its name or its id
-- limit (integer, default 50): most rows
WITH sized AS (
    SELECT
        *,
        max(position) OVER (PARTITION BY playlist_id, week) AS size,
        date_diff('week', DATE '1970-01-05', week) AS number
    FROM chart_entries
    WHERE week BETWEEN date_add('week', -4, date(? /* from */)) AND date(? /* to */)
        AND ? /* playlist */ IN ('all', playlist_id, playlist_name)
),

compared AS (
    SELECT
        *,
        max(position) OVER (
            PARTITION BY playlist_id, recording_id ORDER BY number RANGE BETWEEN 2 PRECEDING AND 2 PRECEDING
        ) - position AS gained_2_weeks,
        max(position) OVER (
            PARTITION BY playlist_id, recording_id ORDER BY number RANGE BETWEEN 4 PRECEDING AND 4 PRECEDING
        ) - position AS gained_4_weeks
    FROM sized
),

ranked AS (
    SELECT
        *,
        round(1e2 * gained_2_weeks / size, 1) AS percent_2_weeks,
        round(1e2 * gained_4_weeks / size, 1) AS percent_4_weeks,
        dense_rank() OVER (PARTITION BY playlist_id ORDER BY whole DESC, week DESC) AS age
    FROM compared
    WHERE week >= date(? /* from */)
)

SELECT
    playlist_name,
    week,
    position,
    size,
    gained_2_weeks,
    gained_4_weeks,
    percent_2_weeks,
    percent_4_weeks,
    track_name,
    artists,
    playlist_id,
    track_id
FROM (
    SELECT
        *,
        row_number() OVER (
            ORDER BY
                coalesce(percent_4_weeks, percent_2_weeks) DESC,
                percent_2_weeks DESC,
                position,
                playlist_name,
                playlist_id,
                recording_id
        ) AS place
    FROM ranked
    WHERE age = 1 AND coalesce(gained_2_weeks, gained_4_weeks) IS NOT NULL
)
WHERE place <= ? /* limit */
ORDER BY place
