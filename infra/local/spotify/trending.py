"""What trends in a week: a model of popularity and of weekly lists that has no state and so knows every week.

A song catches on now and then: in every year of the model each song has one *pulse* of attention, which begins on some
day, rises for a few weeks, decays for longer, and ends. Its height is drawn from an exponential distribution on the
logarithmic scale, so most pulses go unnoticed and a few are hits. A list ranks its songs by the attention they get in
a week; popularity is a logarithm of plays (the usual ones and the pulse's), averaged over four weeks, and therefore
lags behind the list and moves smoothly.

The constants are tuned to 58 weeks of a real list ("Today's Top Hits", 2019 to 2020), where a tenth of the entries is
new in a week and entries stay for 9 weeks in the mean and 6 in the median. The model changes an eighth, and its entries
stay for 7 weeks in the mean and 5 in the median; some stay for one week, some for most of a year.
"""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from heapq import nlargest
from statistics import NormalDist, fmean
from typing import NamedTuple

from infra.local.spotify import seeded
from infra.local.spotify.catalogue import Catalogue, Track

SIZE = 50
"""Entries of a usual list in every week."""

_WEEKS_PER_CYCLE = 52
# The longest pulse lasts (1.5 * 1.2 + 16) * 8.5 = 151 weeks: it is over before the cycle of its start is forgotten.
_CYCLES_OF_MEMORY = 4
_HEIGHT_AT_MOST = 8.5
_RISE_WEEKS = 1.2
_DECAY_WEEKS = 6.0
_DECAY_SPREAD = 0.5
_DECAY_WEEKS_AT_MOST = 16.0
_TASTE = 0.5
_MOOD = 0.1
_RESTING_SHARE = 0.85
_POPULARITY_PER_LOG_PLAYS = 8.0
_PLAYS_PER_HEAT = 200.0
_WEEKS_OF_POPULARITY = 4


class User(NamedTuple):
    """Someone who owns lists."""

    id: str
    name: str


SIMULATOR = User("earworm-simulator", "Earworm's Spotify simulator")
"""The user who agrees whenever consent is asked for."""
SPOTIFY = User("spotify", "Spotify")
"""The owner of editorial lists."""


class TrendingPlaylist(NamedTuple):
    """A list that the model fills; without genres it takes songs of all genres."""

    id: str
    name: str
    description: str
    followers: int
    genres: frozenset[str] = frozenset()
    size: int = SIZE
    owner: User = SIMULATOR

    @property
    def owner_id(self) -> str:
        """The id of its owner."""
        return self.owner.id

    def takes(self, song: Track) -> bool:
        """Tell whether the list is open to a song."""
        return not self.genres or not self.genres.isdisjoint(song.genres)


TRENDING_GLOBAL = TrendingPlaylist(
    id="5EarwormTrendingGlobal",
    name="Trending Global (simulated)",
    description="The 50 songs that get the most attention this week. Modelled, not measured.",
    followers=1_204_311,
)
TRENDING_METAL_ROCK = TrendingPlaylist(
    id="4EarwormTrendMetalRock",
    name="Trending Metal & Rock (simulated)",
    description="The 50 metal and rock songs that get the most attention this week. Modelled, not measured.",
    followers=87_526,
    genres=frozenset({"metal", "rock"}),
)
PLAYLISTS = (TRENDING_GLOBAL, TRENDING_METAL_ROCK)
"""The lists that are worth extracting every week."""

TRENDING_HIP_HOP = TrendingPlaylist(
    id="3EarwormTrendingHipHop",
    name="Trending Hip-Hop (simulated)",
    description="The 50 hip-hop songs that get the most attention this week. Modelled, not measured.",
    followers=240_118,
    genres=frozenset({"hip-hop"}),
)
TRENDING_COUNTRY = TrendingPlaylist(
    id="2EarwormTrendngCountry",
    name="Trending Country (simulated)",
    description="The 50 country songs that get the most attention this week. Modelled, not measured.",
    followers=31_907,
    genres=frozenset({"country"}),
)
ARCHIVE = TrendingPlaylist(
    id="6EarwormTrendingArchiv",
    name="Trending Archive (simulated)",
    description="The 250 songs that get the most attention this week: more than any page holds.",
    followers=5_208,
    size=250,
)
EDITORIAL = TrendingPlaylist(
    id="37i9dQZF1DXEarwormHits",
    name="Editors' Hits (simulated)",
    description="A list that Spotify owns, and that most applications therefore cannot read.",
    followers=16_972_425,
    owner=SPOTIFY,
)
OTHER_PLAYLISTS = (TRENDING_HIP_HOP, TRENDING_COUNTRY, ARCHIVE, EDITORIAL)
"""Lists for what the usual ones do not show."""


class Entry(NamedTuple):
    """A song of a list, the Monday since when it has been there without a break, and who put it there."""

    track: Track
    added_on: date
    added_by: User


@dataclass(frozen=True, slots=True)
class _Pulse:
    """A rise and decay of attention; times are in weeks of the calendar, height is logarithmic."""

    song_id: str
    start: float
    peak: float
    end: float
    height: float

    def heat(self, week: int) -> float:
        """Return the attention in a week between start and end; it is 0 at both."""
        share = (
            (week - self.start) / (self.peak - self.start)
            if week < self.peak
            else (self.end - week) / (self.end - self.peak)
        )
        return math.expm1(self.height * share)


class Trends:
    """The model over one catalogue. Every answer is a function of its arguments; caches only make it fast."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._pulses = lru_cache(maxsize=16)(self._compute_pulses)
        self._heat = lru_cache(maxsize=512)(self._compute_heat)
        self._ranking = lru_cache(maxsize=1024)(self._compute_ranking)

    def popularity(self, track: Track, on: date) -> int:
        """Return the popularity of a track on a day, 0 to 100; it is the same all week."""
        usual_plays = math.exp(track.level * _RESTING_SHARE / _POPULARITY_PER_LOG_PLAYS)
        week = _week(on)
        log_plays = [
            math.log(usual_plays + _PLAYS_PER_HEAT * self._heat(week - back).get(track.id, 0.0))
            for back in range(_WEEKS_OF_POPULARITY)
        ]
        return min(100, round(_POPULARITY_PER_LOG_PLAYS * fmean(log_plays)))

    def ranking(self, playlist: TrendingPlaylist, on: date) -> tuple[Track, ...]:
        """Return the songs of a list on a day, the first place first."""
        return tuple(self._catalogue.tracks[song_id] for song_id in self._ranking(playlist, _week(on)))

    def entries(self, playlist: TrendingPlaylist, on: date) -> tuple[Entry, ...]:
        """Return the entries of a list on a day, the first place first; they are the same all week."""
        week = _week(on)
        return tuple(
            Entry(self._catalogue.tracks[song_id], _monday(self._entered(playlist, song_id, week)), playlist.owner)
            for song_id in self._ranking(playlist, week)
        )

    def snapshot_id(self, playlist: TrendingPlaylist, on: date) -> str:
        """Return the version of a list on a day, which changes with every week."""
        return seeded.snapshot_id(playlist.id, _week(on))

    def _entered(self, playlist: TrendingPlaylist, song_id: str, week: int) -> int:
        while song_id in self._ranking(playlist, week - 1):
            week -= 1
        return week

    def _compute_ranking(self, playlist: TrendingPlaylist, week: int) -> tuple[str, ...]:
        heat = self._heat(week)

        def attention(song: Track) -> tuple[float, int, str]:
            warmth = heat.get(song.id, 0.0)
            return warmth and warmth * _fondness(playlist, song, week), song.level, song.id

        noticed = [song for song_id in heat if playlist.takes(song := self._catalogue.tracks[song_id])]
        if len(noticed) < playlist.size:
            noticed = [song for song in self._catalogue.songs if playlist.takes(song)]
        return tuple(song.id for song in nlargest(playlist.size, noticed, key=attention))

    def _compute_heat(self, week: int) -> Mapping[str, float]:
        cycle = week // _WEEKS_PER_CYCLE
        heat: dict[str, float] = {}
        for past in range(cycle - _CYCLES_OF_MEMORY + 1, cycle + 1):
            for pulse in self._pulses(past).get(week, ()):
                heat[pulse.song_id] = heat.get(pulse.song_id, 0.0) + pulse.heat(week)
        return heat

    def _compute_pulses(self, cycle: int) -> Mapping[int, Sequence[_Pulse]]:
        """The pulses that begin in a cycle, by each week between their start and end."""
        pulses: dict[int, list[_Pulse]] = defaultdict(list)
        for pulse in (_pulse(song, cycle) for song in self._catalogue.songs):
            for week in range(math.floor(pulse.start) + 1, math.ceil(pulse.end)):
                pulses[week].append(pulse)
        return pulses


def _pulse(song: Track, cycle: int) -> _Pulse:
    """Return the one pulse of a song that begins in a cycle; known songs get more attention than unknown ones."""
    begin, luck, patience, haste = seeded.fractions("pulse", song.id, cycle, count=4)
    height = min(_HEIGHT_AT_MOST, -math.log(luck) * (0.7 + 0.6 * song.level / 100))
    rise = _RISE_WEEKS * (0.5 + haste)
    decay = min(_DECAY_WEEKS_AT_MOST, _DECAY_WEEKS * math.exp(_DECAY_SPREAD * NormalDist().inv_cdf(patience)))
    start = (cycle + begin) * _WEEKS_PER_CYCLE
    peak = start + rise * height
    return _Pulse(song.id, start, peak, peak + decay * height, height)


def _fondness(playlist: TrendingPlaylist, song: Track, week: int) -> float:
    """Return how much more or less a list makes of a song's attention: its taste, and its mood of the week."""
    taste = _taste(playlist.id, song.id)
    (mood,) = seeded.fractions("mood", playlist.id, song.id, week, count=1)
    return math.exp(_TASTE * (2 * taste - 1) + _MOOD * (2 * mood - 1))


@lru_cache(maxsize=10_000)
def _taste(playlist_id: str, song_id: str) -> float:
    (taste,) = seeded.fractions("taste", playlist_id, song_id, count=1)
    return taste


def _week(day: date) -> int:
    return (day.toordinal() - 1) // 7


def _monday(week: int) -> date:
    return date.fromordinal(week * 7 + 1)
