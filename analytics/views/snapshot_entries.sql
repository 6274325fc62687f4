-- Each snapshot of a playlist and each chart as a list of recordings.
-- Row: a recording of a snapshot at its best position, with the track_id that stands there. Files of the owner's and
-- removed tracks, which have no id, are left out. kind is playlist or chart; source, region, frequency and the period are
-- those of list_snapshots, and playlist_id and playlist_name are those of the list, whichever kind it is of.
-- artists names all who are credited, artist_id and artist_name are the first. Of a chart, these and the title are what
-- songs last told of its Spotify id; where they do not know it, title and credit are the chart's and the rest is NULL.
-- whole is false where Spotify gave fewer entries than it counted. complete is true where each entry of a whole snapshot
-- is known, too: where one is null, rejected or without its id, or a chart leaves a rank out, a track that is absent may
-- be just that one. in_chart: the snapshot is the one of its week, the last complete one; if none is, the last whole one,
-- or else the last.
-- metric_value is what the chart counts of the recording, streams or listens as metric_name says, over all its rows; label
-- is the chart's, and so is what begins with source_: its own previous position, peak and time. A playlist has none.
-- popularity is NULL where a 0 can be no measure. A condition on week, the Monday, or on snapshot_on reads only those
-- days; but for recordings and artists of charts, which songs and charts of all days tell.
-- Columns: kind varchar, source varchar, playlist_id varchar, playlist_name varchar, region varchar, frequency varchar,
--   period_start date, period_end date, week date, snapshot_on date, whole boolean, complete boolean, in_chart boolean,
--   position bigint, metric_name varchar, metric_value bigint, label varchar, source_previous_position bigint,
--   source_peak_position bigint, source_weeks_on_chart bigint, source_days_on_chart bigint, recording_id varchar,
--   track_id varchar, track_name varchar, artists varchar, artist_id varchar, artist_name varchar, artist_ids varchar,
--   artist_names varchar, popularity bigint, run_id varchar
SELECT
    kind,
    source,
    playlist_id,
    playlist_name,
    region,
    frequency,
    period_start,
    period_end,
    week,
    snapshot_on,
    whole,
    complete,
    in_chart,
    position,
    metric_name,
    metric_value,
    label,
    source_previous_position,
    source_peak_position,
    source_weeks_on_chart,
    source_days_on_chart,
    recording_id,
    track_id,
    track_name,
    coalesce(array_join(CAST(json_parse(artist_names) AS array(varchar)), ', '), credit, artist_name) AS artists,
    artist_id,
    artist_name,
    artist_ids,
    artist_names,
    CASE WHEN coalesce(popularity_measured, true) THEN popularity END AS popularity,
    run_id
FROM (
    SELECT
        list.kind,
        list.source,
        list.playlist_id,
        list.playlist_name,
        list.region,
        list.frequency,
        list.period_start,
        list.period_end,
        list.week,
        list.snapshot_on,
        list.whole,
        list.whole AND list.missing = 0 AS complete,
        list.choice = 1 AS in_chart,
        entry.position,
        entry.metric_name,
        sum(entry.metric_value) OVER (
            PARTITION BY list.playlist_id, list.week, list.snapshot_on, recording.recording_id
        ) AS metric_value,
        entry.label,
        entry.source_previous_position,
        entry.source_peak_position,
        entry.source_weeks_on_chart,
        entry.source_days_on_chart,
        recording.recording_id,
        entry.track_id,
        entry.track_name,
        entry.credit,
        entry.artist_id,
        entry.artist_name,
        entry.artist_ids,
        entry.artist_names,
        entry.popularity,
        entry.popularity_measured,
        entry.run_id,
        row_number() OVER (
            PARTITION BY list.playlist_id, list.week, list.snapshot_on, recording.recording_id ORDER BY entry.position
        ) AS repetition
    FROM (
        SELECT
            *,
            row_number() OVER (
                PARTITION BY playlist_id, week ORDER BY whole DESC, whole AND missing > 0, snapshot_on DESC
            ) AS choice
        FROM list_snapshots
    ) AS list
    JOIN (
        SELECT
            playlist_id,
            date_trunc('week', try_cast(concat(year, '-', month, '-', day) AS date)) AS week,
            try_cast(concat(year, '-', month, '-', day) AS date) AS snapshot_on,
            position,
            track_id,
            track_name,
            CAST(NULL AS varchar) AS credit,
            artist_id,
            artist_name,
            artist_ids,
            artist_names,
            popularity,
            popularity_measured,
            CAST(NULL AS varchar) AS metric_name,
            CAST(NULL AS bigint) AS metric_value,
            CAST(NULL AS varchar) AS label,
            CAST(NULL AS bigint) AS source_previous_position,
            CAST(NULL AS bigint) AS source_peak_position,
            CAST(NULL AS bigint) AS source_weeks_on_chart,
            CAST(NULL AS bigint) AS source_days_on_chart,
            run_id
        FROM songs
        UNION ALL
        SELECT
            c.playlist_id,
            c.week,
            c.snapshot_on,
            c.position,
            c.track_id,
            coalesce(s.track_name, c.track_name) AS track_name,
            c.artists AS credit,
            s.artist_id,
            s.artist_name,
            s.artist_ids,
            s.artist_names,
            CAST(NULL AS bigint) AS popularity,
            CAST(NULL AS boolean) AS popularity_measured,
            c.metric_name,
            c.metric_value,
            c.label,
            c.source_previous_position,
            c.source_peak_position,
            c.source_weeks_on_chart,
            c.source_days_on_chart,
            c.run_id
        FROM chart_positions AS c
        LEFT JOIN (
            SELECT
                track_id,
                max_by(track_name, concat(year, month, day)) AS track_name,
                max_by(artist_id, concat(year, month, day)) AS artist_id,
                max_by(artist_name, concat(year, month, day)) AS artist_name,
                max_by(artist_ids, concat(year, month, day)) AS artist_ids,
                max_by(artist_names, concat(year, month, day)) AS artist_names
            FROM songs
            GROUP BY track_id
        ) AS s ON s.track_id = c.track_id
    ) AS entry
        ON entry.playlist_id = list.playlist_id AND entry.week = list.week AND entry.snapshot_on = list.snapshot_on
    JOIN recordings AS recording ON recording.track_id = entry.track_id
)
WHERE repetition = 1
