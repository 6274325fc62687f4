-- How fast does a playlist change, and how long do its recordings stay?
-- Row: a playlist, over its charts of the weeks asked for. turnover_percent: entries that came or came back, without the
-- playlist's first chart; a new version is no change. average_weeks and longest_weeks: how long its recordings had been
-- listed when they last were, of all weeks and not only of those asked for; those that were there when the playlist was
-- first seen, were for longer.
-- Scans: all days, for any of them may be a recording's first.
-- from (date, default 26 weeks before to): first Monday
-- to (date, default today): last Monday
-- playlist (text, default all): its name or its id
SELECT
    max_by(playlist_name, last_week) AS playlist_name,
    max(charts) AS charts,
    count(*) AS recordings,
    round(1e0 * sum(entries) / max(charts), 1) AS entries_per_chart,
    round(1e2 * sum(arrivals) / nullif(sum(comparable), 0), 1) AS turnover_percent,
    round(avg(weeks), 2) AS average_weeks,
    max(weeks) AS longest_weeks,
    playlist_id
FROM (
    SELECT
        playlist_id,
        max_by(playlist_name, week) AS playlist_name,
        max(week) AS last_week,
        max(charts) AS charts,
        count(*) AS entries,
        count_if(week > first_week) AS comparable,
        count_if(week > first_week AND arrival IN ('debut', 'return')) AS arrivals,
        max(weeks_on_list) AS weeks
    FROM (
        SELECT *, max(chart) OVER (PARTITION BY playlist_id) AS charts
        FROM (
            SELECT *, dense_rank() OVER (PARTITION BY playlist_id ORDER BY week) AS chart
            FROM (SELECT *, min(week) OVER (PARTITION BY playlist_id) AS first_week FROM weekly_chart)
            WHERE week BETWEEN date(? /* from */) AND date(? /* to */)
                AND ? /* playlist */ IN ('all', playlist_id, playlist_name)
        )
    )
    GROUP BY playlist_id, recording_id
)
GROUP BY playlist_id
ORDER BY playlist_name, playlist_id
