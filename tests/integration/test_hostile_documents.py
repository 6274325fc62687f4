"""Documents that no playlist is: each ends with a clear diagnosis and takes nothing else with it."""

import gzip
import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from contracts.tables.songs import SONGS
from services.songs.transform import songs
from shared.lake import SnapshotKey
from shared.worker import transformer
from tests.documents import entry, envelope, playlist, track
from tests.integration.cloud import KEY, Cloud, Context
from tests.integration.tables import transforming_cloud

GOOD = SnapshotKey(KEY.snapshot_date, "good")
SOUND = json.dumps(playlist(entry(track("One")), entry(track("Two")), id=None)).encode()


def with_name(name: bytes) -> bytes:
    return b'{"type": "playlist", "tracks": {"items": [{"track": {"id": "x", "name": ' + name + b"}}]}}"


UNREADABLE: dict[str, tuple[bytes, str]] = {
    "an empty object": (b"", "Invalid JSON: EOF"),
    "an empty JSON object": (b"{}", "not a playlist: it has neither"),
    "truncated JSON": (SOUND[: len(SOUND) // 2], "Invalid JSON: EOF"),
    "text": (b"503 Service Unavailable", "Invalid JSON"),
    "a web page": (b"<html>503 Service Unavailable</html>", "not a playlist: this is a web page"),
    "half of UTF-16": (SOUND.decode().encode("utf-16")[:-1], "cannot be decoded"),
    "half of a gzip": (gzip.compress(SOUND)[:100], "cannot be decoded"),
    "a gzip that unpacks to a gigabyte": (gzip.compress(bytes(10**6)) * 1_000, "over 200 MB, which no"),
    "bytes that are no UTF-8": (with_name(b'"\xff\xfe"'), "Invalid JSON: invalid unicode"),
    "nested a hundred thousand deep": (with_name(b"[" * 100_000), "Invalid JSON: recursion limit"),
    "a name nested five hundred deep": (with_name(b"[" * 500 + b"]" * 500), "nested hundreds of levels deep"),
    "an artist nested five hundred deep": (
        with_name(b'"x", "artists": [' + b"[" * 500 + b"]" * 501),
        "Invalid JSON: recursion limit",
    ),
    "a number of five thousand digits": (with_name(b"9" * 5_000), "Invalid JSON: number out of range"),
    "a NUL byte between values": (b'{"type":\x00 "playlist"}', "Invalid JSON"),
    "an artist": (b'{"type": "artist", "id": "x", "name": "Ann"}', "not a playlist: this is an artist"),
    "wrong types everywhere": (b'{"type": 1, "tracks": "many", "owner": []}', "Expected `object"),
    "two documents in a list": (b"[" + SOUND + b"," + SOUND + b"]", "pages overlap"),
    "an envelope of another day": (json.dumps(envelope(playlist(), day="1999-12-31")).encode(), "contradicts"),
    "an envelope of the future": (
        json.dumps(
            envelope(playlist()) | {"snapshot": envelope(playlist())["snapshot"] | {"schema_version": 99}}
        ).encode(),
        "99 is unknown",
    ),
}
READABLE: dict[str, tuple[bytes, int, int]] = {
    "NUL characters in text": (with_name(b'"a\\u0000b"'), 1, 0),
    "duplicate keys, of which the last counts": (with_name(b'"first", "name": "second"'), 1, 0),
    "NaN for a number": (with_name(b'"x", "duration_ms": NaN'), 1, 0),
    "infinity for a number": (with_name(b'"x", "popularity": -Infinity'), 1, 0),
    "a huge integer": (with_name(b'"x", "duration_ms": ' + b"9" * 400), 1, 0),
    "UTF-16": (with_name(b'"x"').decode().encode("utf-16"), 1, 0),
    "UTF-16 without its mark": (with_name(b'"x"').decode().encode("utf-16-le"), 1, 0),
    "a byte order mark": (b"\xef\xbb\xbf" + with_name(b'"x"'), 1, 0),
    "gzip": (gzip.compress(with_name(b'"x"')), 1, 0),
    "a list for a name": (with_name(b'["x"]'), 0, 1),
    "nested two hundred deep where nobody looks": (with_name(b'"x", "mood": ' + b"[" * 150 + b"]" * 150), 1, 0),
    "a name of a megabyte": (with_name(b'"' + b"x" * 2**20 + b'"'), 1, 0),
    "half of a surrogate pair": (with_name(b'"\\ud83c"'), 1, 0),
}


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    with transforming_cloud() as cloud:
        yield cloud


def handle_beside_a_good_one(cloud: Cloud, body: bytes) -> Any:
    cloud.put_raw(body)
    cloud.put_raw(SOUND, key=GOOD.raw)
    response = transformer(table=SONGS, transform=songs)(cloud.batch(), Context())
    assert len(cloud.rows(GOOD.parquet("songs"))) == 2
    return response


@pytest.mark.parametrize("name", UNREADABLE)
def test_what_cannot_be_read_waits_with_its_diagnosis_while_the_rest_goes_on(cloud: Cloud, name: str) -> None:
    body, reason = UNREADABLE[name]

    response = handle_beside_a_good_one(cloud, body)

    assert response == {"batchItemFailures": []}
    (message,) = cloud.dead()
    assert message["MessageAttributes"]["raw_key"]["StringValue"] == KEY.raw
    assert reason in message["MessageAttributes"]["sentence"]["StringValue"]
    assert cloud.keys("receipts/") == [GOOD.receipt("songs")]


@pytest.mark.parametrize("name", READABLE)
def test_what_can_be_read_ends_as_rows_and_rejects_that_add_up(cloud: Cloud, name: str) -> None:
    body, rows, rejected = READABLE[name]

    response = handle_beside_a_good_one(cloud, body)

    assert response == {"batchItemFailures": []}
    assert cloud.dead() == []
    (receipt,) = cloud.json_lines(KEY.receipt("songs"))
    assert (receipt["entries"], receipt["rows"], receipt["rejected"]) == (1, rows, rejected)
    assert len(cloud.rows(KEY.parquet("songs"))) == rows


@pytest.mark.slow
def test_a_document_of_a_hundred_megabytes_fits_into_the_functions_memory() -> None:
    # given a playlist of a hundred megabytes, most of it markets that no table needs
    program = """
import json
from datetime import date
from contracts.snapshot import Provenance, read_snapshot
from contracts.tables.songs import SONGS
from contracts.validation import judge
from services.songs.transform import songs
from shared.parquet import encode
from tests.documents import entry, playlist, track
one = json.dumps(entry(track(available_markets=["US"] * 1500))).encode()
count = 100 * 2**20 // len(one)
body = b'{"type": "playlist", "tracks": {"items": [' + b",".join([one] * count) + b"]}}"
judgement = judge(SONGS, songs(read_snapshot(body, Provenance("p", date(2026, 11, 22)))))
assert len(judgement.rows) == count and len(body) > 100 * 10**6
encode(SONGS, judgement.rows)
"""

    # when it is read in a process of its own, started by a small one: its peak begins with that of its parent
    launcher = """
import resource, subprocess, sys
subprocess.run([sys.executable, "-c", sys.argv[1]], check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""
    process = subprocess.run([sys.executable, "-c", launcher, program], check=True, capture_output=True, text=True)

    # then it stayed below the function's gigabyte
    assert 0 < int(process.stdout) < 1024 * 1024
