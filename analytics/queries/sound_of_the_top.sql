-- How do the tracks at the top sound, compared with the rest?
-- Row: a feature, with its average among the top and the other entries, the difference, the spread (standard deviation)
-- of both, and the difference in units of the spread of all. Entries without features do not count.
-- Scans: spotify_tracks of the days asked for.
-- top (integer, default 10): last position that belongs to the top
-- from (date, default 26 weeks before to): first day
-- to (date, default today): last day
SELECT
    feature,
    count_if(is_top) AS top_entries,
    count_if(NOT is_top) AS other_entries,
    round(avg(CASE WHEN is_top THEN value END), 3) AS top_average,
    round(avg(CASE WHEN NOT is_top THEN value END), 3) AS other_average,
    round(avg(CASE WHEN is_top THEN value END) - avg(CASE WHEN NOT is_top THEN value END), 3) AS difference,
    round(stddev_samp(CASE WHEN is_top THEN value END), 3) AS top_spread,
    round(stddev_samp(CASE WHEN NOT is_top THEN value END), 3) AS other_spread,
    round(
        (avg(CASE WHEN is_top THEN value END) - avg(CASE WHEN NOT is_top THEN value END))
        / nullif(stddev_samp(value), 0), 2
    ) AS difference_in_spreads
FROM (
    SELECT f.feature, f.value, t.position <= ? /* top */ AS is_top
    FROM spotify_tracks AS t
    CROSS JOIN UNNEST(
        ARRAY['danceability', 'energy', 'tempo_bpm', 'valence'],
        ARRAY[t.danceability, t.energy, t.tempo_bpm, t.valence]
    ) AS f (feature, value)
    WHERE t.snapshot_on BETWEEN date(? /* from */) AND date(? /* to */)
)
WHERE value IS NOT NULL
GROUP BY feature
ORDER BY feature
