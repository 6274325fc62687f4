-- Which rows broke their contract, and why?
-- Row: a table and a reason, with how many rows of how many snapshots, since when, and where an example is.
-- Scans: rejected_rows of the days asked for.
-- from (date, default 26 weeks before to): first day
-- to (date, default today): last day
SELECT
    table_name,
    reason,
    count(*) AS rejected,
    count(DISTINCT concat(playlist_id, snapshot_date)) AS snapshots,
    min(snapshot_date) AS first_day,
    max(snapshot_date) AS last_day,
    max(concat(raw_key, ' ', location)) AS example
FROM rejected_rows
WHERE concat(year, '-', month, '-', day) BETWEEN ? /* from */ AND ? /* to */
GROUP BY table_name, reason
ORDER BY rejected DESC, table_name, reason
