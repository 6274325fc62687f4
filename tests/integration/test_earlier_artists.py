"""What an extraction takes from the playlist's last snapshot, over S3 in process."""

import json
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import boto3
import pytest
from moto import mock_aws

from services.extractor.earlier import EarlierArtist, earlier_artists
from shared.lake import Lake, SnapshotKey

BUCKET = "lake"
PLAYLIST_ID = "3cEYpjA9oz9GiPac4AsH4n"
DAY = date(2026, 11, 22)


class Archive:
    """The raw snapshots of a lake."""

    def __init__(self) -> None:
        self._s3 = boto3.client("s3")
        self._s3.create_bucket(Bucket=BUCKET)
        self.lake = Lake(self._s3, BUCKET)

    def put(self, days_before: int, document: Any, playlist_id: str = PLAYLIST_ID) -> None:
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        self.lake.put_raw(SnapshotKey(DAY - timedelta(days_before), playlist_id), body, run_id="run-1")

    def earlier(self) -> dict[str, EarlierArtist]:
        return dict(earlier_artists(self.lake, SnapshotKey(DAY, PLAYLIST_ID))())


@pytest.fixture
def archive() -> Iterator[Archive]:
    with mock_aws():
        yield Archive()


def snapshot(days_before: int, *ids: str, earlier: dict[int, list[str]] | None = None) -> dict[str, Any]:
    def day(days: int) -> str:
        return (DAY - timedelta(days)).isoformat()

    return {
        "snapshot": {"snapshot_date": day(days_before), "outcome": "ok"},
        "playlist": {"items": {"items": [{"item": None}]}},
        "artists": [{"id": each, "genres": ["pop"], "told": days_before} for each in ids],
        "earlier_artists": [
            {"as_of": day(days), "items": [{"id": each, "told": days} for each in of_the_day]}
            for days, of_the_day in (earlier or {}).items()
        ],
    }


def test_the_last_snapshot_tells_each_artist_as_it_was_sent_and_the_day(archive: Archive) -> None:
    # given snapshots of two weeks, the second of which has an artist of the first
    archive.put(14, snapshot(14, "a", "b", "gone"))
    archive.put(7, snapshot(7, "b", earlier={14: ["a"]}))

    # when the third is extracted
    known = archive.earlier()

    # then both are known, each since its own day
    assert known == {
        "a": EarlierArtist(DAY - timedelta(14), {"id": "a", "told": 14}),
        "b": EarlierArtist(DAY - timedelta(7), {"id": "b", "genres": ["pop"], "told": 7}),
    }


def test_what_is_known_for_longer_than_a_month_is_due(archive: Archive) -> None:
    archive.put(7, snapshot(7, "new", earlier={31: ["known"], 32: ["due"]}))

    assert {name: each.is_due for name, each in archive.earlier().items()} == {
        "new": False,
        "known": False,
        "due": True,
    }


@pytest.mark.parametrize(("days", "known"), [(0, set()), (-7, set()), (31, {"a"}), (32, set())])
def test_the_last_snapshot_is_of_an_earlier_day_and_of_the_last_month(
    archive: Archive, days: int, known: set[str]
) -> None:
    archive.put(days, snapshot(days, "a"))

    assert archive.earlier().keys() == known


def test_another_playlists_snapshot_is_not_looked_at(archive: Archive) -> None:
    archive.put(7, snapshot(7, "a"), playlist_id="6sLKMeS7SXzu0Sxb6Je3gX")

    assert archive.earlier() == {}


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"{",
        [],
        {},
        {"type": "playlist", "tracks": {"items": []}},
        {"artists": [{"id": "of no day"}]},
        {"snapshot": {"snapshot_date": "some day"}, "artists": [{"id": "a"}]},
        {"snapshot": {"snapshot_date": "2026-11-15"}, "artists": [None, 7, {}, {"id": 7}]},
        {"snapshot": {"snapshot_date": "2026-11-15"}, "artists": {"id": "a"}},
        {"snapshot": {"snapshot_date": "2026-11-15"}, "earlier_artists": [{"items": []}]},
    ],
)
def test_a_snapshot_that_holds_no_artists_is_worth_nothing_and_costs_nothing(archive: Archive, document: Any) -> None:
    archive.put(7, document)

    assert archive.earlier() == {}


def test_a_lake_that_does_not_answer_costs_nothing(archive: Archive) -> None:
    archive.put(7, snapshot(7, "a"))
    elsewhere = Lake(boto3.client("s3"), "no-such-bucket")

    assert earlier_artists(elsewhere, SnapshotKey(DAY, PLAYLIST_ID))() == {}
