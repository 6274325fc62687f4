"""dlt with its filesystem destination, Parquet and pydantic contracts, from the items as Spotify sends them.

It makes tables of its own. The contract names what the five tables need, so that dlt need not unnest the markets.
"""

from pathlib import Path
from typing import ClassVar

import dlt
import orjson
from dlt.common.libs.pydantic import DltConfig
from pydantic import BaseModel

from tests.benchmarks.contenders.dlt_rows import load


class _Model(BaseModel):
    dlt_config: ClassVar[DltConfig] = {"skip_nested_types": True}


class _Link(_Model):
    spotify: str | None = None


class _Image(_Model):
    url: str
    width: int | None = None


class _Ids(_Model):
    isrc: str | None = None


class _User(_Model):
    id: str


class _Artist(_Model):
    id: str | None
    name: str
    external_urls: _Link


class _Album(_Model):
    id: str | None
    name: str
    album_type: str
    artists: list[_Artist]
    release_date: str
    release_date_precision: str
    total_tracks: int
    external_urls: _Link
    images: list[_Image]


class _Track(_Model):
    id: str | None
    name: str
    artists: list[_Artist]
    album: _Album
    popularity: int
    duration_ms: int
    explicit: bool
    is_local: bool
    disc_number: int
    track_number: int
    external_ids: _Ids
    external_urls: _Link


class Entry(_Model):
    added_at: str
    added_by: _User
    is_local: bool
    track: _Track


def write(body: bytes, folder: Path) -> None:
    """The entries and what dlt unnests of them."""
    items = orjson.loads(body)[0]["tracks"]["items"]
    load([dlt.resource(items, name="entries", columns=Entry)], folder)
