"""Two hundred random and two hundred aimed damages: the audit names each, and none ends it."""

import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import date, timedelta
from random import Random
from typing import TypeAlias

import pytest

from contracts.tables import of_kind
from services.audit.audit import auditor
from shared.lake import SnapshotKey
from tests.documents import entry, playlist, track
from tests.integration.cloud import BUCKET, KEY, Cloud
from tests.integration.tables import alter, audited_cloud, complete

pytestmark = pytest.mark.slow

Objects: TypeAlias = Mapping[str, tuple[bytes, dict[str, str]]]
"""Body and metadata by key."""

WEEKS, ROUNDS = 10, 4
"""Each place is damaged once a round: five tables of ten weeks in four rounds are two hundred damages."""
KEYS = [SnapshotKey(date(2026, 11, 23) - timedelta(weeks=week), KEY.list_id) for week in range(WEEKS)]
KINDS = ("parquet", "receipt", "quarantine", "quarantined_values")
"""What each table has, and what songs has beside it."""
DAMAGES: dict[str, Callable[[Random, bytes], bytes]] = {
    "a bit": lambda chance, body: _with_bit(body, chance.randrange(8 * len(body))),
    "noise": lambda chance, body: chance.randbytes(len(body)),
    "noise at the end": lambda chance, body: body[: -min(64, len(body))] + chance.randbytes(min(64, len(body))),
    "noise at the beginning": lambda chance, body: chance.randbytes(16) + body[16:],
    "a part taken out": lambda chance, body: body[: (cut := chance.randrange(len(body) - 1))] + body[cut + 1 :],
    "cut off": lambda chance, body: body[: chance.randrange(len(body))],
    "twice": lambda _, body: body + body,
    "something appended": lambda chance, body: body + chance.randbytes(1),
}


def _with_bit(body: bytes, place: int) -> bytes:
    """With one bit turned."""
    byte = place // 8
    return body[:byte] + bytes([body[byte] ^ 1 << place % 8]) + body[byte + 1 :]


def _aimed(cloud: Cloud, before: Objects, chance: Random, place: tuple[str, SnapshotKey]) -> str:
    """Puts what another place rightly held under a place's key, with its metadata and all."""
    table, key = place
    kind = chance.choice(KINDS if table == "songs" else KINDS[:2])
    other_table = chance.choice([each for each in of_kind("playlists") if each != table])
    other_key = chance.choice([each for each in KEYS if each != key])
    at: Callable[[SnapshotKey, str], str] = getattr(SnapshotKey, kind)
    source, target = at(other_key, table), at(key, table)
    # Two weeks without features have the same empty file.
    if kind in KINDS[:2] and (chance.random() < 0.5 or before[source][0] == before[target][0]):
        source = at(key, other_table)
    body, told = before[source]
    cloud.s3.put_object(Bucket=BUCKET, Key=target, Body=body, Metadata=told)
    return kind


@pytest.fixture(scope="module")
def lake() -> Iterator[tuple[Cloud, Objects]]:
    """A lake each of whose places has a receipt and a Parquet file and those of songs both quarantines; its outputs."""
    with audited_cloud(GRACE_MINUTES="0") as cloud:
        for number, key in enumerate(KEYS):
            broken = entry({**track("Two"), "name": None}), entry(track("Three", popularity=101))
            cloud.put_raw(playlist(entry(track(f"One {number}")), *broken), key=key.raw)
            complete(cloud, key)
        outputs = (key for key in cloud.etags() if not key.startswith("raw/"))
        sound = {key: cloud.s3.get_object(Bucket=BUCKET, Key=key) for key in outputs}
        yield cloud, {key: (found["Body"].read(), found["Metadata"]) for key, found in sound.items()}


def _damage_each_place(lake: tuple[Cloud, Objects], how: str, damage: Callable[[tuple[str, SnapshotKey]], str]) -> None:
    """Damages an object of each place, and holds what the audit names against that; then mends it all again."""
    cloud, sound = lake
    places = [(table, key) for key in KEYS for table in of_kind("playlists")]
    kinds: Counter[str] = Counter()
    for _ in range(ROUNDS):
        before = cloud.etags()
        kinds.update(damage(place) for place in places)

        report = auditor()({"from": str(KEYS[-1].snapshot_date), "to": str(KEYS[0].snapshot_date)}, None)

        damaged = {key for key, etag in cloud.etags().items() if etag != before[key]}
        for key in damaged:
            body, told = sound[key]
            cloud.s3.put_object(Bucket=BUCKET, Key=key, Body=body, Metadata=told)
        assert len(damaged) == len(places)
        assert {(gap["table"], gap["raw_key"]) for gap in report["gaps"]} == {(table, key.raw) for table, key in places}
    assert kinds.total() == 200
    sys.stdout.write(f"200 {how} damages ({kinds}): all named, 0 ended the audit\n")


def test_two_hundred_random_damages_are_all_named(lake: tuple[Cloud, Objects]) -> None:
    cloud, sound = lake
    chance = Random(20261128)

    def damage(place: tuple[str, SnapshotKey]) -> str:
        table, key = place
        kind = chance.choice(KINDS if table == "songs" else KINDS[:2])
        output = getattr(key, kind)(table)
        alter(cloud, output, chance.choice(list(DAMAGES.values()))(chance, sound[output][0]))
        return kind

    _damage_each_place(lake, "random", damage)


def test_two_hundred_aimed_damages_are_all_named(lake: tuple[Cloud, Objects]) -> None:
    cloud, sound = lake
    chance = Random(20261129)

    _damage_each_place(lake, "aimed", lambda place: _aimed(cloud, sound, chance, place))
