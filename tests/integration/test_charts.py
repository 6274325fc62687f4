"""Charts in a lake in process: loaded from files, made into rows, audited, explained and made again."""

import gzip
import json
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from moto import mock_aws

from contracts.chart import ChartEnvelope, LoadedFrom, RawChart, write_raw_chart
from infra.cli import explain
from infra.cli.screen import ConsoleError
from shared.lake import CHARTS, SnapshotKey
from tests.charts import REGIONAL_WEEKLY, chart_file, recording, sitewide, track_id
from tests.integration.cloud import BUCKET, Cloud, make_cloud, record
from tests.integration.console import Console, console
from tests.integration.tables import complete, worker

__all__ = ["console"]

pytestmark = pytest.mark.slow

THURSDAY = date(2024, 5, 2)
WEEK = timedelta(weeks=1)
RANKS = range(1, 201)
KEY = SnapshotKey(THURSDAY, "spotify_charts-regional-de-weekly", CHARTS)


@pytest.fixture
def month(tmp_path: Path) -> Path:
    """A month of weekly charts of three regions, in a folder, a zip archive and packed by gzip; one lacks two ranks."""
    folder = tmp_path / "charts"
    (folder / "de").mkdir(parents=True)
    for week in range(4):
        day = THURSDAY + week * WEEK
        ranks = [rank for rank in RANKS if week != 2 or rank not in {119, 163}]
        (folder / f"de/regional-de-weekly-{day}.csv").write_bytes(chart_file(REGIONAL_WEEKLY, ranks))
        packed = gzip.compress(b"\xef\xbb\xbf" + chart_file(REGIONAL_WEEKLY, RANKS).replace(b"\n", b"\r\n"))
        (folder / f"regional-global-weekly-{day}.csv.gz").write_bytes(packed)
        with ZipFile(folder / "fr.zip", "a") as archive:
            archive.writestr(f"2024/regional-fr-weekly-{day}.csv", chart_file(REGIONAL_WEEKLY, range(1, 51)))
    return folder


def test_a_month_of_three_regions_is_loaded_with_its_gaps_told_and_its_terms_once(
    console: Console, month: Path, tmp_path: Path
) -> None:
    printed = console.load(month)

    # then each file is a snapshot, and what is missing is told
    assert "12 snapshots of 3 charts, 2024-05-02 to 2024-05-23; 12 new; 11 ok, 1 ranks missing;" in printed
    assert "1,798 entries = 1,798 rows + 0 rejected + 0 skipped, 0 refused values." in printed
    assert "2024-05-16 spotify_charts-regional-de-weekly ranks missing 198 0 0 0 198" in printed
    assert "2024-05-16 spotify_charts-regional-de-weekly has nothing at rank 119, 163." in printed
    assert printed.count("no licence for commercial analysis") == 1
    receipts = {
        key: receipt["gaps"]
        for key in console.lake.keys("receipts/charts/")
        for receipt in console.lake.json_lines(key)
    }
    gaps = "receipts/charts/year=2024/month=05/day=16/charts-spotify_charts-regional-de-weekly.json"
    assert {key: told for key, told in receipts.items() if told != "[]"} == {gaps: "[119, 163]"}
    assert console.gaps() == []

    # and rows are those of the file, and each leads back to its line
    rows = console.lake.rows(KEY.parquet("charts"))
    assert [row["position"] for row in rows] == [*RANKS]
    assert (rows[0]["period_start"], rows[0]["period_end"], rows[0]["region"]) == (
        date(2024, 4, 26),
        THURSDAY,
        "DE",
    )
    assert (rows[4]["previous_position"], rows[3]["previous_position"]) == (None, 5)
    found = explain.origin(console.lake.s3, BUCKET, "charts", KEY)
    (place,) = explain.entries(found.snapshot, "charts", track_id(17))
    assert explain.value_at(found.raw, place.location).startswith(f"17,spotify:track:{track_id(17)},")

    # and what was loaded by mistake is taken out again
    assert "is out of the lake" in console.unload(date(2024, 5, 23), chart=KEY.list_id)
    assert console.gaps() == []
    again = console.load(month)
    assert "1 new" in again
    assert "11 unchanged" in again

    # and loading it again, or having it made again, changes nothing
    before = {key: etag for key, etag in console.lake.etags().items() if not key.startswith("receipts/")}
    assert "12 unchanged" in console.load(month)
    complete(console.lake, KEY)
    assert before == {key: etag for key, etag in console.lake.etags().items() if not key.startswith("receipts/")}


def test_the_same_chart_under_two_names_is_loaded_once_and_another_one_is_refused(
    console: Console, tmp_path: Path
) -> None:
    name = "regional-de-weekly-2024-05-02"
    (tmp_path / f"{name}.csv").write_bytes(chart_file(REGIONAL_WEEKLY, RANKS))
    (tmp_path / f"{name} (1).csv").write_bytes(chart_file(REGIONAL_WEEKLY, RANKS))

    printed = console.load(tmp_path)

    assert "left out: the same as" in printed
    assert "1 snapshot, 2024-05-02; 1 new; 1 ok;" in printed

    (tmp_path / f"{name} (2).csv").write_bytes(chart_file(REGIONAL_WEEKLY, range(1, 101)))
    with pytest.raises(ConsoleError, match="2 of 3 files cannot be loaded"):
        console.load(tmp_path)


def test_bad_chart_files_are_named_with_their_reasons_beside_playlists(console: Console, tmp_path: Path) -> None:
    (tmp_path / "regional-de-weekly-latest.csv").write_bytes(chart_file(REGIONAL_WEEKLY, RANKS))
    (tmp_path / "regional-de-daily-2024-05-02.csv").write_bytes(chart_file(REGIONAL_WEEKLY, RANKS))
    (tmp_path / "songs.csv").write_text("Track URI,Track Name,Album Name\nspotify:track:x,Song,Album\n")

    with pytest.raises(ConsoleError, match="3 of 3 files cannot be loaded"):
        console.load(tmp_path)

    printed = " ".join(console.printed.getvalue().split())
    assert "it does not say its last day: give it with --period-end" in printed
    assert "the name says frequency daily, the document weekly" in printed
    assert "known are `Position,Track Name,Artist,Streams,URL`" in printed
    assert "an export of Exportify" in printed
    assert console.lake.keys("raw/") == []

    # and once what is missing is said, it is loaded
    latest = tmp_path / "regional-de-weekly-latest.csv"
    assert "1 snapshot, 2024-05-02; 1 new; 1 ok;" in console.load(latest, period_end=THURSDAY)


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"day": date(2024, 5, 3)}, "a chart's day is its last one, 2024-05-02, and --date says 2024-05-03"),
        ({"playlist": "37i9dQZEVXbMDoHDwVN2tF"}, "it is a chart, and --playlist is for playlists"),
    ],
)
def test_what_an_option_says_of_playlists_is_not_passed_over_for_a_chart(
    console: Console, tmp_path: Path, options: dict[str, Any], why: str
) -> None:
    file = tmp_path / "regional-de-weekly-2024-05-02.csv"
    file.write_bytes(chart_file(REGIONAL_WEEKLY, RANKS))

    with pytest.raises(ConsoleError, match="1 of 1 files cannot be loaded"):
        console.load(file, **options)

    assert why in " ".join(console.printed.getvalue().split())
    assert "1 new" in console.load(file, day=THURSDAY)


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    with mock_aws():
        yield make_cloud()


def raw(document: bytes, **other: Any) -> bytes:
    envelope = ChartEnvelope(
        **{
            "source": "spotify_charts",
            "chart_id": "regional-de-weekly",
            "region": "DE",
            "frequency": "weekly",
            "period_start": THURSDAY - timedelta(days=6),
            "period_end": THURSDAY,
            "loaded_from": LoadedFrom("regional-de-weekly-2024-05-02.csv", "0" * 64),
            **other,
        }
    )
    return write_raw_chart(RawChart(envelope, document))


FILE = chart_file(REGIONAL_WEEKLY, RANKS)


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"{}", "not a raw chart"),
        (FILE, "not a raw chart"),
        (raw(FILE, chart_id="regional-fr-weekly"), "'spotify_charts-regional-fr-weekly' contradicts the object's key"),
        (raw(FILE, source="listenbrainz"), "'listenbrainz-regional-de-weekly' contradicts the object's key"),
        (
            raw(FILE, period_start=THURSDAY - timedelta(days=5), period_end=THURSDAY + timedelta(days=1)),
            "2024-05-03 contradicts the object's key, which says 2024-05-02",
        ),
        (raw(json.dumps(sitewide(recording(1))).encode()), "'spotify_charts' contradicts the document"),
        (raw(b"a,b\n"), "known are `Position"),
    ],
)
def test_a_document_that_is_not_what_its_key_says_is_set_aside_at_once(
    cloud: Cloud, body: bytes, sentence: str
) -> None:
    cloud.put_raw(body, KEY.raw)

    worker(cloud, "charts").process(record(json.dumps({"Records": [{"s3": {"object": {"key": KEY.raw}}}]})))

    (letter,) = cloud.dead()
    told = {name: value["StringValue"] for name, value in letter["MessageAttributes"].items()}
    assert sentence in told["sentence"]
    assert told["raw_key"] == KEY.raw
    assert cloud.keys("receipts/") == []


def test_a_table_of_charts_sets_aside_what_is_no_chart(cloud: Cloud) -> None:
    key = "raw/spotify/2024-05-02/3cEYpjA9oz9GiPac4AsH4n/playlist.json"

    worker(cloud, "charts").process(record(json.dumps({"Records": [{"s3": {"object": {"key": key}}}]})))

    (letter,) = cloud.dead()
    assert (
        "made of snapshots of charts, and this is of playlists"
        in letter["MessageAttributes"]["sentence"]["StringValue"]
    )
