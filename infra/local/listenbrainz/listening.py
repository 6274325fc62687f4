"""What people listen to in a week: made up, of the Spotify simulator's songs, and a function of the week alone.

The ISRCs of the recordings are those of the songs, so that the same hit meets itself in both sources. Odd as the real
statistics are, a recording stands in several rows where it is on several releases, and what nobody mapped has no MBID.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property, lru_cache
from typing import Any, Final
from uuid import UUID

from infra.local.spotify import seeded
from infra.local.spotify.catalogue import Catalogue, Track
from infra.local.spotify.trending import TrendingPlaylist, Trends

MOST_ROWS: Final = 1000
_SONGS: Final = 980
_OPEN_LISTENING: Final = TrendingPlaylist(
    id="EarwormOpenListening", name="Open listening (simulated)", description="", followers=0, size=_SONGS
)
_LISTENS_OF_THE_FIRST: Final = 24_000
_UNMAPPED: Final = 0.04
_UNKNOWN: Final = 0.03
_WITHOUT_ISRC: Final = 0.1
_WITH_TWO_ISRCS: Final = 0.13


class Listening:
    """Sitewide statistics of recordings, and their metadata."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._trends = Trends(catalogue)
        self.rows = lru_cache(maxsize=8)(self._rows)

    @cached_property
    def _songs(self) -> Mapping[str, Track]:
        return {_mbid("recording", song.isrc): song for song in self._catalogue.songs}

    @cached_property
    def _releases(self) -> Mapping[str, list[Track]]:
        found: dict[str, list[Track]] = {}
        for track in sorted(self._catalogue.tracks.values(), key=lambda track: (-track.level, track.id)):
            releases = found.setdefault(track.isrc, [])
            if track.album_id not in {each.album_id for each in releases}:
                releases.append(track)
        return found

    def statistics(self, monday: date, *, count: int, offset: int) -> dict[str, Any]:
        """The answer for the week that begins on a Monday."""
        rows = self.rows(monday)
        return {
            "payload": {
                "count": min(count, MOST_ROWS),
                "from_ts": _timestamp(monday),
                "last_updated": _timestamp(monday + timedelta(days=7)) + 2 * 3600,
                "offset": offset,
                "range": "week",
                "recordings": list(rows[offset : offset + min(count, MOST_ROWS)]),
                "simulated": True,
                "to_ts": _timestamp(monday + timedelta(days=7)),
                "total_recording_count": len(rows),
            }
        }

    def metadata(self, mbids: Iterable[str], inc: Iterable[str]) -> dict[str, Any]:
        """The metadata of recordings by their MBIDs; what is not known is left out."""
        found: dict[str, Any] = {}
        for mbid in mbids:
            song = self._songs.get(mbid)
            if song and _chance("known", mbid) >= _UNKNOWN:
                parts = {"artist": self._artist(song), "release": self._release(song)}
                found[mbid] = {"recording": self._recording(song)} | {each: parts[each] for each in inc}
        return found

    def _rows(self, monday: date) -> tuple[dict[str, Any], ...]:
        rows = [
            row
            for place, song in enumerate(self._trends.ranking(_OPEN_LISTENING, monday), start=1)
            for row in self._rows_of(song, place, monday)
        ]
        return tuple(sorted(rows, key=lambda row: -row["listen_count"])[:MOST_ROWS])

    def _rows_of(self, song: Track, place: int, monday: date) -> Iterator[dict[str, Any]]:
        listens = _LISTENS_OF_THE_FIRST / place**0.7 * (0.9 + 0.2 * _chance("listens", song.isrc, monday))
        if _chance("mapped", song.isrc) < _UNMAPPED:
            yield self._row(song, int(listens), is_mapped=False)
            return
        for nth, release in enumerate(self._releases[song.isrc][:3]):
            yield self._row(release, int(listens / 5**nth), is_mapped=True)

    def _row(self, track: Track, listens: int, *, is_mapped: bool) -> dict[str, Any]:
        release = _mbid("release", track.album_id) if is_mapped else None
        return {
            "artist_mbids": [_mbid("artist", each) for each in track.artist_ids] if is_mapped else [],
            "artist_name": self._credit(track),
            "caa_id": None,
            "caa_release_mbid": None,
            "listen_count": max(1, listens),
            "recording_mbid": _mbid("recording", track.isrc) if is_mapped else None,
            "release_mbid": release,
            "release_name": self._catalogue.albums[track.album_id].name if is_mapped else None,
            "track_name": track.name,
        }

    def _credit(self, track: Track) -> str:
        *others, last = [self._catalogue.artists[each].name for each in track.artist_ids]
        return f"{', '.join(others)} & {last}" if others else last

    def _recording(self, song: Track) -> dict[str, Any]:
        chance = _chance("isrcs", song.isrc)
        other = f"QZES7{int(_chance('other isrc', song.isrc) * 10**7):07}"
        return {
            "first_release_date": self._catalogue.albums[song.album_id].release_date,
            "isrcs": [] if chance < _WITHOUT_ISRC else [song.isrc, *([other] if chance < _WITH_TWO_ISRCS else [])],
            "length": song.duration_ms,
            "name": song.name,
            "rels": [],
        }

    def _artist(self, song: Track) -> dict[str, Any]:
        artists = [
            {"artist_mbid": _mbid("artist", each), "join_phrase": "", "name": self._catalogue.artists[each].name}
            for each in song.artist_ids
        ]
        return {"artists": artists, "name": self._credit(song)}

    def _release(self, song: Track) -> dict[str, Any]:
        album = self._catalogue.albums[song.album_id]
        return {
            "album_artist_name": self._catalogue.artists[album.artist_id].name,
            "mbid": _mbid("release", album.id),
            "name": album.name,
            "year": int(album.release_date[:4]),
        }


def _mbid(*key: object) -> str:
    return str(UUID(bytes=seeded.digest("mbid", *key, size=16), version=4))


def _chance(*key: object) -> float:
    return seeded.fractions("listenbrainz", *key, count=1)[0]


def _timestamp(day: date) -> int:
    return int(datetime.combine(day, time(), UTC).timestamp())
