"""Each layout of a chart, by rows that were written down by hand."""

import csv
import gzip
import json
from dataclasses import replace
from datetime import date, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from contracts.broken import Broken
from contracts.chart import ChartEnvelope, Lookup, RawChart, write_raw_chart
from contracts.chart_files import chart_in
from contracts.chart_snapshot import read_chart
from contracts.elements import UnreadableSnapshotError
from contracts.layouts import LAYOUTS
from contracts.layouts.layout import ChartIdentity, CsvLayout, spotify_track_id, whole_number, words
from contracts.layouts.listenbrainz import RECORDING_METADATA
from contracts.tables.charts import CHARTS
from contracts.validation import judge
from services.charts.transform import charts
from tests.charts import (
    OLD_REGIONAL,
    OLD_VIRAL,
    REGIONAL_DAILY,
    REGIONAL_WEEKLY,
    VIRAL_DAILY,
    VIRAL_WEEKLY,
    chart_file,
    chart_of,
    judged,
    loaded,
    mbid,
    provenance,
    recording,
    sitewide,
    track_id,
)

NOTHING = dict.fromkeys(CHARTS.row.__annotations__)
OF_THE_SNAPSHOT = {"run_id": "load-1", "source": "spotify_charts"}

WEEK = {
    "snapshot_date": "2023-01-12",
    "period_start": date(2023, 1, 6),
    "period_end": date(2023, 1, 12),
    "region": "DE",
    "frequency": "weekly",
}
OLD_WEEK = {
    "snapshot_date": "2020-01-23",
    "period_start": date(2020, 1, 17),
    "period_end": date(2020, 1, 23),
    "region": "global",
    "frequency": "weekly",
}
DAY = {
    "snapshot_date": "2024-10-31",
    "period_start": date(2024, 10, 31),
    "period_end": date(2024, 10, 31),
    "region": "global",
    "frequency": "daily",
}
SONG = {"title": "Song 7", "artist_credit": "Artist 7, The Band", "spotify_track_id": track_id(7)}
RANKS = {"label": "Label / Group", "peak_position": 7, "previous_position": 8}
STREAMS = {"metric_name": "streams", "metric_value": 999_993}


@pytest.mark.parametrize(
    ("name", "header", "seventh"),
    [
        (
            "regional-global-weekly-2020-01-17--2020-01-24.csv",
            OLD_REGIONAL,
            {**OLD_WEEK, "chart_id": "regional-global-weekly", **SONG, **STREAMS},
        ),
        (
            "viral-global-weekly-2020-01-23--2020-01-23.csv",
            OLD_VIRAL,
            {**OLD_WEEK, "chart_id": "viral-global-weekly", **SONG},
        ),
        (
            "regional-de-weekly-2023-01-12.csv",
            REGIONAL_WEEKLY,
            {**WEEK, "chart_id": "regional-de-weekly", **SONG, **RANKS, **STREAMS, "weeks_on_chart": 10},
        ),
        (
            "viral-de-weekly-2023-01-12.csv",
            VIRAL_WEEKLY,
            {**WEEK, "chart_id": "viral-de-weekly", **SONG, **RANKS, "weeks_on_chart": 10},
        ),
        (
            "regional-global-daily-2024-10-31.csv",
            REGIONAL_DAILY,
            {**DAY, "chart_id": "regional-global-daily", **SONG, **RANKS, **STREAMS, "days_on_chart": 10},
        ),
        (
            "viral-global-daily-2024-10-31.csv",
            VIRAL_DAILY,
            {**DAY, "chart_id": "viral-global-daily", **SONG, **RANKS, "days_on_chart": 10},
        ),
    ],
)
def test_a_file_of_each_layout_reads_as_it_was_meant(name: str, header: str, seventh: dict[str, Any]) -> None:
    judgement = judged(loaded(name, chart_file(header, range(1, 11))))

    assert [row["position"] for row in judgement.rows] == [*range(1, 11)]
    assert not judgement.rejects
    assert not judgement.refused
    assert judgement.rows[6] == {**NOTHING, **OF_THE_SNAPSHOT, "position": 7, **seventh}
    assert judgement.rows[4]["previous_position"] is None


BODY = chart_file(REGIONAL_WEEKLY, range(1, 11))


def quoted(body: bytes) -> bytes:
    text = StringIO(newline="")
    csv.writer(text, quoting=csv.QUOTE_ALL).writerows(csv.reader(body.decode().splitlines()))
    return text.getvalue().encode()


@pytest.mark.parametrize(
    "body",
    [
        b"\xef\xbb\xbf" + BODY,
        BODY.replace(b"\n", b"\r\n"),
        BODY.rstrip(b"\n"),
        BODY.replace(b"\n", b"\n\n"),
        BODY.replace(b"\n", b"\n \t\r\n"),
        quoted(BODY),
        b',,,"Note that these figures are made up",\n' + BODY,
        b'\xef\xbb\xbf,,,"Note that these, on\ntwo lines, are made up",\r\n' + BODY.replace(b"\n", b"\r\n"),
        BODY.decode().encode("utf-16"),
        BODY.decode().encode("utf-16-le"),
        gzip.compress(BODY),
    ],
    ids=[
        "BOM",
        "CRLF",
        "no last line end",
        "blank lines",
        "lines of blanks",
        "quoted",
        "preface",
        "all",
        "UTF-16",
        "no mark",
        "gzip",
    ],
)
def test_however_a_file_is_written_down_its_rows_are_the_same(body: bytes) -> None:
    name = "regional-de-weekly-2023-01-12.csv"

    assert list(judged(loaded(name, body)).rows) == list(judged(loaded(name, BODY)).rows)


@pytest.mark.parametrize(
    ("preface", "simulated"),
    [
        (b"", None),
        (b',,,"Note that these figures are not simulated",\n', None),
        (b"simulated: all of it\n", True),
        (b'"Simulated, as saved by a spreadsheet",,,,,,,,\n', True),
    ],
)
def test_a_file_says_itself_that_it_is_simulated(preface: bytes, simulated: bool | None) -> None:  # noqa: FBT001
    rows = judged(loaded("regional-de-weekly-2023-01-12.csv", preface + BODY)).rows

    assert {row["simulated"] for row in rows} == {simulated}


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"3,spotify:track:x,A", "9 fields expected, 3 found"),
        (b"3,a,b,c,d,1,2,3,4,5", "9 fields expected, 10 found"),
        (b'3,a,"b"c,d,e,1,2,3,4', "not CSV: ',' expected after '\"'"),
        (b"2,,,,,,,,", "position: 2 stands at $.document line 3 already"),
        (b"third,,,,,,,,", "position: not a whole number"),
        (b",,,,,,,,", "position: Input should be a valid integer (was None)"),
        (b"0,,,,,,,,", "position: Input should be greater than or equal to 1 (was 0)"),
        (b"2000000000,,,,,,,,", "position: Input should be less than or equal to 10000 (was 2000000000)"),
    ],
)
def test_a_line_that_is_no_position_costs_that_line_alone(line: bytes, reason: str) -> None:
    lines = BODY.splitlines()
    lines[3] = line

    judgement = judged(loaded("regional-de-weekly-2023-01-12.csv", b"\n".join(lines)))

    assert [row["position"] for row in judgement.rows] == [1, 2, *range(4, 11)]
    assert [(each.location, each.reason) for each in judgement.rejects] == [("$.document line 4", reason)]
    assert judgement.entries == 10


def test_quotes_of_two_lines_do_not_make_one_entry_of_both() -> None:
    # given a quote that opens in one line and one that closes in the same column of a later one
    lines = UNQUOTED.splitlines()
    lines[3] = lines[3].replace(b"Artist 3", b'"Artist 3')
    lines[6] = lines[6].replace(b"Artist 6", b'Artist 6"')

    judgement = judged(loaded("regional-de-weekly-2023-01-12.csv", b"\n".join(lines)))

    assert [row["artist_credit"] for row in judgement.rows if row["position"] == 6] == ['Artist 6"']
    assert [row["position"] for row in judgement.rows] == [1, 2, *range(4, 11)]
    assert [each.location for each in judgement.rejects] == ["$.document line 4"]


def test_a_title_of_two_lines_is_one_title() -> None:
    body = BODY.replace(b",Song 3,", b',"Song 3\r\n(part 1, ""one"")",')

    judgement = judged(loaded("regional-de-weekly-2023-01-12.csv", body))

    assert not judgement.rejects
    assert [row["title"] for row in judgement.rows][2:4] == ['Song 3\r\n(part 1, "one")', "Song 4"]


UNQUOTED = BODY.replace(b", The Band", b"").replace(b'"', b"")
LINES_WITHOUT_A_RANK = st.text(alphabet=st.sampled_from('ab-," \t\x00\x1c'), max_size=12)


@given(body=st.sampled_from([BODY, UNQUOTED, quoted(BODY)]), after=st.integers(1, 10), line=LINES_WITHOUT_A_RANK)
def test_whatever_a_line_holds_it_costs_no_other(body: bytes, after: int, line: str) -> None:
    lines = body.splitlines()
    lines.insert(after, line.encode())

    judgement = judged(loaded("regional-de-weekly-2023-01-12.csv", b"\n".join(lines)))

    assert [row["position"] for row in judgement.rows] == [*range(1, 11)]
    assert [each.location for each in judgement.rejects] == [f"$.document line {after + 1}"] * bool(line.strip())


@given(st.text(alphabet=st.sampled_from("+-12x. \t\x0b\x1c\x1f\x85\xa0\u2003\u0663"), max_size=5))
def test_a_whole_number_is_one_or_none(text: str) -> None:
    read = whole_number(text)

    assert read is None if not text.strip() else isinstance(read, int | Broken)


def test_a_file_that_was_cut_off_within_quotes_says_what_was_lost() -> None:
    cut = BODY[: BODY.index(b'"Artist 8') + 4]

    judgement = judged(loaded("regional-de-weekly-2023-01-12.csv", cut))

    assert [row["position"] for row in judgement.rows] == [*range(1, 8)]
    assert [each.reason for each in judgement.rejects] == ["not CSV: unexpected end of data"]


def test_a_value_that_is_not_what_it_is_called_costs_the_cell_and_is_kept() -> None:
    line = b"1,spotify:track:short,A,B,L,first,2,4,1.5"

    judgement = judged(loaded("regional-de-weekly-2023-01-12.csv", b"\n".join([BODY.splitlines()[0], line])))

    (row,) = judgement.rows
    assert {row["spotify_track_id"], row["peak_position"], row["metric_value"]} == {None}
    assert {each.column: each.value for each in judgement.refused} == {
        "spotify_track_id": "spotify:track:short",
        "peak_position": "first",
        "metric_value": "1.5",
    }


@pytest.mark.parametrize(
    "body", [b"", b"\n", b"Track URI,Track Name,Album Name\nspotify:track:x,Song,Album\n", b"<html>"]
)
def test_an_unknown_layout_is_refused_by_naming_the_known(body: bytes) -> None:
    with pytest.raises(UnreadableSnapshotError) as refusal:
        chart_in("unknown-layout-2024-01-01.csv", body, ChartIdentity())

    assert all(f"`{layout.signature}`" in refusal.value.problem for layout in LAYOUTS)


def test_a_web_page_in_place_of_a_chart_is_named() -> None:
    with pytest.raises(UnreadableSnapshotError, match=r"this is a web page, .*; download the document again$"):
        chart_in("regional-de-weekly-2023-01-12.csv", b"<!DOCTYPE html>\n<title>Log in</title>", ChartIdentity())


def test_json_that_is_no_chart_is_left_to_others() -> None:
    assert chart_in("playlist.json", b'{"type": "playlist"}', ChartIdentity()) is None


RETRIEVED = datetime(2025, 11, 25, 6, 0, 5)  # noqa: DTZ001


def listened(*recordings: Any, lookups: Any = (), monday: date = date(2025, 11, 17), **other: Any) -> RawChart:
    envelope = ChartEnvelope(
        source="listenbrainz",
        chart_id="recordings-global-weekly",
        region="global",
        frequency="weekly",
        period_start=date(2025, 11, 17),
        period_end=date(2025, 11, 23),
        retrieved_at=RETRIEVED,
        run_id="run-1",
    )
    return RawChart(envelope, json.dumps(sitewide(*recordings, monday=monday, **other)).encode(), lookups)


def metadata(isrcs: dict[str, Any]) -> Lookup:
    found = {name: {"recording": {"name": "Song", "isrcs": codes}} for name, codes in isrcs.items()}
    return Lookup(RECORDING_METADATA, "ok", Raw(json.dumps(found).encode()))


def test_sitewide_recordings_read_as_they_were_meant() -> None:
    of_week = listened(recording(1), recording(2), lookups=[metadata({mbid(2): ["gb-aye-24-00002", "GBAYE2400003"]})])

    judgement = judged(of_week)

    assert not judgement.rejects
    assert not judgement.refused
    assert judgement.rows[1] == {
        **NOTHING,
        "snapshot_date": "2025-11-23",
        "run_id": "run-1",
        "extracted_at": RETRIEVED,
        "source": "listenbrainz",
        "chart_id": "recordings-global-weekly",
        "region": "global",
        "frequency": "weekly",
        "period_start": date(2025, 11, 17),
        "period_end": date(2025, 11, 23),
        "position": 2,
        "metric_name": "listens",
        "metric_value": 4998,
        "title": "Song 2",
        "artist_credit": "Artist 2",
        "isrc": "GBAYE2400002",
        "isrcs": '["GBAYE2400002", "GBAYE2400003"]',
        "recording_mbid": mbid(2),
    }


def test_an_answer_says_itself_that_it_is_simulated() -> None:
    for said, told in ({"simulated": True}, True), ({"simulated": "no"}, None), ({}, None):
        (row,) = judged(listened(recording(1), **said)).rows
        assert row["simulated"] is told


@pytest.mark.parametrize(
    ("told", "gaps"),
    [
        ({"count": 1000, "total_recording_count": 4}, [3, 4]),
        ({"count": 3, "total_recording_count": 5000}, [3]),
        ({"count": 2, "total_recording_count": 2}, []),
        ({"count": "many", "total_recording_count": None}, []),
    ],
)
def test_an_answer_says_how_long_its_chart_is(told: dict[str, Any], gaps: list[int]) -> None:
    chart = chart_of(listened(recording(1), recording(2), **told))

    assert judge(CHARTS, charts(chart)).rows.missing_ranks("position", chart.length) == gaps


def test_a_file_does_not_say_how_long_its_chart_is() -> None:
    assert chart_of(loaded("regional-de-weekly-2023-01-12.csv", BODY)).length is None


def test_a_position_is_a_place_in_the_list_whatever_its_mbid() -> None:
    judgement = judged(
        listened(recording(7), recording(7), recording(9, recording_mbid=None), None, recording(3, recording_mbid=""))
    )

    assert judgement.refused == []
    assert [(row["position"], row["recording_mbid"]) for row in judgement.rows] == [
        (1, mbid(7)),
        (2, mbid(7)),
        (3, None),
        (5, None),
    ]


@pytest.mark.parametrize(
    "lookup",
    [
        Lookup(RECORDING_METADATA, "refused:429"),
        Lookup(RECORDING_METADATA, "ok", Raw(b'"<html>"')),
        Lookup(RECORDING_METADATA, "ok", Raw(json.dumps({mbid(1): None}).encode())),
        Lookup("cover_art", "ok", Raw(json.dumps({mbid(1): {"recording": {"isrcs": ["GBAYE2400001"]}}}).encode())),
        metadata({mbid(1): []}),
        metadata({mbid(2): ["GBAYE2400001"]}),
    ],
)
def test_a_lookup_that_brought_nothing_never_costs_the_chart(lookup: Lookup) -> None:
    judgement = judged(listened(recording(1), lookups=[lookup]))

    assert [(row["position"], row["isrc"], row["isrcs"]) for row in judgement.rows] == [(1, None, None)]
    assert judgement.refused == []


@pytest.mark.parametrize("sent", [["n/a"], [7], "n/a", "GBAYE2400001", 7, {"0": "GBAYE2400001"}])
def test_what_stands_for_isrcs_and_is_no_list_with_one_is_refused(sent: Any) -> None:
    judgement = judged(listened(recording(1), lookups=[metadata({mbid(1): sent})]))

    assert [(row["isrc"], row["isrcs"]) for row in judgement.rows] == [(None, None)]
    assert [(each.column, each.value) for each in judgement.refused] == [("isrc", sent)]


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        (listened(monday=date(2025, 11, 10)), "2025-11-17 contradicts the document, which says 2025-11-10"),
        (listened(range="month"), "its range is 'month'"),
        (listened(from_ts=None), "its from_ts is None"),
        (listened(to_ts=10**30), "which is no moment"),
        (listened(offset=100), "its offset is 100: charts begin at 0"),
        (listened(offset=[0]), r"its offset is \[0\]: charts begin at 0"),
        (listened(offset=""), "its offset is '': charts begin at 0"),
        (listened(user_id="rob"), "it tells what one user listened to, 'rob': charts are sitewide"),
        (RawChart(listened().envelope, BODY), "layout is that of Spotify Charts, regional weekly"),
        (RawChart(listened().envelope, b"Beyonc\xe9"), "neither UTF-8 nor UTF-16"),
        (RawChart(listened().envelope, b"{}"), "not a chart that is known"),
    ],
)
def test_a_document_that_contradicts_its_envelope_is_refused(raw: RawChart, problem: str) -> None:
    with pytest.raises(UnreadableSnapshotError, match=problem):
        chart_of(raw)


@pytest.mark.parametrize(
    ("other", "problem"),
    [
        ({"snapshot_date": date(2025, 11, 16)}, r"2025-11-23 contradicts the object's key, which says 2025-11-16"),
        ({"playlist_id": "listenbrainz-other"}, "'listenbrainz-recordings-global-weekly' contradicts"),
    ],
)
def test_a_chart_that_contradicts_its_key_is_refused(other: dict[str, Any], problem: str) -> None:
    raw = listened(recording(1))
    key = replace(provenance(raw.envelope), **other)

    with pytest.raises(UnreadableSnapshotError, match=problem):
        read_chart(write_raw_chart(raw), key)


MADE_UP = CsvLayout(
    name="Licensed export, singles",
    source="licensed_export",
    metric="units",
    columns={
        "#": ("position", whole_number),
        "Single": ("title", words),
        "By": ("artist_credit", words),
        "Units": ("metric_value", whole_number),
        "Link": ("spotify_track_id", spotify_track_id),
        "Owner": ("label", words),
    },
    terms="As licensed.",
    said=ChartIdentity(ranking="singles", frequency="weekly"),
)
"""A layout more is an entry more: its header, and what each of its columns is."""


def test_a_licensed_export_comes_in_by_one_entry_more() -> None:
    body = (
        f"#,Single,By,Units,Link,Owner\n1,One,Somebody,12,https://open.spotify.com/track/{track_id(1)},Label\n".encode()
    )
    said = ChartIdentity(region="FR", period_end=date(2026, 10, 4))

    raw = chart_in("export.csv", body, said, layouts=[*LAYOUTS, MADE_UP])

    assert raw is not None
    assert raw.envelope.list_id == "licensed_export-singles-fr-weekly"
    chart = read_chart(write_raw_chart(raw), provenance(raw.envelope), layouts=[*LAYOUTS, MADE_UP])
    (row,) = judge(CHARTS, charts(chart)).rows
    assert (row["period_start"], row["title"], row["metric_name"], row["metric_value"]) == (
        date(2026, 9, 28),
        "One",
        "units",
        12,
    )
    assert (row["spotify_track_id"], row["label"]) == (track_id(1), "Label")


@given(st.lists(st.lists(st.text(alphabet=st.sampled_from('12ab-,"\n\r '), max_size=6), max_size=10), max_size=12))
def test_every_record_ends_as_a_row_or_a_rejected_row(records: list[list[str]]) -> None:
    body = REGIONAL_WEEKLY + "\n" + "\n".join(map(",".join, records))
    raw = loaded("regional-de-weekly-2023-01-12.csv", body.encode())

    judgement = judged(raw)

    assert judgement.entries == len(judgement.rows) + len(judgement.rejects) == len(chart_of(raw).entries)
    positions = [row["position"] for row in judgement.rows]
    assert len(set(positions)) == len(positions)


VALUES = st.none() | st.integers() | st.text() | st.lists(st.text(), max_size=1)
RECORDINGS = st.dictionaries(st.sampled_from(["recording_mbid", "listen_count", "track_name"]), VALUES)


@given(st.lists(st.none() | st.integers() | RECORDINGS, max_size=5))
def test_every_recording_ends_as_a_row_or_a_rejected_row(recordings: list[Any]) -> None:
    judgement = judged(listened(*recordings))

    assert judgement.entries == len(judgement.rows) + len(judgement.rejects) == len(recordings)
    assert {row["position"] for row in judgement.rows} == {
        place for place, each in enumerate(recordings, 1) if isinstance(each, dict)
    }


def test_the_files_that_people_have_are_read_right(real_documents: Path) -> None:
    regressions = real_documents / "regressions"
    found = {}
    for file in sorted(regressions.glob("*.csv")):
        if not file.name.startswith("unknown"):
            judgement = judged(loaded(file.name, file.read_bytes()))
            assert not judgement.rejects
            assert not judgement.refused
            assert judgement.rows[6]["artist_credit"] == "Tyler, The Creator, Kali Uchis"
            assert judgement.rows[2]["title"] == 'Song 3, part "3"'
            found[file.name] = [row["position"] for row in judgement.rows]

    assert found == {
        "regional-de-weekly-2023-01-12.csv": [*range(1, 21)],
        "regional-global-daily-2019-02-14.csv": [*range(1, 21)],
        "regional-global-weekly-2020-01-17--2020-01-24.csv": [*range(1, 21)],
        "regional-global-weekly-2023-01-05.csv": [*range(1, 14), *range(15, 21)],
        "viral-global-daily-2020-10-01.csv": [*range(1, 11)],
        "viral-global-daily-2024-10-31.csv": [*range(1, 11)],
    }
    with pytest.raises(UnreadableSnapshotError, match="known are `Position,Track Name"):
        loaded("unknown-layout-2024-01-01.csv", (regressions / "unknown-layout-2024-01-01.csv").read_bytes())
