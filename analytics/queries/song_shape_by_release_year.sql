-- How does the shape of songs change with the year of their release?
-- Row: a release year of the tracks that were listed: average length and tempo, shares of major keys and of explicit
-- lyrics among the tracks that tell, and the most frequent key (the lowest of equals).
-- Scans: spotify_tracks of the days asked for.
-- from (date, default 26 weeks before to): first day
-- to (date, default today): last day
WITH tracks AS (
    SELECT
        track_id,
        min(album_release_year) AS release_year,
        max_by(duration_min, snapshot_on) AS duration_min,
        max_by(tempo_bpm, snapshot_on) AS tempo_bpm,
        max_by(key, snapshot_on) AS key,
        max_by(mode, snapshot_on) AS mode,
        max_by(explicit, snapshot_on) AS explicit
    FROM spotify_tracks
    WHERE snapshot_on BETWEEN date(? /* from */) AND date(? /* to */) AND track_id IS NOT NULL
    GROUP BY track_id
),

keys AS (
    SELECT
        release_year,
        element_at(
            ARRAY['C', 'C#', 'D', 'D#', 'E', 'F', 'F#', 'G', 'G#', 'A', 'A#', 'B'], CAST(key AS integer) + 1
        ) AS name,
        row_number() OVER (PARTITION BY release_year ORDER BY count(*) DESC, key) AS place
    FROM tracks
    WHERE key IS NOT NULL
    GROUP BY release_year, key
)

SELECT
    t.release_year,
    count(*) AS tracks,
    round(avg(t.duration_min), 2) AS average_minutes,
    round(avg(t.tempo_bpm), 1) AS average_tempo_bpm,
    max(k.name) AS most_frequent_key,
    round(1e2 * avg(t.mode), 1) AS major_percent,
    round(1e2 * count_if(t.explicit) / nullif(count(t.explicit), 0), 1) AS explicit_percent
FROM tracks AS t
LEFT JOIN keys AS k ON k.release_year = t.release_year AND k.place = 1
WHERE t.release_year IS NOT NULL
GROUP BY t.release_year
ORDER BY t.release_year
