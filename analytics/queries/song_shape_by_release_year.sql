-- How does the shape of songs change with the year of their release?
-- Row: a release year of the recordings that were listed, the first one of each: average length and tempo, shares of
-- major keys and of explicit lyrics among those that tell, and the most frequent key (the lowest of equals).
-- Scans: spotify_tracks of the days asked for; songs of all days, for the recordings.
-- from (date, default 26 weeks before to): first day
-- to (date, default today): last day
-- playlist (text, default all): its name or its id
WITH shaped AS (
    SELECT
        r.recording_id,
        min(t.album_release_year) AS release_year,
        max_by(t.duration_min, CAST(t.snapshot_on AS varchar) || t.track_id) AS duration_min,
        max_by(t.tempo_bpm, CAST(t.snapshot_on AS varchar) || t.track_id) AS tempo_bpm,
        max_by(t.key, CAST(t.snapshot_on AS varchar) || t.track_id) AS key,
        max_by(t.mode, CAST(t.snapshot_on AS varchar) || t.track_id) AS mode,
        max_by(t.explicit, CAST(t.snapshot_on AS varchar) || t.track_id) AS explicit
    FROM spotify_tracks AS t
    JOIN recordings AS r ON r.track_id = t.track_id
    WHERE t.snapshot_on BETWEEN date(? /* from */) AND date(? /* to */)
        AND ? /* playlist */ IN ('all', t.playlist_id, t.playlist_name)
    GROUP BY r.recording_id
),

keys AS (
    SELECT
        release_year,
        element_at(
            ARRAY['C', 'C#', 'D', 'D#', 'E', 'F', 'F#', 'G', 'G#', 'A', 'A#', 'B'], CAST(key AS integer) + 1
        ) AS name,
        row_number() OVER (PARTITION BY release_year ORDER BY count(*) DESC, key) AS place
    FROM shaped
    WHERE key IS NOT NULL
    GROUP BY release_year, key
)

SELECT
    t.release_year,
    count(*) AS recordings,
    round(avg(t.duration_min), 2) AS average_minutes,
    round(avg(t.tempo_bpm), 1) AS average_tempo_bpm,
    max(k.name) AS most_frequent_key,
    round(1e2 * avg(t.mode), 1) AS major_percent,
    round(1e2 * count_if(t.explicit) / nullif(count(t.explicit), 0), 1) AS explicit_percent
FROM shaped AS t
LEFT JOIN keys AS k ON k.release_year = t.release_year AND k.place = 1
WHERE t.release_year IS NOT NULL
GROUP BY t.release_year
ORDER BY t.release_year
