"""A watch list of a few simulated artists, and what happened to them this week."""

from datetime import date
from typing import TYPE_CHECKING, Final

from analytics.week import monday_of
from contracts.watch_list import identity, watch_entry
from infra.cli import query, watch
from infra.cli.query import Form
from infra.cli.screen import out

if TYPE_CHECKING:
    from infra.cli.cloud import Cloud

_ARTISTS: Final = """
SELECT artist_name
FROM songs
WHERE concat(year, '-', month, '-', day) = '{week}' AND artist_name IS NOT NULL
GROUP BY artist_name
ORDER BY count(*) DESC, min(position)
LIMIT 3
"""
_EVENTS: Final = """
SELECT event, playlist_name, previous_position, position, track_name, artists
FROM list_events
WHERE week = DATE '{week}' AND recording_id IN (SELECT recording_id FROM watched_recordings)
ORDER BY movement IS NOT NULL, abs(coalesce(movement, 0)) DESC, position
LIMIT 8
"""


def show_watch_list(cloud: "Cloud", today: date) -> None:
    """Watches the artists with the most songs of the week, and prints what happened to them."""
    week = monday_of(today)
    _, artists = query.ask(cloud, _ARTISTS.format(week=week), (), today)
    entries = [watch_entry("artist", str(name), "of the demonstration") for (name,) in artists.rows]
    watch.edit(cloud, lambda known: {**known, **{identity(entry): entry for entry in entries}})
    out.print(f"\nOn the watch list: {', '.join(entry['value'] for entry in entries)}.", markup=False)
    _, events = query.ask(cloud, _EVENTS.format(week=week), (), today)
    query.print_answer("What happened to them this week", events, Form.TABLE)
