"""What a report may have to tell."""

from datetime import date, timedelta
from typing import Any

from analytics.report import Contents

WEEKS = tuple(date(2026, 11, 23) - timedelta(weeks=back) for back in (3, 2, 1, 0))


def entry(week: date, position: int, track: str, **fields: Any) -> dict[str, Any]:
    """A row of weekly_chart: a track that stays where it was."""
    return {
        "kind": "playlist",
        "playlist_id": "top",
        "playlist_name": "Top Songs",
        "week": week,
        "snapshot_on": week,
        "complete": True,
        "position": position,
        "previous_position": position,
        "movement": 0,
        "metric_name": None,
        "metric_value": None,
        "metric_change": None,
        "arrival": "stay",
        "weeks_on_list": 4,
        "peak": position,
        "recording_id": track,
        "track_name": f"Song {track}",
        "artists": f"Band {track}",
        "run_id": "run-7",
        **fields,
    }


def coverage(**fields: Any) -> dict[str, Any]:
    """A row of data_coverage of which nothing is amiss."""
    return {
        "playlist_id": "top",
        "playlist_name": "Top Songs",
        "snapshots": 4,
        "first_day": "2026-11-02",
        "last_day": "2026-11-23",
        "last_run_id": "run-7",
        "days_old": 2,
        "weeks_missing": 0,
        "partial_snapshots": 0,
        "snapshots_without_entries": 0,
        "features_percent": 100.0,
        "popularity_percent": 100.0,
        "genres_percent": 100.0,
        **fields,
    }


def chart_coverage(**fields: Any) -> dict[str, Any]:
    """A row of chart_coverage of which nothing is amiss."""
    return {
        "playlist_id": "spotify_charts-regional-de-weekly",
        "playlist_name": "Spotify DE weekly",
        "charts": 4,
        "first_day": date(2026, 11, 5),
        "last_day": date(2026, 11, 26),
        "weeks_missing": 0,
        "incomplete_charts": 0,
        "missing_ranks": 0,
        "metric_percent": 100.0,
        "label_percent": 100.0,
        "known_percent": 40.0,
        "genres_percent": 30.0,
        "features_percent": 0.0,
        **fields,
    }


def contents(**fields: Any) -> Contents:
    """Four weeks of a playlist of eight tracks: one climbs, one falls, one is new, one is back."""
    known: dict[str, Any] = {
        "made_on": date(2026, 11, 25),
        "first_day": date(2026, 6, 1),
        "last_day": date(2026, 11, 25),
        "place": "earworm-dev at AWS eu-west-1",
        "simulated": False,
        "entries": [
            *(entry(week, place, track) for week in WEEKS[:-1] for place, track in enumerate("ABCDEF", 1)),
            entry(WEEKS[-1], 1, "A"),
            entry(WEEKS[-1], 2, "D", movement=2, previous_position=4),
            entry(WEEKS[-1], 3, "N", arrival="debut", movement=None, previous_position=None, weeks_on_list=1),
            entry(WEEKS[-1], 4, "C", movement=-1, previous_position=3),
            entry(WEEKS[-1], 5, "B", movement=-3, previous_position=2),
            entry(WEEKS[-1], 6, "R", arrival="return", movement=None, previous_position=None),
            entry(WEEKS[-1], 7, "X", track_name="<b>Tom & Jerry</b>" + "o" * 60, artists=None),
        ],
        "genres": [
            {"month": date(2026, 10, 1), "genre": "pop", "share_percent": 75.0},
            {"month": date(2026, 10, 1), "genre": None, "share_percent": 25.0},
            *({"month": date(2026, 11, 1), "genre": g, "share_percent": 9.0 - n} for n, g in enumerate("pqrstuv")),
        ],
        "sound": [
            {
                "feature": feature,
                "top_recordings": 40,
                "other_recordings": 160,
                "top_average": 0.7,
                "other_average": 0.6,
                "difference": 0.1,
                "top_spread": 0.2,
                "other_spread": 0.3,
                "difference_in_spreads": 0.4,
            }
            for feature in ("danceability", "energy", "tempo_bpm", "valence")
        ],
        "churn": [
            {
                "playlist_id": "top",
                "week": week,
                "artists": 8,
                "new_artists": 2,
                "staying_artists": 5,
                "returning_artists": 1,
                "leaving_artists": 2,
            }
            for week in WEEKS[1:]
        ],
        "survival": [
            {"playlist_id": "top", "weeks_after_debut": age, "debuts": 4 - age, "listed": 1, "listed_percent": 50.0}
            for age in range(3)
        ],
        "coverage": [coverage()],
    }
    return Contents(**known | fields)
