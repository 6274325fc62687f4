-- How does the sound of the playlists change?
-- Row: a feature and a span of four weeks, counted back from the last week asked for (age 0), with its average among the
-- distinct recordings that were listed in the span, the spread (standard deviation) and how many recordings these are. A
-- recording counts once a span; one without features does not.
-- Scans: track_features of the weeks asked for; songs of all days, for the recordings.
-- from (date, default 51 weeks before to): first Monday
-- to (date, default today): last Monday
WITH heard AS (
    SELECT
        date_diff('week', date_trunc('week', f.snapshot_on), date_trunc('week', date(? /* to */))) / 4 AS age,
        r.recording_id,
        avg(f.danceability) AS danceability,
        avg(f.energy) AS energy,
        avg(f.tempo_bpm) AS tempo_bpm,
        avg(f.valence) AS valence
    FROM (
        SELECT *, try_cast(concat(year, '-', month, '-', day) AS date) AS snapshot_on FROM track_features
    ) AS f
    JOIN recordings AS r ON r.track_id = f.track_id
    WHERE date_trunc('week', f.snapshot_on) BETWEEN date(? /* from */) AND date(? /* to */)
    GROUP BY 1, 2
)

SELECT
    h.age,
    m.feature,
    count(*) AS recordings,
    avg(m.value) AS average,
    stddev_samp(m.value) AS spread
FROM heard AS h
CROSS JOIN UNNEST(
    ARRAY['danceability', 'energy', 'tempo_bpm', 'valence'],
    ARRAY[h.danceability, h.energy, h.tempo_bpm, h.valence]
) AS m (feature, value)
WHERE m.value IS NOT NULL
GROUP BY h.age, m.feature
ORDER BY m.feature, h.age
