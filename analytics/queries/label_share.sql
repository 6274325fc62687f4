-- Which labels hold the lists?
-- Row: a label, with its share of the entries of weekly charts (one a week of each playlist, however often it is
-- collected), its recordings, their first artists, best position and average popularity; label is NULL where Spotify tells
-- none. Charts do not count: see label_share_by_streams.
-- Scans: chart_entries and spotify_tracks of the weeks asked for; songs of all days, for the recordings.
-- from (date, default 26 weeks before to): first Monday
-- to (date, default today): last Monday
-- playlist (text, default all): its name or its id
-- limit (integer, default 50): most rows
SELECT label, entries, share_percent, recordings, first_artists, best_position, average_popularity
FROM (
    SELECT
        t.label,
        count(*) AS entries,
        round(1e2 * count(*) / sum(count(*)) OVER (), 1) AS share_percent,
        count(DISTINCT e.recording_id) AS recordings,
        count(DISTINCT e.artist_id) AS first_artists,
        min(e.position) AS best_position,
        round(avg(e.popularity), 1) AS average_popularity,
        row_number() OVER (ORDER BY count(*) DESC, t.label) AS place
    FROM chart_entries AS e
    JOIN spotify_tracks AS t
        ON t.snapshot_on = e.snapshot_on AND t.playlist_id = e.playlist_id AND t.position = e.position
    WHERE e.week BETWEEN date(? /* from */) AND date(? /* to */)
        AND date_trunc('week', t.snapshot_on) BETWEEN date(? /* from */) AND date(? /* to */)
        AND ? /* playlist */ IN ('all', e.playlist_id, e.playlist_name)
    GROUP BY t.label
)
WHERE place <= ? /* limit */
ORDER BY place
