-- Which lists are there, of which kind, and what is known of each in a week?
-- Row: a list with a snapshot in the year to the week. seen_on is the snapshot of its last weekly chart, with the days that
-- it counts; is_current: that is of the week asked for. weeks tells how many weeks before the week asked for each of its
-- weekly charts of the last 26 is, 0 for that week itself; weeks_missing are those without any since its first one in the
-- year, to the week asked for. entries is how many there should be, missing how many of them nobody knows, whole: Spotify
-- gave as many as it counts. features, popularity and genres are how much is known in the last one, in percent;
-- simulated: a simulator made it up. refused_values are those of the week that broke their contract, in all tables, and rows are kept without.
-- Scans: list_snapshots, playlist_metadata and receipts of the year; songs of all days for list_kinds.
-- week (date, default today): a day of the week
WITH seen AS (
    SELECT
        *,
        date_diff('week', week, date_trunc('week', date(? /* week */))) AS age,
        row_number() OVER (
            PARTITION BY playlist_id ORDER BY week DESC, whole DESC, whole AND missing > 0, snapshot_on DESC
        ) AS place
    FROM list_snapshots
    WHERE week BETWEEN date_add('week', -51, date_trunc('week', date(? /* week */)))
        AND date_trunc('week', date(? /* week */))
),

followed AS (
    SELECT
        playlist_id,
        min(snapshot_on) AS first_on,
        count(*) AS snapshots,
        max(age) + 1 - count(DISTINCT age) AS weeks_missing,
        array_join(array_sort(array_agg(DISTINCT age) FILTER (WHERE age < 26)), ' ') AS weeks
    FROM seen
    GROUP BY playlist_id
),

refused AS (
    SELECT
        playlist_id,
        sum(refused_values) AS refused_values
    FROM receipts
    WHERE date_trunc('week', try_cast(concat(year, '-', month, '-', day) AS date))
        = date_trunc('week', date(? /* week */))
    GROUP BY playlist_id
)

SELECT
    s.playlist_id,
    coalesce(nullif(trim(s.playlist_name), ''), s.playlist_id) AS playlist_name,
    s.kind,
    k.list_kind,
    k.told_by,
    k.turnover_percent,
    k.moved_percent,
    s.source,
    s.region,
    s.frequency,
    s.period_start,
    s.period_end,
    s.snapshot_on AS seen_on,
    s.age = 0 AS is_current,
    s.entries,
    s.missing,
    s.whole,
    s.simulated,
    f.first_on,
    f.snapshots,
    f.weeks_missing,
    f.weeks,
    m.owner_name,
    m.followers,
    round(1e2 * m.features_coverage, 1) AS features,
    round(1e2 * m.popularity_coverage, 1) AS popularity,
    round(1e2 * m.genres_coverage, 1) AS genres,
    coalesce(r.refused_values, 0) AS refused_values
FROM seen AS s
JOIN followed AS f ON f.playlist_id = s.playlist_id
LEFT JOIN list_kinds AS k ON k.playlist_id = s.playlist_id
LEFT JOIN (
    SELECT *, try_cast(concat(year, '-', month, '-', day) AS date) AS snapshot_on FROM playlist_metadata
) AS m ON m.playlist_id = s.playlist_id AND m.snapshot_on = s.snapshot_on
LEFT JOIN refused AS r ON r.playlist_id = s.playlist_id
WHERE s.place = 1
ORDER BY s.playlist_id
