-- How do the recordings at the top sound, compared with the rest?
-- Row: a feature, with its average among the recordings that were at the top and among the others, the difference, and
-- the interval that holds the true one with 95 percent confidence (Welch's t, which takes two groups for samples of
-- unequal variance; NULL below two recordings a group; the quantile of t is a series in the degrees of freedom), the spread (standard deviation) of both, and the difference in
-- units of the spread of all. Each recording counts once, however long it was listed; without features it does not.
-- Scans: spotify_tracks of the days asked for; songs of all days, for the recordings.
-- top (integer, default 10): last position that belongs to the top
-- from (date, default 26 weeks before to): first day
-- to (date, default today): last day
-- playlist (text, default all): its name or its id
WITH heard AS (
    SELECT
        r.recording_id,
        min(t.position) <= max(p.last_place) AS is_top,
        avg(t.danceability) AS danceability,
        avg(t.energy) AS energy,
        avg(t.tempo_bpm) AS tempo_bpm,
        avg(t.valence) AS valence
    FROM spotify_tracks AS t
    JOIN recordings AS r ON r.track_id = t.track_id
    CROSS JOIN UNNEST(sequence(1, 10000)) AS p (last_place)
    WHERE p.last_place = ? /* top */
        AND t.snapshot_on BETWEEN date(? /* from */) AND date(? /* to */)
        AND ? /* playlist */ IN ('all', t.playlist_id, t.playlist_name)
    GROUP BY r.recording_id
),

compared AS (
    SELECT
        f.feature,
        count_if(h.is_top) AS top_recordings,
        count_if(NOT h.is_top) AS other_recordings,
        avg(CASE WHEN h.is_top THEN f.value END) AS top_average,
        avg(CASE WHEN NOT h.is_top THEN f.value END) AS other_average,
        stddev_samp(CASE WHEN h.is_top THEN f.value END) AS top_spread,
        stddev_samp(CASE WHEN NOT h.is_top THEN f.value END) AS other_spread,
        stddev_samp(f.value) AS spread
    FROM heard AS h
    CROSS JOIN UNNEST(
        ARRAY['danceability', 'energy', 'tempo_bpm', 'valence'],
        ARRAY[h.danceability, h.energy, h.tempo_bpm, h.valence]
    ) AS f (feature, value)
    WHERE f.value IS NOT NULL
    GROUP BY f.feature
),

measured AS (
    SELECT
        *,
        top_average - other_average AS difference,
        power(top_spread, 2) / nullif(top_recordings, 0) AS top_variance,
        power(other_spread, 2) / nullif(other_recordings, 0) AS other_variance
    FROM compared
),

freed AS (
    SELECT
        *,
        power(top_variance + other_variance, 2) / nullif(
            power(top_variance, 2) / nullif(top_recordings - 1, 0)
            + power(other_variance, 2) / nullif(other_recordings - 1, 0), 0
        ) AS freedom
    FROM measured
),

bounded AS (
    SELECT
        *,
        sqrt(top_variance + other_variance)
        * (
            1.959964e0 + 2.372271e0 / freedom + 2.822499e0 / power(freedom, 2) + 2.555851e0 / power(freedom, 3)
            + 1.589509e0 / power(freedom, 4)
        ) AS margin
    FROM freed
)

SELECT
    feature,
    top_recordings,
    other_recordings,
    round(top_average, 3) AS top_average,
    round(other_average, 3) AS other_average,
    round(difference, 3) AS difference,
    round(difference - margin, 3) AS difference_from,
    round(difference + margin, 3) AS difference_to,
    round(top_spread, 3) AS top_spread,
    round(other_spread, 3) AS other_spread,
    round(difference / nullif(spread, 0), 2) AS difference_in_spreads
FROM bounded
ORDER BY feature
