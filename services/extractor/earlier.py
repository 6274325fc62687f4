"""Reads the artists of a playlist's earlier snapshot, each with the day of its data.

Genres rarely change; popularity and followers do. So artists of an earlier day are kept apart from those of the
snapshot's day, and tables use only their genres.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from itertools import groupby
from typing import Any, Final, TypeAlias

from botocore.exceptions import BotoCoreError, ClientError
from msgspec import Struct
from msgspec.json import Decoder
from typing_extensions import TypedDict

from contracts.operations.log_events import LogEvent
from shared.lake import Lake, SnapshotKey
from shared.observability import log
from shared.web import JsonObject

MONTH: Final = timedelta(days=31)
"""How long an artist is not requested again, and how old the earlier snapshot may be."""


@dataclass(frozen=True, slots=True)
class EarlierArtist:
    """An artist as Spotify described it on an earlier day.

    Attributes:
        is_due: Whether that was so long ago that it should be requested again.
    """

    as_of: date
    artist: JsonObject
    is_due: bool = False


EarlierArtists: TypeAlias = Mapping[str, EarlierArtist]
"""Artists by their id."""


class EarlierBlock(TypedDict):
    """Artists of one day, as `contracts.snapshot` reads them."""

    as_of: str
    items: list[JsonObject]


def earlier_artists(lake: Lake, key: SnapshotKey) -> Callable[[], EarlierArtists]:
    """Returns a function that reads the artists of the playlist's last snapshot on first use.

    It finds none if there is no such snapshot or it cannot be read: neither may fail the playlist.
    """

    @cache
    def find() -> EarlierArtists:
        try:
            raw = lake.last_raw(key, within=MONTH)
            return dict(_artists_of(_decoder.decode(raw.body), key.snapshot_date - MONTH)) if raw else {}
        except (ClientError, BotoCoreError, ValueError) as fault:
            log.warning(LogEvent.EARLIER_SNAPSHOT_UNUSABLE, "earlier snapshot is not used", sentence=str(fault))
            return {}

    return find


def as_blocks(artists: Iterable[EarlierArtist]) -> list[EarlierBlock]:
    """Groups artists by day, the latest first."""
    by_day = groupby(sorted(artists, key=_day, reverse=True), _day)
    return [{"as_of": day.isoformat(), "items": [each.artist for each in of_the_day]} for day, of_the_day in by_day]


def _day(artist: EarlierArtist) -> date:
    return artist.as_of


class _Envelope(Struct):
    snapshot_date: date


class _Block(Struct):
    as_of: date
    items: list[Any]


class _Snapshot(Struct):
    """The part of a raw snapshot with its artists; the rest is not decoded."""

    snapshot: _Envelope | None = None
    artists: list[Any] | None = None
    earlier_artists: list[_Block] | None = None


_decoder = Decoder(_Snapshot)


def _artists_of(snapshot: _Snapshot, since: date) -> Iterator[tuple[str, EarlierArtist]]:
    if snapshot.snapshot is None:
        return
    blocks = [*(snapshot.earlier_artists or ()), _Block(snapshot.snapshot.snapshot_date, snapshot.artists or [])]
    for block in blocks:
        for artist in block.items:
            if isinstance(artist, dict) and isinstance(artist.get("id"), str):
                yield artist["id"], EarlierArtist(block.as_of, artist, is_due=block.as_of < since)
