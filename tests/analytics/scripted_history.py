"""A history of four weeks with known events in the last, for whatever tells what happened in a week.

In the week of 23 November, of the watched artists D dropped out of the list Top, R came back to it, V has a new version
on it, and S, which no list had before, spread to three lists at once; W stays where it is. Of the others K climbed from
20 to 10. Nothing else happened but that others made room by a place.
"""

from datetime import date
from typing import Any, Final

from tests.analytics.lake import NOTHING_ELSE, Lake, song

MONDAY: Final = date(2026, 11, 23)
WATCHED: Final = ("d", "r", "s", "v", "w")
EVENTS: Final = {
    ("dropped", "D", "top"),
    ("re-entered", "R", "top"),
    ("new version", "V", "top"),
    ("first appearance", "S", "top"),
    ("first appearance", "S", "fresh"),
    ("first appearance", "S", "viral"),
}
"""Each event of a watched recording in the last week: what happened, to which one, on which list."""
SPIKES: Final = {("climbed", "K"), ("spread", "S")}
"""What stands out in the last week, watched or not."""

_OTHERS: Final = [f"T{n:02}" for n in range(5, 20)]


def play(lake: Lake) -> None:
    """Fills a lake, and its watch list."""
    _list(lake, "2026-11-02", "top", ["W", "R", "V", "D", *_OTHERS, "K"])
    for day in ("2026-11-09", "2026-11-16"):
        _list(lake, day, "top", ["W", "T20", "V", "D", *_OTHERS, "K"])
    _list(lake, "2026-11-23", "top", ["W", "R", "V2", "S", *_OTHERS[:5], "K", *_OTHERS[5:]])
    for day in ("2026-11-02", "2026-11-09", "2026-11-16", "2026-11-23"):
        is_last = day == "2026-11-23"
        _list(lake, day, "fresh", [*(f"F{n}" for n in range(1, 10)), "S" if is_last else "F0"])
        _list(lake, day, "viral", ["S" if is_last else "G0", *(f"G{n}" for n in range(1, 10))])
    for day in ("2026-11-05", "2026-11-12", "2026-11-19"):
        lake.ranking(day, "DE", "W9 C8 E7")
    lake.watch(artist=WATCHED)


def _list(lake: Lake, day: str, playlist: str, tracks: list[str]) -> None:
    known: dict[str, Any] = {"outcome": "ok", "track_entries": len(tracks), "playlist_name": playlist.title()}
    lake.put("playlist_metadata", day, playlist, NOTHING_ELSE | known)
    lake.put("songs", day, playlist, *(_entry(track, position) for position, track in enumerate(tracks, 1)))


def _entry(track: str, position: int) -> dict[str, Any]:
    """An entry; V2 is another id of V's recording."""
    recording = "V" if track == "V2" else track
    return song(track, position, [recording.lower()], track_name=f"Song {recording}", duration_ms=200_000)
