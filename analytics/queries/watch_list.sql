-- What does the watch list watch?
-- Row: an entry of the watch list and a recording that it watches, by all that the lake knows of it; recording_id is NULL
-- where it watches none. The view watched_recordings tells how an entry finds its recordings. No watch list, no rows.
-- Scans: all days, for any of them may tell an artist, an ISRC or an id; songs, charts and albums.
SELECT w.type, w.value, w.note, r.recording_id
FROM watchlist AS w
LEFT JOIN watched_recordings AS r ON r.watched_type = w.type AND r.watched_value = w.value
ORDER BY w.type, w.value, r.recording_id
